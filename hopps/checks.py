"""What must hold for Hopps to start: Django system checks, said all at once, each with what to do about it.

`manage.py` asks them before most commands, `prepare`, `migrate` and the worker among them; the web process asks them in
hopps.asgi. What is about money is in billing/checks.py, what is about calls in sessions_app/checks.py. docs/runbook.md lists
them all.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Doubt
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from hopps.backups.sealing import problem_with as problem_with_backup_key
from hopps.vapid import problem_with as problem_with_vapid_key

logger = logging.getLogger(__name__)

# The checks that decide whether a process starts.
STARTING = "starting"
# Django's own measure of a SECRET_KEY (security.W009).
SECRET_KEY_LETTERS, SECRET_KEY_UNIQUE_LETTERS = 50, 5
# A token of openssl rand -hex 32 has 64.
TOKEN_LETTERS = 20
# What keys are called in files that anybody can read: Django's own templates, and this repository.
PUBLIC_BEGINNINGS = ("django-insecure-", "only-for-tests", "changeme")
NOBODYS_MAIL = ("console", "dummy", "filebased", "locmem")


def stop_where_unfit() -> None:
    """End the process (exit code 1, the sentences on stderr) where a check finds an error; log what is doubtful."""
    found = sorted(checks.run_checks(tags=[STARTING]), key=lambda message: message.id or "")
    errors = [message for message in found if message.is_serious() and not message.is_silenced()]
    if errors:
        sys.exit("\n".join(["Hopps does not start:", *(f"{one.id}: {one.msg} {one.hint or ''}".rstrip() for one in errors)]))
    for message in found:
        if not message.is_silenced():
            logger.warning("%s: %s %s", message.id, message.msg, message.hint or "")


def lacking(wanted_by: str, names: tuple[str, ...], *, id: str) -> Iterator[CheckMessage]:  # noqa: A002  as Error names it
    """Yield an error where one of the settings `names`, which `wanted_by` needs, is empty."""
    missing = [name for name in names if not getattr(settings, name)]
    if missing:
        yield Error(f"{wanted_by} needs {', '.join(missing)}.", hint="The provider's own pages show them.", id=id)


def wrong_kind(kinds: Mapping[str, tuple[str, ...]], *, id: str) -> Iterator[CheckMessage]:  # noqa: A002
    """Yield an error for each setting that begins with none of its `kinds`; an empty one is another's to tell."""
    for name, beginnings in kinds.items():
        value = getattr(settings, name)
        if any(not one.startswith(beginnings) for one in ([value] if isinstance(value, str) else value) if one):
            hint = "Perhaps two of them were exchanged."
            yield Error(f"{name} is of the wrong kind: it begins with {' or '.join(beginnings)}.", hint=hint, id=id)


def elsewhere(*names: str, id: str) -> Iterator[CheckMessage]:  # noqa: A002
    """Yield an error for each address of a provider, such as STRIPE_API_BASE, that a stand-in could have."""
    for name in names:
        if not settings.DEVELOPMENT and not getattr(settings, name).startswith("https://"):
            yield Error(f"{name} is no https address: a stand-in, not the provider.", hint="Leave it unset.", id=id)


@checks.register(STARTING)
def check_secret_key(**_: Any) -> list[CheckMessage]:
    """What signs sessions is there, long, and nobody else's."""
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:  # Django's way to say that it is empty
        hint = "Make one: openssl rand -base64 48. To try Hopps on your own machine: HOPPS_ENV=development."
        return [Error("SECRET_KEY is not set.", hint=hint, id="hopps.E001")]
    if settings.DEVELOPMENT:
        return []
    hint = "Make one: openssl rand -base64 48."
    if key.startswith(PUBLIC_BEGINNINGS) or _is_of_development("secret", key):
        return [Error("SECRET_KEY is one for development: others may know it.", hint=hint, id="hopps.E003")]
    if len(key) < SECRET_KEY_LETTERS or len(set(key)) < SECRET_KEY_UNIQUE_LETTERS:
        return [Error(f"SECRET_KEY can be guessed: it wants {SECRET_KEY_LETTERS} letters.", hint=hint, id="hopps.E002")]
    return []


@checks.register(STARTING)
def check_debug(**_: Any) -> list[CheckMessage]:
    """No visitor is shown code and settings."""
    if settings.DEBUG and not settings.DEVELOPMENT:
        return [Error("DEBUG shows visitors code and settings.", hint="Leave DEBUG unset.", id="hopps.E004")]
    return []


@checks.register(STARTING)
def check_addresses(**_: Any) -> Iterator[CheckMessage]:
    """People come to the site they were sent to, over TLS."""
    if settings.DEVELOPMENT:
        return
    url, hosts = urlsplit(settings.PUBLIC_URL), settings.ALLOWED_HOSTS
    example = "Set it to where people reach this site, such as https://hopps.example.org."
    if not settings.PUBLIC_URL:
        yield Error(
            "PUBLIC_URL is not set: mails, texts and banks could not send people here.", hint=example, id="hopps.E005"
        )
    elif url.scheme != "https" or not url.hostname:
        yield Error("PUBLIC_URL is no https address: passwords would travel in the open.", hint=example, id="hopps.E006")
    if not hosts or "*" in hosts:
        hint = "Name the hosts people reach this site by, with commas between them."
        yield Error("ALLOWED_HOSTS is empty or allows every name.", hint=hint, id="hopps.E007")
    elif url.hostname and not validate_host(url.hostname, hosts):
        hint = f"Add {url.hostname} to ALLOWED_HOSTS, or mend PUBLIC_URL."
        yield Error("PUBLIC_URL leads to a host that ALLOWED_HOSTS refuses.", hint=hint, id="hopps.E008")


@checks.register(STARTING)
def check_mail(**_: Any) -> Iterator[CheckMessage]:
    """Mails reach a mailbox, and operators hear of problems."""
    if settings.DEVELOPMENT:
        return
    server = "Set EMAIL_HOST, and leave EMAIL_BACKEND unset."
    if any(f".{name}." in settings.EMAIL_BACKEND for name in NOBODYS_MAIL):
        yield Error("Sign-up codes would go to nobody's mailbox.", hint=server, id="hopps.E010")
    elif settings.EMAIL_BACKEND.endswith("smtp.EmailBackend") and not settings.EMAIL_HOST:
        yield Error("EMAIL_HOST is not set.", hint=server, id="hopps.E011")
    if parseaddr(settings.DEFAULT_FROM_EMAIL)[1].endswith((".test", ".invalid", "@localhost")):
        hint = "Set it to a sender of your own, such as Hopps <hello@hopps.example.org>."
        yield Error("DEFAULT_FROM_EMAIL is no sender that mail servers take.", hint=hint, id="hopps.E012")
    if not settings.MANAGERS:
        hint = "Set it to who looks after the site, with commas between several."
        yield Error("OPERATORS_EMAIL is not set: nobody would hear of problems.", hint=hint, id="hopps.E013")


@checks.register(STARTING)
def check_texts(**_: Any) -> Iterator[CheckMessage]:
    """Texts reach a phone: SMS has a sender, and the sender its keys."""
    twilio = "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"
    if settings.SMS == "console" and not settings.DEVELOPMENT:
        hint = "Set SMS to sns or twilio."
        yield Error("SMS=console writes texts to the log and to nobody's phone.", hint=hint, id="hopps.E020")
    if settings.SMS == "twilio":
        yield from lacking("SMS=twilio", twilio, id="hopps.E021")
        yield from elsewhere("TWILIO_API_BASE", id="hopps.E024")
        if not settings.DEVELOPMENT:
            yield from wrong_kind({"TWILIO_ACCOUNT_SID": ("AC",), "TWILIO_FROM": ("+", "MG")}, id="hopps.E022")
    if settings.SMS == "sns" and not settings.DEVELOPMENT:
        # As hopps.sms.sns and boto3 read them; a key may come from the machine's role: then there is neither half of it.
        if not os.environ.get("AWS_REGION"):
            yield Error("SMS=sns needs AWS_REGION.", hint="Such as eu-central-1.", id="hopps.E023")
        halves = [bool(os.environ.get(name)) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
        if any(halves) and not all(halves):
            hint = "Set both, or neither where the machine has a role."
            yield Error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together.", hint=hint, id="hopps.E023")


@checks.register(STARTING)
def check_processes(**_: Any) -> Iterator[CheckMessage]:
    """Several processes have a database and a way to speak that are made for several."""
    if settings.DEVELOPMENT:
        return
    several = bool(settings.REDIS_URL) or not settings.JOBS_IN_WEB_PROCESS
    database = "Set DATABASE_URL to PostgreSQL or MongoDB (`manage.py copy_database` takes the rows along)"
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        if several:
            hint = f"{database}, or leave REDIS_URL and JOBS_IN_WEB_PROCESS unset."
            yield Error("SQLite is a file: it serves one process, and here are several.", hint=hint, id="hopps.E030")
        else:
            yield Doubt("SQLite serves one process on one machine.", hint=f"To grow: {database}.", id="hopps.W030")
    if several and not settings.REDIS_URL:
        hint = "Set REDIS_URL, or leave JOBS_IN_WEB_PROCESS unset."
        yield Error("A worker of its own cannot reach the pages without Redis.", hint=hint, id="hopps.E031")


@checks.register(STARTING)
def check_notifications(**_: Any) -> Iterator[CheckMessage]:
    """Notifications are signed with a key of our own, or off."""
    key, hint = (
        settings.VAPID_PRIVATE_KEY,
        "`manage.py vapid` prints a key. Keep it: with another, people turn them on anew.",
    )
    if problem := problem_with_vapid_key(key, settings.VAPID_SUBJECT):
        yield Error(problem, id="hopps.E040")
    elif settings.DEVELOPMENT:
        return
    elif not key:
        yield Doubt("VAPID_PRIVATE_KEY is not set: notifications are off.", hint=hint, id="hopps.W040")
    elif _is_of_development("vapid-key", key):
        yield Error("VAPID_PRIVATE_KEY is the one of development.", hint=hint, id="hopps.E041")


@checks.register(STARTING)
def check_relay(**_: Any) -> Iterator[CheckMessage]:
    """A relay for calls has its secret, and is there where it is the only way."""
    urls = "Set TURN_URLS, or make TURN_ONLY 0."
    if settings.TURN_URLS and not settings.TURN_SECRET:
        yield Error("TURN_URLS needs TURN_SECRET, the relay's static-auth-secret.", hint="Set it.", id="hopps.E042")
    if settings.TURN_ONLY and not settings.TURN_URLS:
        yield Error("TURN_ONLY needs TURN_URLS: with nothing but a relay, no call connects.", hint=urls, id="hopps.E043")
    if not (settings.TURN_URLS or settings.DEVELOPMENT):
        hint = "Set TURN_URLS and TURN_SECRET."
        yield Doubt("There is no relay: calls from behind many offices' firewalls fail.", hint=hint, id="hopps.W042")


@checks.register(STARTING)
def check_backups(**_: Any) -> Iterator[CheckMessage]:
    """Backups are made, and sealed with a key of our own."""
    hint = "`manage.py backup --new-key` prints one. Keep it somewhere else, too."
    if not settings.BACKUP_TO:
        yield Doubt("BACKUP_TO is not set: there are no backups.", hint="Set BACKUP_TO and BACKUP_KEY.", id="hopps.W050")
    elif problem := problem_with_backup_key(settings.BACKUP_KEY):
        yield Error(problem, hint=hint, id="hopps.E050")
    elif not settings.DEVELOPMENT and _is_of_development("backup-key", settings.BACKUP_KEY):
        yield Error("BACKUP_KEY is the one of development.", hint=hint, id="hopps.E051")


@checks.register(STARTING)
def check_operators(**_: Any) -> Iterator[CheckMessage]:
    """Whoever sees everything proves it is them; figures are for who has the token."""
    if settings.DEVELOPMENT:
        return
    if not getattr(settings, "SECOND_FACTOR_FOR_OPERATORS", True):
        hint = "Leave SECOND_FACTOR_FOR_OPERATORS unset."
        yield Error("Operators could sign in with a password alone.", hint=hint, id="hopps.E060")
    token, hint = settings.METRICS_TOKEN, "Make one: openssl rand -hex 32."
    if not token:
        yield Doubt("METRICS_TOKEN is not set: nobody may read /metrics, and no alert comes.", hint=hint, id="hopps.W061")
    elif len(token) < TOKEN_LETTERS:
        yield Error("METRICS_TOKEN can be guessed.", hint=hint, id="hopps.E061")


def _is_of_development(name: str, key: str) -> bool:
    """Return whether `key` is what development keeps in VAR_DIR: it may have been copied with the folder."""
    try:
        return (Path(settings.VAR_DIR) / f"development-{name}").read_text() == key
    except OSError:
        return False
