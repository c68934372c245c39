"""Form fields of our own."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.phones import normalise
from hopps.errors import Refused


class PhoneField(forms.CharField):
    """A phone number as people write it; its value is E.164."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", "Mobile number")
        options.setdefault("help_text", "With its country code, such as +43 664 1234567. We text you a code.")
        options.setdefault("max_length", 40)
        options.setdefault("widget", forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}))
        super().__init__(**options)

    def clean(self, value: Any) -> str:
        """Return the number as E.164."""
        written: str = super().clean(value)
        if written in self.empty_values:
            return ""
        try:
            return normalise(written)
        except Refused as refusal:
            raise ValidationError(refusal.sentence, code="invalid") from refusal
