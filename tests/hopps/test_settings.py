"""A setting that cannot be read is a sentence; a secret may be in a file."""

import json
from pathlib import Path

import pytest

from tests.hopps.production import PRODUCTION, run

SECRETS = (
    "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_HOST_PASSWORD", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY_SECRET",
    "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "TURN_SECRET", "VAPID_PRIVATE_KEY", "BACKUP_KEY", "METRICS_TOKEN",
    "SENTRY_DSN",
)  # fmt: skip


def read(folder: Path, **settings: str) -> str:
    """Return what Python says when the settings are read; empty when they can be."""
    return run(folder, PRODUCTION | settings, "-c", "import hopps.settings").stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PAYMENTS", "barter", "PAYMENTS must be demo or stripe, not 'barter'"),
        ("SMS", "pigeon", "SMS must be console or sns or twilio, not 'pigeon'"),
        ("SMS_MAX_PRICE_USD", "0,20", "must be a price such as 0.20, not '0,20'"),
        ("TAX_PERCENT", "much", "must be a percentage"),
        ("TAX_PERCENT", "nan", "must be a percentage"),
        ("TAX_PERCENT", "101", "must be a percentage"),
        ("TAX_PERCENT", "8.125", "must be a percentage"),
        ("EMAIL_PORT", "many", "must be a whole number"),
        ("PLATFORM_FEE_PERCENT", "101", "PLATFORM_FEE_PERCENT must be a whole number from 0 to 100, not '101'"),
        ("REPORT_HOURS", "-1", "REPORT_HOURS must be a whole number from 0 to 8760, not '-1'"),
        ("VIDEO", "smoke", "VIDEO must be peer or twilio, not 'smoke'"),
        ("VIDEO_FALLBACK", "perhaps", "must be 1 or 0"),
        ("SECURE_SSL_REDIRECT", "perhaps", "must be 1 or 0"),
        ("STUN_URLS", "stun.example.org:3478", "STUN_URLS takes addresses such as stun:stun.example.org:3478"),
        ("STUN_URLS", "stun:a.example.org,http://b.example.org", "not 'http://b.example.org'"),
        ("TURN_URLS", "stun:turn.example.org", "TURN_URLS takes addresses such as turn:turn.example.org:3478"),
        ("TURN_SECONDS", "5", "TURN_SECONDS must be a whole number of at least 20"),
    ],
)
def test_what_cannot_be_read_is_said_by_name(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    assert sentence in read(tmp_path, **{name: value})


def test_what_cannot_be_read_keeps_the_server_from_starting_with_a_sentence_alone(tmp_path: Path) -> None:
    done = run(tmp_path, PRODUCTION | {"EMAIL_PORT": "many"}, "-m", "hopps.server")

    assert (done.returncode, done.stderr) == (1, "Hopps does not start: EMAIL_PORT must be a whole number, not 'many'.\n")


def test_each_secret_is_taken_from_the_file_that_is_named(tmp_path: Path) -> None:
    kept = {name: f"of-{name}" for name in SECRETS} | {
        "DATABASE_URL": "postgresql://hopps:of-DATABASE_URL@db.example.org/hopps",
        "STRIPE_WEBHOOK_SECRETS": "of-one,of-two",
    }
    files = {}
    for name, value in kept.items():
        (tmp_path / name.lower()).write_text(f"{value}\n")
        files[f"{name}_FILE"] = str(tmp_path / name.lower())
    ask = (
        "import json; from hopps import settings as found; "
        f"print(json.dumps([*(getattr(found, name, '') for name in {SECRETS}), found.DATABASES]))"
    )

    *found, databases = json.loads(run(tmp_path, PRODUCTION | dict.fromkeys(kept, "") | files, "-c", ask).stdout)

    assert databases["default"]["PASSWORD"] == "of-DATABASE_URL"
    assert dict(zip(SECRETS, found, strict=True)) == kept | {
        "DATABASE_URL": "",
        "STRIPE_WEBHOOK_SECRETS": ["of-one", "of-two"],
    }


def test_the_development_secret_is_made_once_and_is_for_the_owner_only(tmp_path: Path) -> None:
    for _ in range(2):
        assert read(tmp_path, HOPPS_ENV="development", SECRET_KEY="") == ""
    secret = tmp_path / "development-secret"
    assert len(secret.read_text()) > 50
    assert secret.stat().st_mode & 0o077 == 0
