"""Forms about how an expert is reached."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from accounts.models import ExpertProfile
from accounts.reach import morning_of


class WaysForm(forms.ModelForm[ExpertProfile]):
    """By which ways requests are told."""

    class Meta:
        model = ExpertProfile
        fields = ("by_push", "by_text", "by_mail", "all_at_once")
        labels: ClassVar = {
            "by_push": "By notification",
            "by_text": "By text message",
            "by_mail": "By mail",
            "all_at_once": "By all of these at once",
        }
        help_texts: ClassVar = {
            "by_mail": "Without it you get a mail only about a request of which nothing else could reach you.",
            "all_at_once": (
                "Otherwise one after the other (notification, text, mail), a minute apart, "
                "until somebody has taken the request."
            ),
        }


class WallClockField(forms.DateTimeField):
    """A moment on the person's own clock."""

    def to_python(self, value: Any) -> datetime | None:
        """Say in our words that the clock does not show this time once."""
        try:
            return super().to_python(value)
        except ValidationError as problem:
            if problem.code == "ambiguous_timezone":
                sentence = "The clock is changed that day: it shows this time twice or not at all. Choose another hour."
                raise ValidationError(sentence, code=problem.code) from problem
            raise


class QuietForm(forms.Form):
    """For how long not to disturb."""

    length = forms.ChoiceField(choices=[(name, name) for name in ("hour", "morning", "until", "end")])
    until = WallClockField(
        label="Or until",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "required": "Choose a date and a time.",
            "invalid": "Give a date and a time, such as 2026-12-24 18:00.",
        },
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        # Whoever pressed another button did not mean this field, whatever is in it.
        if data is not None and data.get("length") != "until":
            del self.fields["until"]

    def moment(self, expert: ExpertProfile) -> datetime | None:
        """Return when the quiet ends, or None where it ends now."""
        match self.cleaned_data["length"]:
            case "hour":
                return timezone.now() + timedelta(hours=1)
            case "morning":
                return morning_of(expert)
            case "until":
                until: datetime = self.cleaned_data["until"]
                return until
        return None
