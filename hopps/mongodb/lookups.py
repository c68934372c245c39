"""Lookups that the backend leaves out. It finds how to ask for one in the lookup itself; so they are written there."""

from typing import Any

from django.db import NotSupportedError
from django.db.models.lookups import IsNull, UUIDTextMixin


def register() -> None:
    """Add them. Other databases look at none of it."""
    IsNull.as_mql_idx = _is_null_in_an_index  # type: ignore[attr-defined]
    UUIDTextMixin.as_mql = _uuid_as_text  # type: ignore[attr-defined]


def _is_null_in_an_index(self: IsNull, compiler: Any, connection: Any) -> dict[str, Any]:
    """`Q(ended_at=None)` as the condition of a constraint."""
    if not self.rhs:
        raise NotSupportedError("MongoDB has no condition for indexes that says a column is not null.")
    return {self.lhs.target.column: {"$eq": None}}


def _uuid_as_text(self: Any, compiler: Any, connection: Any, as_expr: bool = False) -> Any:
    """A part of a UUID, as the admin is searched for it: kept as text without dashes."""
    as_text = next(base for base in type(self).__bases__ if base is not UUIDTextMixin)
    return as_text(self.lhs, str(self.rhs).replace("-", "")).as_mql(compiler, connection, as_expr=as_expr)
