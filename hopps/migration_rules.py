"""Which migrations the release before can live with: it serves while they run and until the new one has taken over.

Expand first, contract one release later (docs/migrations.md). The rules look at the operations, not at the SQL, so that they
say the same for every database.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import ModelOperation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field, ManyToManyField

Key = tuple[str, str]

# What came before there were rules, by app and name.
RELEASED = Path(__file__).with_name("released_migrations.txt")

# A migration that breaks a rule for a good reason says so in this attribute of its class.
REASON = "safe_because"

NO_DEFAULTS = "MongoDB has no db_default: nothing is filled in there, and inserts fail. Give it null=True"

_HARMLESS = (
    migrations.CreateModel,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    migrations.AlterModelTableComment,
)
_ADVICE: dict[type[Operation], str] = {
    migrations.RemoveField: "the old release still selects it. Stop using it in one release, remove it in the next",
    migrations.RenameField: "the old release knows the old name only. Add the new one, write both, remove the old one later",
    migrations.RenameModel: "the old release knows the old name only",
    migrations.DeleteModel: "the old release still uses it. Stop using it in one release, delete it in the next",
    migrations.AlterModelTable: "the old release knows the old name only",
    migrations.AddConstraint: "the old release may write what it forbids. Keep to it in one release, add it in the next",
    migrations.RemoveConstraint: "the old release decides races by it. Do without it in one release, remove it in the next",
    migrations.AlterUniqueTogether: "the old release may write what it forbids, or decide races by it",
    migrations.RunPython: "say why what it writes, and how long it takes, does not disturb the old release",
    migrations.RunSQL: "say why it does not disturb the old release",
}
# The new kind takes everything that the old one wrote, and the other way round as long as the old release writes.
_WIDER = {
    ("PositiveSmallIntegerField", "PositiveIntegerField"),
    ("PositiveIntegerField", "PositiveBigIntegerField"),
    ("SmallIntegerField", "IntegerField"),
    ("IntegerField", "BigIntegerField"),
    ("CharField", "TextField"),
}


def released() -> set[Key]:
    """Return the migrations that came before there were rules, by app and name."""
    lines = RELEASED.read_text().splitlines()
    return {(app, name) for app, name in (line.split() for line in lines if line and not line.startswith("#"))}


def problems(loader: MigrationLoader, before: Iterable[Key]) -> Iterator[str]:
    """Yield a sentence for each operation that the release before could not live with.

    Args:
        loader: knows all migrations.
        before: the migrations that are not looked at.
    """
    made: set[Key] = set()
    for key in _in_order(loader, set(before)):
        migration = loader.graph.nodes[key]
        state = loader.project_state(key, at_end=False)
        reason = getattr(migration, REASON, "")
        for operation in migration.operations:
            if isinstance(operation, migrations.CreateModel):
                made.add((key[0], operation.name_lower))
            problem = problem_with(operation, key[0], state, made)
            if problem and not reason:
                yield f"{key[0]}.{key[1]}: {operation.describe()}: {problem}."
            operation.state_forwards(key[0], state)


def problem_with(operation: Operation, app: str, state: ProjectState, made: set[Key]) -> str:
    """Return why the old release could not live with `operation`; "" where it could.

    Args:
        state: the models as they are before it.
        made: the models, by app and name in lower case, that the old release does not know.
    """
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        within = (problem_with(part, app, state, made) for part in operation.database_operations)
        return next(filter(None, within), "")
    if isinstance(operation, _HARMLESS) or _model_of(operation, app) in made:
        return ""
    if isinstance(operation, migrations.AddField):
        return _adding(operation.field)
    if isinstance(operation, migrations.AlterField):
        before = state.models[app, operation.model_name_lower].fields[operation.name]
        return _altering(before, operation.field)
    advice = next((words for kind, words in _ADVICE.items() if isinstance(operation, kind)), "")
    return advice or "there is no rule for it"


def _adding(field: Field) -> str:  # type: ignore[type-arg]  # of any kind
    if isinstance(field, ManyToManyField) or getattr(field, "generated", False):
        return ""
    if field.db_default is not NOT_PROVIDED:
        return NO_DEFAULTS
    if field.null:
        return ""
    return "what the old release inserts has no value for it. Give it null=True"


def _altering(before: Field, after: Field) -> str:  # type: ignore[type-arg]
    if after.db_default is not NOT_PROVIDED:
        return NO_DEFAULTS
    changed = _in_the_database(before), _in_the_database(after)
    kinds = type(before).__name__, type(after).__name__
    names = {name for name in changed[0].keys() | changed[1].keys() if changed[0].get(name) != changed[1].get(name)}
    if kinds[0] != kinds[1] and kinds not in _WIDER:
        return f"{kinds[0]} becomes {kinds[1]}, which the old release may not be able to read or write"
    narrower = [name for name in names if not _is_wider(name, changed[0].get(name), changed[1].get(name))]
    if narrower:
        return f"what the old release writes may not fit ({', '.join(sorted(narrower))})"
    return ""


def _in_the_database(field: Field) -> dict[str, object]:  # type: ignore[type-arg]
    """Return what makes up the column, of the field's arguments."""
    _, _, _, arguments = field.deconstruct()
    harmless = (set(field.non_db_attrs) - {"db_column"}) | {"default", "db_index", "auto_now", "auto_now_add"}
    return {name: value for name, value in arguments.items() if name not in harmless}


def _is_wider(name: str, before: object, after: object) -> bool:
    if name == "null":
        return bool(after)
    if name in {"max_length", "max_digits"}:
        # Without one there is no limit.
        return after is None or (isinstance(before, int) and isinstance(after, int) and after > before)
    return False


def _model_of(operation: Operation, app: str) -> Key:
    if isinstance(operation, ModelOperation):
        return app, operation.name_lower
    return app, getattr(operation, "model_name", "").lower()


def _in_order(loader: MigrationLoader, before: set[Key]) -> list[Key]:
    order: dict[Key, None] = {}
    for leaf in loader.graph.leaf_nodes():
        order |= dict.fromkeys(loader.graph.forwards_plan(leaf))
    return [key for key in order if key not in before]
