"""The board and the alerts ask only for what /metrics shows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

OPS = Path(__file__).resolve().parents[2] / "ops"
# What Prometheus makes itself of each scrape.
PROMETHEUS = {"up"}
# What each kind of metric is asked for by.
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",), "gauge": ("",)}


def shown() -> set[str]:
    """Return the names of everything /metrics shows, also where nothing has been counted yet."""
    return {family.name + ending for family in REGISTRY.collect() for ending in ENDINGS.get(family.type, ("",))}


def board() -> Iterator[tuple[str, str]]:
    """Yield each query of the board, with its panel's title."""
    for panel in json.loads((OPS / "grafana/hopps.json").read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def alerts() -> Iterator[tuple[str, str]]:
    """Yield each alert's query, with its name."""
    for group in yaml.safe_load((OPS / "prometheus/alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def asked_for(query: Any) -> set[str]:
    """Return the names of the metrics a parsed query asks for."""
    if isinstance(query, promql_parser.VectorSelector):
        return {query.name or ""}
    parts = [getattr(query, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    return set().union(*(asked_for(part) for part in [*parts, *getattr(query, "args", ())] if part is not None))


@pytest.mark.django_db
def test_each_query_asks_for_what_is_shown() -> None:
    there = shown() | PROMETHEUS
    missing = {
        (title, name)
        for title, query in [*board(), *alerts()]
        for name in asked_for(promql_parser.parse(query))
        if name not in there
    }

    assert not missing


@pytest.mark.django_db
def test_the_board_shows_everything_of_ours() -> None:
    asked = set().union(*(asked_for(promql_parser.parse(query)) for _, query in [*board(), *alerts()]))
    ours = {family.name for family in REGISTRY.collect() if family.name.startswith("hopps_")}

    assert {name for name in ours if not any(one.startswith(name) for one in asked)} == set()
