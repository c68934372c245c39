"""What a person says about themselves as an expert: the application and, later, its changes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from accounts.applying import Application
from accounts.models import ExpertProfile, ExpertTopic, Topic

MOST_LINKS = 5

_is_address = URLValidator(schemes=["http", "https"])


class ExpertForm(forms.ModelForm[ExpertProfile]):
    """Headline, about, links and topics."""

    topics = forms.ModelMultipleChoiceField(
        queryset=Topic.objects.filter(is_active=True),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one topic you can help with."},
        help_text="An operator approves each one.",
    )

    class Meta:
        model = ExpertProfile
        fields = ("headline", "about", "links")
        widgets = {
            "about": forms.Textarea(attrs={"rows": 6}),
            "links": forms.Textarea(attrs={"rows": 3, "inputmode": "url", "spellcheck": "false"}),
        }
        error_messages = {"headline": {"required": "Write one line about what you know."}}
        help_texts = {
            "about": "What you have done, for whom and for how long. The operator who decides reads it.",
            "links": "What shows your work: a profile, a repository, an article. One a line, five at most.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding and not self.is_bound:
            # What was refused is chosen anew to apply again.
            kept = self.instance.topics.exclude(state=ExpertTopic.State.REFUSED)
            self.initial["topics"] = list(kept.values_list("topic_id", flat=True))

    def clean_links(self) -> str:
        """Return the links one a line, each an address of the web."""
        links = list(dict.fromkeys(self.cleaned_data["links"].split()))
        for link in links:
            try:
                _is_address(link)
            except ValidationError:
                raise ValidationError(
                    f"“{link[:80]}” is not a web address. Start it with https:// and write one a line."
                ) from None
        if len(links) > MOST_LINKS:
            raise ValidationError(f"These are {len(links)} links. Keep the {MOST_LINKS} that show most.")
        return "\n".join(links)

    @property
    def application(self) -> Application:
        """What was said; of a valid form."""
        said = self.cleaned_data
        return Application(headline=said["headline"], about=said["about"], links=said["links"], topics=tuple(said["topics"]))
