"""Views for everybody. All others say which right they need (`accounts.http.allowed`); a test looks that each does."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def for_everybody(view: View) -> View:
    """Say that a view is for whoever comes, signed in or not; or that it asks by itself, as those of other services do."""
    view.asks = None  # type: ignore[attr-defined]
    return view
