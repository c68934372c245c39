"""`manage.py check --deploy`, point by point, of a site with the settings that .env.example leads to."""

import json
import re
from pathlib import Path

import django.core.checks.security
import pytest

from tests.deploy.stack import Compose
from tests.hopps.deploy_points import points
from tests.hopps.production import COMPLETE, run

POINTS = sorted(points())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a web process of the stack, with .env.example filled in and the keys of a real site."""
    folder = tmp_path_factory.mktemp("stack")
    settings: dict[str, str] = Compose(folder).config()["services"]["web-blue"]["environment"]
    keys = "SECRET_KEY", "STRIPE_SECRET_KEY", "VAPID_PRIVATE_KEY", "METRICS_TOKEN"
    mine = {"VAR_DIR": str(folder), "DATABASE_URL": COMPLETE["DATABASE_URL"], "STATIC_ROOT": str(folder)}
    return settings | {name: COMPLETE[name] for name in keys} | mine


@pytest.fixture(scope="module")
def said(site: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What is said of it, as it is and with each point undone."""
    done = run(tmp_path_factory.mktemp("points"), site, "-m", "tests.hopps.deploy_points")
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_there_is_nothing_to_say(site: dict[str, str], tmp_path: Path) -> None:
    done = run(tmp_path, site, "manage.py", "check", "--deploy", "--fail-level", "DEBUG")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("point", POINTS)
def test_a_point_that_is_undone_is_said(point: str, said: dict[str, list[str]]) -> None:
    assert point in said[point]
    assert point not in said["as it is"]


def test_no_point_of_django_is_left_out() -> None:
    folder = Path(django.core.checks.security.__file__).parent
    there = {point for path in folder.glob("*.py") for point in re.findall(r'"(security\.[EW]\d+)"', path.read_text())}

    assert there == set(POINTS)
