"""Which operations of a migration the release before can live with, and which not."""

from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from hopps.migration_rules import problem_with, problems, released

APP = "shop"


def state() -> ProjectState:
    """One model that the old release knows, and one that it does not."""
    known = ProjectState()
    for name in ("Order", "Fresh"):
        fields: list[tuple[str, Any]] = [
            ("id", models.UUIDField(primary_key=True)),
            ("title", models.CharField(max_length=80, choices=[("a", "A")])),
            ("note", models.CharField(max_length=80, null=True)),
            ("count", models.PositiveSmallIntegerField()),
            ("key", models.CharField(max_length=20, unique=True)),
        ]
        known.add_model(ModelState(APP, name, fields))
    return known


def verdict(operation: Operation) -> str:
    return problem_with(operation, APP, state(), {(APP, "fresh")})


def add(field: Any, model: str = "order") -> Operation:
    return migrations.AddField(model, "extra", field)


def alter(name: str, field: Any) -> Operation:
    return migrations.AlterField("order", name, field)


ONE = models.UniqueConstraint(fields=["title"], name="one_title")


@pytest.mark.parametrize(
    "operation",
    [
        migrations.CreateModel("Other", [("id", models.UUIDField(primary_key=True))]),
        add(models.IntegerField(null=True)),
        add(models.CharField(max_length=5, unique=True, null=True)),
        add(models.ManyToManyField("shop.fresh")),
        add(models.IntegerField(default=0), model="fresh"),
        migrations.AddIndex("order", models.Index(fields=["title"], name="by_title")),
        migrations.RemoveIndex("order", "by_title"),
        migrations.AddConstraint("fresh", ONE),
        migrations.RemoveField("fresh", "title"),
        alter("title", models.CharField(max_length=200, choices=[("a", "A"), ("b", "B")], blank=True, default="a")),
        alter("title", models.CharField(max_length=80, null=True)),
        alter("title", models.TextField()),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("order", "title")]),
    ],
    ids=lambda operation: operation.describe(),
)
def test_the_old_release_can_live_with(operation: Operation) -> None:
    assert verdict(operation) == ""


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (add(models.IntegerField()), "Give it null=True"),
        (add(models.IntegerField(default=0)), "Give it null=True"),
        (add(models.IntegerField(db_default=0)), "MongoDB has no db_default"),
        (add(models.IntegerField(db_default=0, null=True)), "MongoDB has no db_default"),
        (alter("count", models.PositiveIntegerField(db_default=0)), "MongoDB has no db_default"),
        (migrations.RemoveField("order", "title"), "still selects it"),
        (migrations.RenameField("order", "title", "name"), "old name"),
        (migrations.RenameModel("Order", "Purchase"), "old name"),
        (migrations.DeleteModel("Order"), "still uses it"),
        (migrations.AlterModelTable("order", "orders"), "old name"),
        (migrations.AddConstraint("order", ONE), "may write what it forbids"),
        (migrations.RemoveConstraint("order", "one_title"), "decides races by it"),
        (migrations.RunPython(migrations.RunPython.noop), "say why"),
        (migrations.RunSQL("SELECT 1"), "say why"),
        (alter("title", models.CharField(max_length=20)), "may not fit (max_length)"),
        (alter("note", models.CharField(max_length=80)), "may not fit (null)"),
        (alter("count", models.CharField(max_length=80)), "becomes CharField"),
        (alter("title", models.CharField(max_length=80, db_column="name")), "may not fit (db_column)"),
        (alter("key", models.CharField(max_length=20)), "may not fit (unique)"),
        (migrations.SeparateDatabaseAndState(database_operations=[migrations.DeleteModel("Order")]), "still uses it"),
    ],
    ids=lambda part: part.describe() if isinstance(part, Operation) else "",
)
def test_the_old_release_cannot_live_with(operation: Operation, why: str) -> None:
    assert why in verdict(operation)


def test_a_migration_that_says_why_it_is_safe_is_let_through() -> None:
    loader = MigrationLoader(None)
    key = ("sessions_app", "0006_file_numbers")
    migration = loader.graph.nodes[key]
    migration.operations = [migrations.RemoveField("ChatFile", "name")]
    before = released() - {key}

    assert [sentence for sentence in problems(loader, before) if key[1] in sentence]
    migration.safe_because = "The release before does not read it."
    assert not [sentence for sentence in problems(loader, before) if key[1] in sentence]
