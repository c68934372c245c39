"""Forms about help sessions."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.html import escape

from accounts.models import Topic, User
from billing.cards import cards_of
from billing.forms import up_to
from billing.models import Card, Payment
from hopps.money import format_money, parse_money
from hopps.templatetags.hopps import spoken
from sessions_app.first import KnownExpert, Standing
from sessions_app.models import HelpSession, PersonReport, Rating, State

# Instead of an earlier session, whose expert is asked first.
EVERYONE = "everyone"


def _cap_choices(topic: Topic | None) -> list[tuple[int, str]]:
    """Return the caps to choose from, with the most each may cost where the topic is known."""
    if topic is None:
        return [(minutes, f"{minutes} min") for minutes in settings.CAP_MINUTES]
    return [
        (minutes, f"{minutes} min · at most {format_money(minutes * topic.price_per_minute, topic.currency)}")
        for minutes in settings.CAP_MINUTES
    ]


class TopicsByArea(forms.models.ModelChoiceIterator[Topic]):
    """Topics grouped by area, each with its price."""

    def __iter__(self) -> Iterator[Any]:
        yield ("", "Choose a topic")
        by_area: dict[str, list[tuple[Any, str]]] = {}
        for topic in self.queryset:
            label = f"{topic.name} · {topic.price_text}"
            by_area.setdefault(topic.get_area_display(), []).append((self.field.prepare_value(topic), label))
        yield from by_area.items()


class TopicField(forms.ModelChoiceField[Topic]):
    """Choose a topic one can ask for."""

    iterator = TopicsByArea


def topic_of(chosen: object) -> Topic | None:
    """Return the topic a form was sent with, or None where it is none that can be asked for."""
    try:
        topic: Topic | None = TopicField(queryset=Topic.objects.filter(is_active=True)).clean(chosen)
    except ValidationError:
        return None
    return topic


class AskForm(forms.Form):
    """The ask box."""

    topic = TopicField(
        queryset=Topic.objects.filter(is_active=True),
        error_messages={"required": "Choose the topic closest to your problem."},
    )
    title = forms.CharField(
        max_length=120,
        label="What are you stuck on?",
        widget=forms.TextInput(attrs={"placeholder": "Postgres query slow after adding an index", "autocomplete": "off"}),
        error_messages={"required": "Write one line about what you are stuck on."},
    )
    details = forms.CharField(
        max_length=5000,
        required=False,
        label="Details",
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "What you tried, error messages, links"}),
        help_text="Experts read this before they accept.",
    )
    cap_minutes = forms.TypedChoiceField(
        label="At most",
        coerce=int,
        initial=30,
        widget=forms.RadioSelect,
        help_text="Held on your card, charged only for the time used. You can extend during the session.",
    )

    def clean_title(self) -> str:
        """One line, whatever was pasted: it becomes a heading, a list's entry and a mail's subject."""
        return " ".join(str(self.cleaned_data["title"]).split())

    def __init__(self, *args: Any, topic: Topic | None = None, known: KnownExpert | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cap = self.fields["cap_minutes"]
        assert isinstance(cap, forms.TypedChoiceField)
        cap.choices = _cap_choices(topic)
        if known is not None and known.standing.is_there:
            self.fields["first"] = _first_field(known)


def _first_field(known: KnownExpert) -> forms.ChoiceField:
    """The choice whom to ask first: the expert of an earlier session, or everybody."""
    name, minute = escape(known.expert), spoken(settings.FIRST_EXPERT_SECONDS)
    where = "has the board open" if known.standing == Standing.HERE else "is available, and is told by message"
    return forms.ChoiceField(
        label="Who hears of it first?",
        choices=[(str(known.session.pk), f"{known.expert} first"), (EVERYONE, "Every expert at once")],
        initial=str(known.session.pk),
        widget=forms.RadioSelect,
        help_text=f"{name} {where}. Asked first, {name} has {minute} alone; without an answer every expert hears of it.",
        error_messages={"required": "Choose who hears of it first."},
    )


class PaidAskForm(AskForm):
    """The ask box of a person with saved cards."""

    card = forms.ModelChoiceField(
        queryset=Card.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        label="Card",
        error_messages={"required": "Choose the card the cap is held on."},
    )

    def __init__(self, *args: Any, customer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_cards(self, customer)


class ExtendForm(forms.Form):
    """More minutes for a running session."""

    minutes = forms.TypedChoiceField(
        label="How much longer?", coerce=int, initial=settings.CAP_MINUTES[0], widget=forms.RadioSelect
    )
    card = forms.ModelChoiceField(queryset=Card.objects.none(), empty_label=None)
    seen_cap_minutes = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, session: HelpSession, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        minutes = self.fields["minutes"]
        assert isinstance(minutes, forms.TypedChoiceField)
        minutes.choices = [
            (n, f"{n} min more · at most {format_money(n * session.price_per_minute, session.currency)}")
            for n in settings.CAP_MINUTES
        ]
        self.fields["seen_cap_minutes"].initial = session.cap_minutes
        _offer_cards(self, session.customer)


def _offer_cards(form: forms.Form, customer: User) -> None:
    cards = cards_of(customer)
    field = form.fields["card"]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = cards
    field.initial = next((card.pk for card in cards if card.is_default), None)


class RatingForm(forms.ModelForm[Rating]):
    """Stars, and whether it was solved."""

    stars = forms.TypedChoiceField(
        coerce=int,
        choices=[(n, f"{n} star{'s' if n > 1 else ''}") for n in range(1, 6)],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one to five stars."},
    )
    solved = forms.ChoiceField(
        label="Was it solved?",
        choices=Rating.Solved.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether your problem was solved."},
    )

    class Meta:
        model = Rating
        fields = ("stars", "solved", "comment")
        widgets = {"comment": forms.Textarea(attrs={"rows": 3})}


class ReportForm(forms.Form):
    """What went wrong."""

    problem = forms.CharField(
        max_length=2000,
        label="What went wrong?",
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Write what went wrong, so that we can help."},
    )


class PersonReportForm(forms.Form):
    """How the other person behaved."""

    reason = forms.TypedChoiceField(
        label="What happened?",
        coerce=PersonReport.Reason,
        choices=PersonReport.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what happened."},
    )
    words = forms.CharField(
        required=False,
        max_length=2000,
        label="In your words",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    also_block = forms.BooleanField(required=False, initial=True, label="Block them too: we do not meet again")

    def clean(self) -> dict[str, Any]:
        """“Something else” alone says nothing."""
        said = super().clean() or self.cleaned_data
        if said.get("reason") == PersonReport.Reason.OTHER and not said.get("words"):
            self.add_error("words", "Write what happened, so that we can look into it.")
        return said


class PersonReportClosingForm(forms.Form):
    """What an operator found and did about a reported person."""

    outcome = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text="What was found and done. Operators alone read it.",
        error_messages={"required": "Say what was found and done: the next operator reads it."},
    )


class CaseAnswerForm(forms.Form):
    """What an operator answers to a report, and how much goes back where something does."""

    amount = forms.CharField(max_length=20, required=False)
    answer = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}),
        help_text="Mailed to the person who reported.",
        error_messages={"required": "Write an answer: it is mailed to the person who reported."},
    )

    def __init__(
        self, data: QueryDict | None = None, *, payment: Payment | None, offers_refund: bool, most_minor: int
    ) -> None:
        self.refunds = data is not None and data.get("do") == "refund"
        self.currency = payment.currency if payment is not None else ""
        most = format_money(most_minor, self.currency)
        super().__init__(data, initial={"amount": most.removesuffix(f" {self.currency}")})
        self.fields["amount"].label = f"Amount in {self.currency}"
        self.fields["amount"].help_text = up_to(most_minor, payment) if payment is not None else ""
        if not offers_refund:
            del self.fields["amount"]

    def clean(self) -> dict[str, Any]:
        """Say so where neither button was pressed."""
        if self.data.get("do") not in ("refund", "refuse"):
            raise forms.ValidationError("Press “Refund and answer” or “Refuse and answer”.")
        return super().clean() or self.cleaned_data

    def clean_amount(self) -> int:
        """Return minor units; 0 where nothing is given back."""
        if not self.refunds:
            return 0
        try:
            amount = parse_money(self.cleaned_data["amount"], self.currency)
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from None
        if amount < 1:
            raise forms.ValidationError("Give back more than nothing, or refuse.")
        return amount


class HistoryForm(forms.Form):
    """Filter and search of the history."""

    STATES: Iterable[tuple[str, str]] = (
        ("", "Any state"),
        ("open", "Open"),
        (State.ENDED, "Ended"),
        (State.CANCELLED, "Cancelled"),
        (State.EXPIRED, "Expired"),
    )

    role = forms.ChoiceField(
        required=False,
        label="My part",
        choices=(("", "Customer or expert"), ("customer", "As customer"), ("expert", "As expert")),
    )
    state = forms.ChoiceField(required=False, choices=STATES)
    q = forms.CharField(required=False, max_length=100, label="Search", widget=forms.TextInput(attrs={"type": "search"}))
