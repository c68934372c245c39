"""All rows from one database into another, of any kind each. Killed at any moment and begun again, it ends right."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.db.models import Model, QuerySet

from hopps.rows.compare import Comparison, compare
from hopps.rows.models import is_behind, rows_by_key, stored_models, unknown_migrations
from hopps.rows.progress import Progress

# Made by migrating, with keys that may be others than the source's: a database with nothing but these counts as empty.
MADE_BY_MIGRATING = {"contenttypes.contenttype", "auth.permission", "auth.group", "auth.group_permissions"}

Say = Callable[[str], None]


class CannotCopy(Exception):
    """Nothing was copied, or not all. The message says why, and what to do."""


def copy_rows(source: str, target: str, *, origin: str, say: Say, restart: bool = False) -> Comparison:
    """Make `target` hold exactly the rows of `source`, and compare them row by row.

    Nobody may write to either meanwhile; what was written to the source all the same is seen by the comparison.

    Args:
        source: the database to read.
        target: the one to write to: empty, or with an unfinished copy from the same source.
        origin: the source's address without its password, by which an unfinished copy is known.
        say: is told how it goes.
        restart: throw away what an unfinished copy brought, and begin again.

    Raises:
        CannotCopy: the source is an unfinished copy itself, the target has rows of its own, a row could not be written, the
            two differ in the end, or one of them has what only a newer release knows.
    """
    _leave_newer_alone(source, target)
    if is_behind(source):
        raise CannotCopy("The source is of an older release: run `manage.py prepare` on it first, with this release.")
    if began := Progress(source).source():
        raise CannotCopy(f"The source is itself an unfinished copy from {began}. Finish that first: run it again.")
    progress = Progress(target)
    under_way = progress.source()
    if under_way is None or (restart and under_way == origin):
        _make_ready(target, is_copy=under_way is not None)
        progress.begin(origin)
    elif under_way != origin:
        raise CannotCopy(f"The target holds an unfinished copy from {under_way}. Finish that, or empty the target.")
    else:
        say("An unfinished copy from there goes on.")
    models = stored_models()
    for model in models:
        _copy_table(model, source, target, progress, say)
    _count_on(models, target)
    _check_references(target)
    found = compare(source, target, say=say)
    if found.differing:
        raise CannotCopy(_words(found, "Stop whoever writes, and run it again with --restart."))
    progress.forget()
    return found


def verify_copy(source: str, target: str, *, say: Say) -> Comparison:
    """Compare two databases row by row, and write nothing.

    Raises CannotCopy where they differ, or one is of another release.
    """
    _leave_newer_alone(source, target)
    if is_behind(source) or is_behind(target):
        raise CannotCopy("One of the two is not of this release, or is empty: run `manage.py prepare` on it first.")
    found = compare(source, target, say=say)
    if found.differing:
        raise CannotCopy(_words(found, "Nothing was changed."))
    return found


def _leave_newer_alone(*databases: str) -> None:
    """A newer release's columns would neither be copied nor compared, and nobody would hear of it."""
    for using in databases:
        if unknown := unknown_migrations(using):
            name = connections[using].settings_dict["NAME"]
            raise CannotCopy(f"{name} has had migrations of a newer release, such as {unknown[0]}: use that for this.")


def _words(found: Comparison, advice: str) -> str:
    """Return in words that two databases differ, and where."""
    more = found.differing - len(found.told)
    return "\n".join(
        [f"The two differ in {found.differing} rows. {advice}", *found.told, *([f"… and {more} more."] if more else [])]
    )


def is_empty(using: str) -> bool:
    """Return whether a database holds no row but what migrating makes."""
    return not any(count for label, count in counts(using).items() if label not in MADE_BY_MIGRATING)


def counts(using: str) -> dict[str, int]:
    """Return how many rows each of our tables has, of those that are there."""
    tables = set(connections[using].introspection.table_names())
    return {
        model._meta.label_lower: QuerySet(model, using=using).count()
        for model in stored_models()
        if model._meta.db_table in tables
    }


def _make_ready(target: str, *, is_copy: bool) -> None:
    if not is_copy and not is_empty(target):
        held = ", ".join(f"{label} {count}" for label, count in counts(target).items() if count)
        raise CannotCopy(f"The target is not empty, and is left as it is. It has: {held}.")
    if is_behind(target):
        call_command("migrate", database=target, verbosity=0, interactive=False)
    call_command("flush", database=target, verbosity=0, interactive=False, inhibit_post_migrate=True)


def _copy_table(model: type[Model], source: str, target: str, progress: Progress, say: Say) -> None:
    label = model._meta.label_lower
    last = progress.last_key(label)
    copied = 0
    for batch in rows_by_key(model, using=source, after=None if last is None else model._meta.pk.to_python(last)):
        # What came just before a kill is there, and not written down.
        there = set(QuerySet(model, using=target).filter(pk__in=[row.pk for row in batch]).values_list("pk", flat=True))
        _write(model, [row for row in batch if row.pk not in there], target)
        progress.keep(label, batch[-1].pk)
        copied += len(batch)
    if copied:
        say(f"copied {label}: {copied} rows")


def _write(model: type[Model], rows: list[Any], target: str) -> None:
    connection = connections[target]
    fields = list(model._meta.concrete_fields)
    at_once = max(1, connection.ops.bulk_batch_size(fields, rows))
    try:
        with transaction.atomic(using=target):
            for start in range(0, len(rows), at_once):
                # Rows as they are: no field makes a value of its own, such as the time of now.
                QuerySet(model, using=target)._insert(  # type: ignore[attr-defined]  # what Django's own loaddata stands on
                    rows[start : start + at_once], fields=fields, using=target, raw=True
                )
    except (DatabaseError, ValueError, OverflowError) as problem:
        raise CannotCopy(f"{_culprit(model, rows, target)} was not taken by the target: {problem}") from problem


def _culprit(model: type[Model], rows: Iterable[Any], target: str) -> str:
    """Return which of the rows the target does not take, by trying each."""
    for row in rows:
        try:
            with transaction.atomic(using=target):
                if not QuerySet(model, using=target).filter(pk=row.pk).exists():
                    QuerySet(model, using=target)._insert(  # type: ignore[attr-defined]
                        [row], fields=list(model._meta.concrete_fields), using=target, raw=True
                    )
        except (DatabaseError, ValueError, OverflowError):
            return f"{model._meta.label_lower} {row.pk}"
    return f"A row of {model._meta.label_lower}"


def _count_on(models: list[type[Model]], target: str) -> None:
    """Let the target's own counters go on after the keys that were brought along."""
    connection = connections[target]
    statements = connection.ops.sequence_reset_sql(no_style(), models)
    if statements:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def _check_references(target: str) -> None:
    try:
        connections[target].check_constraints()
    except IntegrityError as problem:
        raise CannotCopy(f"A row refers to one that is not there: {problem}") from problem
