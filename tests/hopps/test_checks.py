"""Production does not start with what is meant for trying out, or half set up: shown by starting it."""

import re
import sys
from functools import cache
from pathlib import Path

import pytest
from django.core import checks
from pytest_django import Settings

from hopps.checks import STARTING
from script.lib.processes import ServerProcess, free_port
from tests.hopps.production import COMPLETE, PRODUCTION, environment, run
from tests.live import ROOT

STAND_IN = "http://127.0.0.1:9"
HALF_A_RELAY = {"TURN_URLS": "turn:turn.example.org"}

# Sites that must not start, each with all that is wrong about it: what it sets, and what is said.
SITES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing is set": (
        dict.fromkeys(PRODUCTION, ""),
        {
            "hopps.E001": "SECRET_KEY is not set",
            "hopps.E005": "PUBLIC_URL is not set",
            "hopps.E007": "ALLOWED_HOSTS is empty",
            "hopps.E010": "to nobody's mailbox. Set EMAIL_HOST",
            "hopps.E012": "DEFAULT_FROM_EMAIL is no sender",
            "hopps.E013": "OPERATORS_EMAIL is not set",
            "hopps.E020": "to nobody's phone. Set SMS to sns or twilio",
            "billing.E001": "PAYMENTS=demo moves no real money",
        },
    ),
    "it was made for development": (
        {
            "SECRET_KEY": "(development-secret)",
            "DEBUG": "1",
            "PUBLIC_URL": "http://hopps.example.org",
            "ALLOWED_HOSTS": "*",
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "JOBS_IN_WEB_PROCESS": "0",
            "VAPID_PRIVATE_KEY": "(development-vapid-key)",
            "BACKUP_TO": "/var/backups",
            "BACKUP_KEY": "(development-backup-key)",
            "STRIPE_API_BASE": STAND_IN,
            "TWILIO_API_BASE": STAND_IN,
            "VIDEO": "twilio",
            "TWILIO_API_KEY_SID": "SK1",
            "TWILIO_API_KEY_SECRET": "secret",
            "TWILIO_VIDEO_BASE": STAND_IN,
        },
        {
            "hopps.E003": "SECRET_KEY is one for development",
            "hopps.E004": "DEBUG shows visitors",
            "hopps.E006": "PUBLIC_URL is no https address",
            "hopps.E007": "allows every name",
            "hopps.E010": "to nobody's mailbox",
            "hopps.E024": "TWILIO_API_BASE is no https address",
            "hopps.E030": "SQLite is a file: it serves one process",
            "hopps.E031": "without Redis. Set REDIS_URL",
            "hopps.E041": "VAPID_PRIVATE_KEY is the one of development",
            "hopps.E051": "BACKUP_KEY is the one of development",
            "billing.E004": "STRIPE_API_BASE is no https address",
            "sessions_app.E003": "TWILIO_VIDEO_BASE is no https address",
        },
    ),
    "it is half set up": (
        {
            "SECRET_KEY": "s" * 60,
            "ALLOWED_HOSTS": "another.example.org",
            "EMAIL_HOST": "",
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "TWILIO_AUTH_TOKEN": "",
            "STRIPE_WEBHOOK_SECRETS": "",
            "VIDEO": "twilio",
            "TURN_ONLY": "1",
            "VAPID_PRIVATE_KEY": "secret",
            "BACKUP_TO": "/var/backups",
            "BACKUP_KEY": "",
            "METRICS_TOKEN": "token",
        },
        {
            "hopps.E002": "SECRET_KEY can be guessed",
            "hopps.E008": "a host that ALLOWED_HOSTS refuses. Add hopps.example.org",
            "hopps.E011": "EMAIL_HOST is not set",
            "hopps.E021": "SMS=twilio needs TWILIO_AUTH_TOKEN.",
            "hopps.E040": "VAPID_PRIVATE_KEY is no key",
            "hopps.E043": "TURN_ONLY needs TURN_URLS",
            "hopps.E050": "BACKUP_KEY is no key",
            "hopps.E061": "METRICS_TOKEN can be guessed",
            "billing.E002": "PAYMENTS=stripe needs STRIPE_WEBHOOK_SECRETS.",
            "sessions_app.E001": "VIDEO=twilio needs TWILIO_AUTH_TOKEN, TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET.",
        },
    ),
    "keys were exchanged": (
        {
            "STRIPE_SECRET_KEY": "whsec_1",
            "STRIPE_WEBHOOK_SECRETS": "whsec_1,sk_live_1",
            "TWILIO_ACCOUNT_SID": "SK1",
            "VIDEO": "twilio",
            "TWILIO_API_KEY_SID": "AC1",
            "TWILIO_API_KEY_SECRET": "secret",
            "VAPID_PRIVATE_KEY": COMPLETE["VAPID_PRIVATE_KEY"],
            "VAPID_SUBJECT": "ops",
        }
        | HALF_A_RELAY,
        {
            "hopps.E022": "TWILIO_ACCOUNT_SID is of the wrong kind: it begins with AC.",
            "hopps.E040": "VAPID_SUBJECT must be a mailto",
            "hopps.E042": "TURN_URLS needs TURN_SECRET",
            "billing.E003": "STRIPE_SECRET_KEY is of the wrong kind: it begins with sk_ or rk_",
            "sessions_app.E002": "TWILIO_API_KEY_SID is of the wrong kind",
        },
    ),
    "SNS has half a key": (
        {
            "SMS": "sns",
            "AWS_ACCESS_KEY_ID": "AKIA1",
            "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests-0123456789",
        },
        {"hopps.E003": "SECRET_KEY is one for development", "hopps.E023": "SMS=sns needs AWS_REGION"},
    ),
    "SQLite is to serve several processes": (
        {"REDIS_URL": "redis://redis.example.org/0"},
        {"hopps.E030": "SQLite is a file"},
    ),
}
# What a site starts with, and hears of.
DOUBTS = {
    "hopps.W030": "SQLite serves one process",
    "hopps.W040": "notifications are off",
    "hopps.W042": "There is no relay",
    "hopps.W050": "there are no backups",
    "hopps.W061": "METRICS_TOKEN is not set",
    "billing.W001": "a test key: no real money moves",
}
# Its setting is made elsewhere; see the test below.
OTHERS = {"hopps.E060"}
DOORS = {
    "the web server": ("-m", "hopps.server"),
    "any other web server": ("-m", "uvicorn", "hopps.asgi:application", "--port", "0"),
    "the development server": ("-m", "daphne", "hopps.asgi:application", "--port", "0"),
    "the worker": ("manage.py", "run_huey"),
    "what comes before each start": ("manage.py", "prepare"),
    "the migrations": ("manage.py", "migrate"),
    "script/server": ("-m", "script.lib.serve"),
}


@pytest.fixture(scope="module")
def of_development(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that development kept its keys in."""
    folder = tmp_path_factory.mktemp("development")
    assert run(folder, {"HOPPS_ENV": "development"}, "-c", "import hopps.settings").stderr == ""
    return folder


@cache
def said_by(site: str, folder: Path) -> str:
    """Return what the web server says to the settings of `site` before it ends."""
    settings = {
        name: (folder / value.strip("()")).read_text() if value.startswith("(") else value
        for name, value in SITES[site][0].items()
    }
    done = run(folder, PRODUCTION | settings, "-m", "hopps.server")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(("site", "check"), [(site, check) for site, (_, said) in SITES.items() for check in said])
def test_a_site_does_not_start_where(site: str, check: str, of_development: Path) -> None:
    lines = [line for line in said_by(site, of_development).splitlines() if line.startswith(f"{check}: ")]

    assert SITES[site][1][check] in "\n".join(lines)


@pytest.mark.parametrize("site", SITES)
def test_all_that_is_wrong_is_said_at_once_and_nothing_else(site: str, of_development: Path) -> None:
    assert set(re.findall(r"^(\w+\.E\d+): ", said_by(site, of_development), re.MULTILINE)) == set(SITES[site][1])


@pytest.mark.parametrize("door", DOORS)
def test_no_door_is_open_to_a_site_that_must_not_start(door: str, tmp_path: Path) -> None:
    done = run(tmp_path, PRODUCTION | {"PAYMENTS": "demo"}, *DOORS[door])

    assert done.returncode == 1
    assert "PAYMENTS=demo moves no real money" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_what_is_needed_it_starts_and_logs_its_doubts(tmp_path: Path) -> None:
    port = str(free_port())
    settings = PRODUCTION | {"STRIPE_SECRET_KEY": "sk_test_1", "PORT": port}
    server = ServerProcess(
        [sys.executable, *DOORS["the web server"]],
        url=f"http://127.0.0.1:{port}/healthz",
        log=tmp_path / "log",
        environment=environment(tmp_path, settings),
        folder=ROOT,
    )
    server.start()
    server.stop()

    logged = (tmp_path / "log").read_text()
    for doubt, sentence in DOUBTS.items():
        assert re.search(rf'"WARNING".*{doubt}: .*{re.escape(sentence)}', logged), doubt


def test_of_a_site_with_everything_there_is_nothing_to_say(tmp_path: Path) -> None:
    done = run(tmp_path, COMPLETE, "manage.py", "check", "--tag", STARTING, "--fail-level", "INFO")

    assert (done.returncode, done.stderr) == (0, "")


def test_operators_come_with_a_second_factor(settings: Settings) -> None:
    settings.DEVELOPMENT = False
    settings.SECOND_FACTOR_FOR_OPERATORS = False

    assert "hopps.E060" in {message.id for message in checks.run_checks(tags=[STARTING])}


def test_every_check_is_shown_here_and_stands_in_the_runbook() -> None:
    sources = [ROOT / app / "checks.py" for app in ("hopps", "billing", "sessions_app")]
    made = {found for source in sources for found in re.findall(r'id="(\w+\.[EW]\d+)"', source.read_text())}
    shown = {check for _, said in SITES.values() for check in said} | set(DOUBTS) | OTHERS
    listed = set(re.findall(r"^\| `(\w+\.[EW]\d+)`", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE))

    assert made == shown == listed
