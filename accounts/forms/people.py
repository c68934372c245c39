"""Forms about people."""

import zoneinfo

from django import forms
from django.http import HttpRequest

from accounts.models import User


def known_time_zone(name: str) -> str:
    """Return `name` where it is a time zone we know, else UTC."""
    return name if name in zoneinfo.available_timezones() else "UTC"


class SignupForm(forms.Form):
    """What we ask beside allauth's email and password."""

    field_order = ("display_name", "email", "password1")

    display_name = forms.CharField(
        label="Your name",
        max_length=80,
        help_text="Shown to the person you talk to.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    # Filled in by the page from the browser; anything unknown is UTC rather than an error nobody could act on.
    time_zone = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"data-time-zone": ""}))

    def clean_time_zone(self) -> str:
        return known_time_zone(self.cleaned_data["time_zone"])

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth with the new user."""
        user.display_name = self.cleaned_data["display_name"]
        user.time_zone = self.cleaned_data["time_zone"]
        user.save(update_fields=["display_name", "time_zone"])


def time_zones() -> list[tuple[str, str]]:
    """Return the choices of a time zone."""
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())]


class PersonForm(forms.ModelForm[User]):
    """Name and time zone."""

    time_zone = forms.ChoiceField(choices=time_zones)

    class Meta:
        model = User
        fields = ("display_name", "time_zone")
