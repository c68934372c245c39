"""What the admin pages of several apps share: rows to look at, written by rules and by nobody else."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest


class ReadOnly:
    """Looking only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ShownFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Rows that are shown and nothing more: what a page sends of them, which is nothing, is not read."""

    def __init__(self, data: Any = None, files: Any = None, **others: Any) -> None:
        super().__init__(None, None, **others)

    def is_valid(self) -> bool:
        return True

    def save(self, commit: bool = True) -> list[Any]:
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []
        return []


class ReadOnlyInline(ReadOnly, admin.TabularInline[Any, Any]):
    """Rows of the object shown, as a plain table. `related` names what its columns read, fetched along."""

    template = "admin/readonly_inline.html"
    formset = ShownFormSet
    related: ClassVar[tuple[str, ...]] = ()
    extra = 0
    can_delete = False
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows


class SaysWhatChanged(admin.ModelAdmin[Any]):
    """The admin's log keeps what stood there before and after, and not only which fields were changed."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        # A new row stands there as it was made; the form of a new password is no form of the row.
        if add or not isinstance(form, ModelForm) or not form.changed_data:
            return super().construct_change_message(request, form, formsets, add)
        return changes_in_words(form)


def changes_in_words(form: ModelForm[Any]) -> str:
    """Return what a form changed, with what stood there before, such as "Price per minute: 200 → 250."."""
    return " ".join(
        f"{form.fields[name].label or name}: {_shown(form.get_initial_for_field(form.fields[name], name))} → "
        f"{_shown(form.cleaned_data.get(name))}."
        for name in form.changed_data
    )


def _shown(value: object) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, QuerySet | list | tuple | set):
        return ", ".join(sorted(str(one) for one in value)) or "none"
    return "none" if value is None or value == "" else str(value)
