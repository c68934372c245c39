"""Who may read /metrics, and what it says where a part cannot be read."""

from collections.abc import Iterator

import pytest
import requests
from django.test import Client
from prometheus_client.core import GaugeMetricFamily, Metric
from pytest_django import Settings

from hopps import worker_metrics
from hopps.metrics import Figures

TOKEN = "for-the-tests"


def asked(**headers: str) -> int:
    return Client(headers=headers).get("/metrics").status_code


@pytest.mark.django_db
def test_with_a_token_only_who_has_it_may_read(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert asked(authorization=f"Bearer {TOKEN}") == 200
    for wrong in ("", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN, f"Basic {TOKEN}", "Bearer ", "Bearer \u00fc"):
        assert asked(authorization=wrong) == 401


@pytest.mark.django_db
def test_without_a_token_nobody_may_in_production(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    settings.DEVELOPMENT = False
    assert asked() == 404
    assert asked(authorization="Bearer ") == 404


class Asked:
    """Figures of a part that can be out of reach; counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0
        self.well = True

    def __call__(self) -> Iterator[Metric]:
        self.times += 1
        if not self.well:
            raise ConnectionError("out of reach")
        yield GaugeMetricFamily("part", "A part.", value=self.times)


def said(figures: Figures) -> dict[str, float]:
    return {sample.name: sample.value for family in figures.collect() for sample in family.samples}


def test_figures_are_read_once_for_all_who_ask_within_a_few_seconds() -> None:
    part = Asked()
    figures = Figures("part", part)

    assert said(figures) == said(figures) == {"hopps_part_read": 1, "part": 1}
    assert part.times == 1


def test_a_part_that_cannot_be_read_is_missing_and_said_to_be() -> None:
    part = Asked()
    part.well = False

    assert said(Figures("part", part)) == {"hopps_part_read": 0}


@pytest.mark.django_db
def test_a_worker_shows_what_it_counts_on_a_port_of_its_own(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    server = worker_metrics.serve("127.0.0.1", 0)

    def ask(path: str, authorization: str = "") -> requests.Response:
        address = f"http://127.0.0.1:{server.server_port}{path}"
        return requests.get(address, headers={"Authorization": authorization}, timeout=30, proxies={"http": ""})

    try:
        assert "hopps_jobs_total" in ask("/metrics", f"Bearer {TOKEN}").text
        assert ask("/metrics", "Bearer other").status_code == 401
        assert ask("/", f"Bearer {TOKEN}").status_code == 404
        settings.METRICS_TOKEN, settings.DEVELOPMENT = "", False
        assert ask("/metrics").status_code == 404
    finally:
        server.shutdown()
        server.server_close()
