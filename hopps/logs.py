"""What is logged, and with whose name on it: each line carries the request, socket and job it came from.

Lines are JSON where a machine reads them (LOG_FORMAT=json, the default in production), and plain for a person. What nobody
must read there is taken out last, whoever wrote it: mail addresses, phone numbers, and what opens doors.
"""

import contextlib
import json
import logging
import re
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime

# What is known of whatever runs now. One dict a request, socket message or job: the threads it uses write into the same.
_known: ContextVar[dict[str, str] | None] = ContextVar("known", default=None)

# An id that somebody else gave is taken over only where it can break no line and no file name.
SANE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

_OPENS_DOORS = r"(?i)((?:token|secret|password|authorization|signature|api_key)[\"']?[=:] ?[\"']?)[^\s\"'&,]{6,}"
_HIDDEN = (
    # The address of a database or of Redis.
    (re.compile(r"(?<=://)[^/\s@]*:[^/\s@]*@"), "(secret)@"),
    (re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"), "(mail address)"),
    # As numbers are stored, E.164, also where the + was written as %2B.
    (re.compile(r"(\+|%2B)[1-9][0-9]{6,14}\b"), "(phone number)"),
    (re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]{6,}"), r"\1 (secret)"),
    (re.compile(_OPENS_DOORS), r"\1(secret)"),
    # Stripe's keys, and what it gives to a page; JWTs; the address that sets a new password.
    (re.compile(r"\b(sk|rk|whsec)_(live_|test_)?[A-Za-z0-9]{8,}"), r"\1_(secret)"),
    (re.compile(r"_secret_\w{6,}"), "_secret_(secret)"),
    # What opens backups.
    (re.compile(r"AGE-SECRET-KEY-\w+"), "(secret)"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"), "(secret)"),
    (re.compile(r"(/reset/key/)[^/\s\"']+"), r"\1(secret)"),
)


def new_id() -> str:
    """Return an id for a request, socket or job that has none."""
    return uuid.uuid4().hex


def known() -> dict[str, str]:
    """Return what is known of whatever runs now, such as {"request": …, "person": …}: a copy."""
    return dict(_known.get() or {})


@contextlib.contextmanager
def about(**what: str) -> Iterator[dict[str, str]]:
    """Put `what`, and nothing else, on every line until the end of the block. Yields the dict `note` adds to."""
    mine = dict(what)
    token = _known.set(mine)
    try:
        yield mine
    finally:
        _known.reset(token)


def note(**what: str) -> None:
    """Add `what` to that which is known; nothing happens outside of a request, socket or job."""
    mine = _known.get()
    if mine is not None:
        mine.update(what)


def without_secrets(text: str) -> str:
    """Return `text` without mail addresses, phone numbers, and what opens doors."""
    for what, instead in _HIDDEN:
        text = what.sub(instead, text)
    return text


class Known(logging.Filter):
    """Puts what is known on each record. Belongs to the handler: filters of loggers are not asked for others' records."""

    def filter(self, record: logging.LogRecord) -> bool:
        all_known = known() | getattr(record, "fields", {})
        record.known = all_known
        record.request = all_known.get("request", "-")[:8]
        return True


class SafeLine(logging.Formatter):
    """A line for a person, of which nothing secret can be read."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JsonLine(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, what is known, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            **getattr(record, "known", {}),
        }
        if record.exc_info:
            line["exception"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)
