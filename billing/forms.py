"""Forms of cards, the demo bank and refunds."""

from uuid import UUID, uuid4

from django import forms
from django.http import QueryDict

from billing.gateways.demo import TEST_CARDS
from billing.models import Payment
from hopps.money import format_money, parse_money


class DemoCardForm(forms.Form):
    """Adding a card in demo mode: one of the test cards."""

    card = forms.ChoiceField(
        label="Test card",
        choices=[(card.ref, f"{card.brand} ending {card.last4}: {card.behaviour}") for card in TEST_CARDS],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a test card.", "invalid_choice": "Choose one of the test cards listed."},
    )


class BankAnswerForm(forms.Form):
    """What the customer says on the demo bank's page."""

    answer = forms.ChoiceField(
        choices=[("approve", "Approve"), ("refuse", "Refuse")],
        error_messages={
            "required": "Press Approve or Refuse.",
            "invalid_choice": "Press Approve or Refuse.",
        },
    )


def up_to(most_minor: int, payment: Payment) -> str:
    """Say up to how much an operator may give back.

    Args:
        most_minor: that much, in minor units (`refund.most_of`).
    """
    most = format_money(most_minor, payment.currency)
    if most_minor == payment.refundable_minor:
        return f"Up to {most}, all that is left of the charge."
    return f"Up to {most}: more than that a manager gives back."


class RefundForm(forms.Form):
    """How much an operator gives back, and why."""

    # One form, one refund: sent twice, it is found done.
    refund_id = forms.UUIDField(widget=forms.HiddenInput)
    amount = forms.CharField(max_length=20, error_messages={"required": "Write how much to give back."})
    reason = forms.CharField(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The customer reads it on the receipt.",
        error_messages={"required": "Say why: the customer reads it on the receipt."},
    )

    def __init__(self, payment: Payment, data: QueryDict | None = None, *, most_minor: int) -> None:
        most = format_money(most_minor, payment.currency)
        super().__init__(data, initial={"amount": most.removesuffix(f" {payment.currency}"), "refund_id": uuid4()})
        self.payment = payment
        self.fields["amount"].label = f"Amount in {payment.currency}"
        self.fields["amount"].help_text = up_to(most_minor, payment)

    def clean_amount(self) -> int:
        """Return minor units."""
        currency = self.payment.currency
        try:
            amount = parse_money(self.cleaned_data["amount"], currency)
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from None
        if amount < 1:
            raise forms.ValidationError("Give back more than nothing.")
        left = self.payment.refundable_minor
        refund_id: UUID | None = self.cleaned_data.get("refund_id")
        sent_before = refund_id is not None and self.payment.refunds.filter(pk=refund_id).exists()
        if amount > left and not sent_before:
            raise forms.ValidationError(f"Only {format_money(left, currency)} of this charge is left to give back.")
        return amount
