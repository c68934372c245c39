"""Forms about a phone number (apart from `people`, which allauth's own forms import)."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms

from accounts.phones import CONSENT_WORDING


class ChangePhoneForm(allauth_forms.ChangePhoneForm):  # type: ignore[misc]  # allauth carries no types
    """The number to verify, and whether it may be texted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agreed"] = forms.BooleanField(
            label=CONSENT_WORDING,
            required=False,
            help_text="Without it we only verify the number. You can agree, or end it, later.",
        )

    def clean_phone(self) -> str:
        """Refuse the number that is verified already."""
        number: str = self.cleaned_data["phone"]
        if number == self.phone:
            raise forms.ValidationError("This is your number already.", code="same_as_current")
        return str(super().clean_phone())
