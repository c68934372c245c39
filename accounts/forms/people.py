"""Forms about people."""

import unicodedata
import zoneinfo
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts import photos
from accounts.models import User


def known_time_zone(name: str) -> str:
    """Return `name` where it is a time zone we know, else UTC."""
    return name if name in zoneinfo.available_timezones() else "UTC"


def clean_name(written: str) -> str:
    """Return a name as it is kept: one line, no white space to spare. Raises ValidationError."""
    # A character that only gives orders (a line break, one that turns the writing around) would let a name pose as another.
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in _shown(written)):
        raise ValidationError("A name has letters and signs only. Something in this one cannot be seen; type it anew.")
    name = " ".join(written.split())
    if not name:
        raise ValidationError("Write your name, or what people may call you.")
    return name


def _shown(written: str) -> str:
    # Joiners belong to how several scripts and emojis are written.
    return written.replace("\u200c", "").replace("\u200d", "")


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

    def clean_display_name(self) -> str:
        return clean_name(self.cleaned_data["display_name"])

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

    def clean_display_name(self) -> str:
        return clean_name(self.cleaned_data["display_name"])


class DeleteForm(forms.Form):
    """Typing the mail address shows that somebody means it."""

    address = forms.CharField(
        label="Your mail address",
        help_text="Type it to show that you mean it.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_address(self) -> str:
        typed: str = self.cleaned_data["address"].strip().lower()
        if typed != self.user.email.lower():
            raise ValidationError("This is not the mail address of this account. Nothing was deleted.")
        return typed


class PhotoForm(forms.Form):
    """A picture to be the person's photo. What is in it is looked at by `accounts.photos`."""

    photo = forms.FileField(
        label="Photo",
        allow_empty_file=True,
        max_length=None,
        error_messages={"required": photos.EMPTY, "missing": photos.EMPTY, "invalid": photos.EMPTY},
        help_text="A JPEG, PNG or WebP of up to 10 MB. The middle of it is shown, and nothing else of it is kept.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
