"""How values are written to MongoDB and read back."""

from typing import Any

from bson import Int64
from django_mongodb_backend.operations import DatabaseOperations as MongoOperations

AUTO_FIELDS = ("AutoField", "BigAutoField", "SmallAutoField")


class DatabaseOperations(MongoOperations):  # type: ignore[misc]
    """The backend's, with integer keys."""

    compiler_module = "hopps.mongodb.compiler"

    def validate_autopk_value(self, value: Any) -> Any:
        """Store keys, and what points at them, as 64 bits, also where the number is small."""
        return Int64(value) if isinstance(value, int | str) else value

    def get_db_converters(self, expression: Any) -> list[Any]:
        """Read keys back as Python's int."""
        converters: list[Any] = super().get_db_converters(expression)
        if expression.output_field.get_internal_type() in AUTO_FIELDS:
            converters.append(self.convert_integerfield_value)
        return converters

    def prep_for_iexact_query(self, x: str) -> str:
        """Take what is looked for literally: the backend would read "a.b+c@example.org" as a regular expression."""
        return str(self.prep_for_like_query(x))
