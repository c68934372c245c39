"""People as operators see them, and who of them is an operator. Nobody gives a right here that they do not have."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string

from accounts import admin_messages, mail_address
from accounts.admin_second_factor import SecondFactorAdmin
from accounts.admin_suspending import SuspendingAdmin, SuspensionInline
from accounts.http import browser_of, signed_in
from accounts.models import User
from accounts.permissions import Do, may
from accounts.sign_in import devices
from accounts.templatetags.people import avatar
from hopps.admin_parts import SaysWhatChanged

# What only an owner changes: how a person signs in, and rights one by one.
OF_OWNERS = ("email", "is_superuser", "user_permissions")


class PersonForm(UserChangeForm[User]):
    """A person. Groups of operators are for operators."""

    def clean_email(self) -> str:
        """Return the address as all are kept: in lower case."""
        email: str = self.cleaned_data["email"]
        return email.lower()

    def clean(self) -> dict[str, Any]:
        """Refuse a group for somebody who cannot sign in to the admin."""
        said = super().clean() or self.cleaned_data
        if said.get("groups") and not said.get("is_staff"):
            self.add_error("groups", "Groups are for operators. Tick “operator” too, or take the groups away.")
        return said


@admin.register(User)
class PersonAdmin(SuspendingAdmin, SecondFactorAdmin, SaysWhatChanged, UserAdmin[User]):
    """People. They are suspended, never deleted: money and sessions hang on them."""

    form = PersonForm
    list_display = ("email", "display_name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email", "display_name")
    ordering = ("-date_joined",)
    readonly_fields = ("photo", "standing", "date_joined", "last_login", "second_step")
    fieldsets = (
        (None, {"fields": ("photo", "email", "display_name", "time_zone")}),
        ("May", {"fields": ("standing", "is_staff", "groups")}),
        ("Sign-in", {"fields": ("second_step",)}),
        ("When", {"fields": ("date_joined", "last_login")}),
    )
    owners_fieldsets = (
        (None, {"fields": ("photo", "email", "password", "display_name", "time_zone")}),
        ("May", {"fields": ("standing", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Sign-in", {"fields": ("second_step",)}),
        ("When", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "display_name", "usable_password", "password1", "password2")}),
    )
    inlines = (SuspensionInline, admin_messages.PhoneInline, admin_messages.TextConsentInline)

    @admin.display(description="photo")
    def photo(self, person: User) -> str:
        """The person's photo, or their initials."""
        return render_to_string("components/avatar.html", avatar(person, alt=f"Photo of {person}"))

    # --- who may what ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Do.OWN)  # people sign up themselves

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Nobody comes back from a deleted account.
        return may(request.user, Do.EDIT_PEOPLE, obj) and (obj is None or obj.erased_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is not None and may(request.user, Do.OWN):
            return self.owners_fieldsets
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        mine = () if may(request.user, Do.OWN) else OF_OWNERS
        return (*self.readonly_fields, *mine)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelMultipleChoiceField[Model] | None:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.queryset = Group.objects.filter(pk__in=[group.pk for group in _given_by(signed_in(request))])
            field.help_text = "What operators may do: Support reads all, answers and gives back a little; Manager does all."
        return field

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Set a person's password: for owners. Everybody else asks for a new one by mail."""
        if not may(request.user, Do.OWN):
            raise PermissionDenied
        answer = super().user_change_password(request, id, form_url)
        if isinstance(answer, HttpResponseRedirect):
            _end_sign_ins(request, User.objects.get(pk=id))
        return answer

    # --- saving ---

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save; a new address takes the place of the old one, which opens the account no more."""
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            mail_address.replace(user=obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the groups; one that this operator cannot give stays, as they cannot take it either."""
        person: User = form.instance
        stay = set(person.groups.all()) - set(_given_by(signed_in(request)))
        super().save_related(request, form, formsets, change)
        person.groups.add(*stay)


def _end_sign_ins(request: HttpRequest, person: User) -> None:
    """Another password was set: whoever was signed in with the old one is not any more, in open pages either."""
    mine = person == request.user
    devices.sign_out_others(
        user=person,
        keep=request.session.session_key if mine else None,
        browser=browser_of(request) if mine else None,
    )


def _given_by(operator: User) -> list[Group]:
    """Return the groups this operator may put people into."""
    return [group for group in Group.objects.all() if may(operator, Do.GIVE_GROUP, group)]
