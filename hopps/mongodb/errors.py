"""The driver's errors in Django's words, so that callers tell "nobody there" from "not allowed" on every database alike."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, IntegrityError, OperationalError
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)

_DUPLICATE = 11000
_OUT_OF_REACH = "MongoDB cannot be reached, or gave no answer in time"
_NOT_LET_IN = "MongoDB does not let us in: check the user, the password and authSource in DATABASE_URL."
_AUTHENTICATION_FAILED = {13, 18}


@contextmanager
def in_djangos_words() -> Iterator[None]:
    """Raise the driver's errors as Django's.

    Raises:
        IntegrityError: a unique index already has the value.
        OperationalError: no server answered in time, or it did not let us in; what was asked may have been done.
        DatabaseError: anything else the server refused.
    """
    try:
        yield
    except PyMongoError as problem:
        raise translated(problem) from problem
    except DatabaseError as problem:
        # The backend has caught it, as one kind for all.
        cause = problem.__cause__
        if isinstance(cause, PyMongoError) and type(better := translated(cause)) is not DatabaseError:
            raise better from cause
        raise


def translated(problem: PyMongoError) -> DatabaseError:
    """Return Django's error for one of the driver's."""
    if isinstance(problem, DuplicateKeyError) or _has_duplicate(problem):
        return IntegrityError(str(problem))
    if isinstance(problem, OperationFailure) and problem.code in _AUTHENTICATION_FAILED:
        return OperationalError(_NOT_LET_IN)
    # `timeout` is also set on what took longer than the address's timeoutMS.
    if isinstance(problem, ConnectionFailure | AutoReconnect | ConfigurationError) or problem.timeout:
        return OperationalError(f"{_OUT_OF_REACH}: {_briefly(problem)}")
    return DatabaseError(str(problem))


def _briefly(problem: PyMongoError) -> str:
    """Return what happened, without the driver's list of time-outs and servers."""
    return str(problem).partition(" (configured timeouts")[0].partition(", Timeout:")[0]


def _has_duplicate(problem: PyMongoError) -> bool:
    return isinstance(problem, BulkWriteError) and any(
        error.get("code") == _DUPLICATE for error in (problem.details or {}).get("writeErrors", [])
    )
