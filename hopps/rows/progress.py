"""How far a copy is, kept in the database it goes to: a copy that was killed goes on where it was."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.apps.registry import Apps
from django.db import connections, models
from django.db.models import QuerySet


class Copied(models.Model):
    """One table's last copied key, or, with an empty name, where the copy comes from."""

    table = models.CharField(max_length=200, primary_key=True)
    # Keys of all kinds, as text.
    value = models.CharField(max_length=500)

    class Meta:
        # Of no app: there is no migration for it and no content type, and it is there during a copy only.
        apps: ClassVar = Apps()
        app_label = "copying"
        db_table = "hopps_copying"


@dataclass(frozen=True)
class Progress:
    """The progress of the copy into the database `using`."""

    using: str

    def source(self) -> str | None:
        """Return where the copy under way comes from; None where there is none."""
        if Copied._meta.db_table not in connections[self.using].introspection.table_names():
            return None
        found = self._rows().filter(table="").first()
        return found.value if found else None

    def begin(self, source: str) -> None:
        """A copy from `source` begins."""
        self.forget()
        with connections[self.using].schema_editor() as editor:
            editor.create_model(Copied)
        self.keep("", source)

    def last_key(self, table: str) -> str | None:
        """Return the key up to which a table is copied; None where nothing is."""
        found = self._rows().filter(table=table).first()
        return found.value if found else None

    def keep(self, table: str, value: Any) -> None:
        """A table is copied up to this key."""
        self._rows().update_or_create(table=table, defaults={"value": str(value)})

    def forget(self) -> None:
        """The copy is done, or begun again."""
        if Copied._meta.db_table in connections[self.using].introspection.table_names():
            with connections[self.using].schema_editor() as editor:
                editor.delete_model(Copied)

    def _rows(self) -> "QuerySet[Copied]":
        return QuerySet(Copied, using=self.using)
