"""Production does not start by mistake with what is meant for trying out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "HOPPS_ENV": "",
    "SECRET_KEY": "s" * 60,
    "EMAIL_HOST": "mail.example.org",
    "PUBLIC_URL": "https://hopps.example.org",
    "PAYMENTS": "stripe",
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_WEBHOOK_SECRETS": "whsec_1",
    "SMS": "twilio",
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_FROM": "+15005550006",
}


def start(tmp_path: Path, **environment: str) -> str:
    """Return what Python says when the settings are read; empty when they are fine."""
    done = subprocess.run(
        [sys.executable, "-c", "import hopps.settings"],
        env={**os.environ, "VAR_DIR": str(tmp_path), **environment},
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stderr


def test_production_starts_when_everything_is_set(tmp_path: Path) -> None:
    assert start(tmp_path, **PRODUCTION) == ""
    keys = {"TWILIO_API_KEY_SID": "SK1", "TWILIO_API_KEY_SECRET": "secret"}
    assert start(tmp_path, **PRODUCTION, **keys, VIDEO="twilio") == ""


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("PAYMENTS", "demo", "moves no real money"),
        ("PAYMENTS", "barter", "PAYMENTS must be demo or stripe, not 'barter'"),
        ("STRIPE_SECRET_KEY", "", "needs STRIPE_SECRET_KEY"),
        ("STRIPE_WEBHOOK_SECRETS", "", "STRIPE_WEBHOOK_SECRETS"),
        ("SMS", "console", "to nobody's phone: set SMS to sns or twilio"),
        ("SMS", "", "to nobody's phone: set SMS to sns or twilio"),
        ("SMS", "pigeon", "SMS must be console or sns or twilio, not 'pigeon'"),
        ("SMS_MAX_PRICE_USD", "0,20", "must be a price such as 0.20, not '0,20'"),
        ("TWILIO_ACCOUNT_SID", "", "SMS=twilio needs TWILIO_ACCOUNT_SID"),
        ("TWILIO_AUTH_TOKEN", "", "SMS=twilio needs"),
        ("TWILIO_FROM", "", "SMS=twilio needs"),
        ("PUBLIC_URL", "", "PUBLIC_URL is not set"),
        ("TAX_PERCENT", "much", "must be a percentage"),
        ("TAX_PERCENT", "nan", "must be a percentage"),
        ("TAX_PERCENT", "101", "must be a percentage"),
        ("TAX_PERCENT", "8.125", "must be a percentage"),
        ("EMAIL_HOST", "", "EMAIL_HOST is not set"),
        ("EMAIL_PORT", "many", "must be a whole number"),
        ("PLATFORM_FEE_PERCENT", "101", "PLATFORM_FEE_PERCENT must be a whole number from 0 to 100, not '101'"),
        ("REPORT_HOURS", "-1", "REPORT_HOURS must be a whole number from 0 to 8760, not '-1'"),
        ("VIDEO", "twilio", "VIDEO=twilio needs TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_API_KEY_SID"),
        ("VIDEO", "smoke", "VIDEO must be peer or twilio, not 'smoke'"),
        ("VIDEO_FALLBACK", "perhaps", "must be 1 or 0"),
        ("SECURE_SSL_REDIRECT", "perhaps", "must be 1 or 0"),
        ("STUN_URLS", "stun.example.org:3478", "STUN_URLS takes addresses such as stun:stun.example.org:3478"),
        ("STUN_URLS", "stun:a.example.org,http://b.example.org", "not 'http://b.example.org'"),
        ("TURN_URLS", "turn:turn.example.org", "TURN_URLS needs TURN_SECRET"),
        ("TURN_URLS", "stun:turn.example.org", "TURN_URLS takes addresses such as turn:turn.example.org:3478"),
        ("TURN_ONLY", "1", "TURN_ONLY needs TURN_URLS"),
        ("TURN_SECONDS", "5", "TURN_SECONDS must be a whole number of at least 20"),
    ],
)
def test_production_refuses_what_is_meant_for_trying_out(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    assert sentence in start(tmp_path, **{**PRODUCTION, name: value})


def test_the_development_secret_is_made_once_and_is_for_the_owner_only(tmp_path: Path) -> None:
    for _ in range(2):
        assert start(tmp_path, HOPPS_ENV="development", SECRET_KEY="") == ""
    secret = tmp_path / "development-secret"
    assert len(secret.read_text()) > 50
    assert secret.stat().st_mode & 0o077 == 0
