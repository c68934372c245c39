"""What is logged, and with whose name on it: each line carries the request, socket and job it came from.

Lines are JSON where a machine reads them (LOG_FORMAT=json, the default in production), and plain for a person. What nobody
must read there is taken out last, whoever wrote it (hopps.redaction). What other libraries say below a warning is not
written at all, whatever LOG_LEVEL says: they tell of requests and answers, with what is in them.
"""

import contextlib
import json
import logging
import re
import sys
import threading
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from hopps.redaction import without_secrets

logger = logging.getLogger(__name__)

# What is known of whatever runs now. One dict a request, socket message or job: the threads it uses write into the same.
_known: ContextVar[dict[str, str] | None] = ContextVar("known", default=None)

# An id that somebody else gave is taken over only where it can break no line and no file name.
SANE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


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
        return without_secrets(super().format(_put_together(record)))


class JsonLine(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, what is known, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        said = {"message": _put_together(record).getMessage(), **getattr(record, "known", {})}
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            **{name: without_secrets(value) if isinstance(value, str) else value for name, value in said.items()},
        }
        return json.dumps(line, ensure_ascii=False, default=lambda other: without_secrets(str(other)))


def log_what_nobody_caught() -> None:
    """Have errors that nobody caught, and warnings, written as lines of the log: Python itself would show all they say."""
    logging.captureWarnings(True)

    def caught(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, problem, trace)
        else:
            logger.critical("Nobody caught an error", exc_info=(kind, problem, trace))

    def caught_in_thread(what: threading.ExceptHookArgs) -> None:
        if what.exc_value is not None and not issubclass(what.exc_type, SystemExit):
            caught(what.exc_type, what.exc_value, what.exc_traceback)

    def caught_by_nobody(what: Any) -> None:
        if what.exc_value is not None:
            caught(what.exc_type, what.exc_value, what.exc_traceback)

    sys.excepthook = caught
    threading.excepthook = caught_in_thread
    sys.unraisablehook = caught_by_nobody


def _put_together(record: logging.LogRecord) -> logging.LogRecord:
    """Return `record` with words that fit together: where they do not, logging would print what they were to hold."""
    try:
        record.getMessage()
    except (TypeError, ValueError, KeyError):
        record.msg, record.args = f"(these words do not fit what they were to hold) {record.msg}", ()
    return record
