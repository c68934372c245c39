"""Settings that production starts with, and processes of it."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

from hopps.backups.sealing import new_key as new_backup_key
from hopps.vapid import new_key as new_vapid_key
from tests.live import ROOT

# What is needed, and nothing else: one process, with SQLite.
PRODUCTION = {
    "HOPPS_ENV": "",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "PUBLIC_URL": "https://hopps.example.org",
    "ALLOWED_HOSTS": "hopps.example.org,127.0.0.1",
    "EMAIL_HOST": "mail.example.org",
    "DEFAULT_FROM_EMAIL": "Hopps <hello@hopps.example.org>",
    "OPERATORS_EMAIL": "ops@hopps.example.org",
    "PAYMENTS": "stripe",
    "STRIPE_SECRET_KEY": "sk_live_1",
    "STRIPE_WEBHOOK_SECRETS": "whsec_1",
    "SMS": "twilio",
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_FROM": "+15005550006",
}
# And what a site of several processes has on top: nothing is left to say about it.
COMPLETE = PRODUCTION | {
    "DATABASE_URL": "postgresql://hopps:secret@db.example.org/hopps",
    "REDIS_URL": "redis://redis.example.org/0",
    "VAPID_PRIVATE_KEY": new_vapid_key(),
    "TURN_URLS": "turn:turn.example.org:3478",
    "TURN_SECRET": secrets.token_hex(32),
    "BACKUP_TO": "s3://hopps-backups.example.org/production",
    "BACKUP_KEY": new_backup_key(),
    "METRICS_TOKEN": secrets.token_hex(32),
}


def environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """Return the environment of a process with `settings`, and with none of this one's, that writes to `folder`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"VAR_DIR": str(folder), "STATIC_ROOT": str(ROOT / "staticfiles")} | settings


def run(folder: Path, settings: dict[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with `command` and `settings` until it ends by itself."""
    return subprocess.run(
        [sys.executable, *command],
        env=environment(folder, settings),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
