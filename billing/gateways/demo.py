"""The demo gateway: a card processor in our own database that moves no money.

It keeps its own books (DemoIntent, DemoRefund, DemoTransfer) and is as strict as a real one: keys, limits, minimum
amounts, a bank page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse

from billing.gateways.base import (
    AccountState,
    CardDetails,
    Declined,
    GatewayDispute,
    GatewayRefund,
    GatewayRefused,
    HoldEntry,
    HoldResult,
    NeedsAction,
    Placed,
    RefundEntry,
    TransferEntry,
    minimum_charge,
)
from billing.models import DemoAccount, DemoIntent, DemoRefund, DemoTransfer
from hopps.money import format_money

State = DemoIntent.State


@dataclass(frozen=True)
class DemoCard:
    """One of the cards this gateway knows."""

    ref: str
    brand: str
    last4: str
    behaviour: str


TEST_CARDS = (
    DemoCard("demo_approved", "Visa", "4242", "always approved"),
    DemoCard("demo_declined", "Visa", "0002", "always declined"),
    DemoCard("demo_authenticate", "Mastercard", "3155", "the bank asks “is this you?” first"),
)

_FIRST_STATE = {"demo_approved": State.HELD, "demo_declined": State.DECLINED, "demo_authenticate": State.NEEDS_ACTION}
_DECLINED = "The bank declined this card. No money was held. Try another card."
_REFUSED_BY_CUSTOMER = "You told the bank this was not you, so nothing was held. Try again, or use another card."
_BOOK_STATE: dict[DemoIntent.State, Literal["waiting", "held", "captured", "over"]] = {
    State.NEEDS_ACTION: "waiting",
    State.HELD: "held",
    State.CAPTURED: "captured",
    State.DECLINED: "over",
    State.RELEASED: "over",
}


class DemoGateway:
    """Implements `Gateway` over our own tables."""

    name = "demo"
    hosted = False

    def minimum_minor(self, currency: str) -> int:
        """Return the least that can be charged in `currency`."""
        return minimum_charge(currency)

    def customer(self, *, key: str, email: str, name: str) -> str:
        """The demo gateway does not ask who pays."""
        return ""

    def card_page(self, *, key: str, customer_ref: str, return_url: str) -> str:
        """Demo cards are chosen on our own page."""
        raise GatewayRefused("Demo cards are chosen from a list.")

    def added_card(self, *, ref: str, customer_ref: str) -> CardDetails | None:
        """Return nothing: demo cards are chosen on our own page."""
        return None

    def remove_card(self, *, card_ref: str) -> None:
        """Nothing is kept, so there is nothing to forget."""

    def place_hold(
        self,
        *,
        key: str,
        card_ref: str | None,
        customer_ref: str = "",
        amount_minor: int,
        currency: str,
        description: str,
        return_url: str,
    ) -> HoldResult:
        """Reserve money. What the card does is known by its number; see TEST_CARDS."""
        if amount_minor < self.minimum_minor(currency):
            raise GatewayRefused(f"The least to hold is {format_money(self.minimum_minor(currency), currency)}.")
        if card_ref is None or card_ref not in _FIRST_STATE:
            raise GatewayRefused("There is no such demo card.")
        state = _FIRST_STATE[card_ref]
        intent, _ = DemoIntent.objects.get_or_create(
            key=key,
            defaults={
                "card_ref": card_ref,
                "amount_minor": amount_minor,
                "currency": currency,
                "state": state,
                "problem": _DECLINED if state == State.DECLINED else "",
            },
        )
        if (intent.card_ref, intent.amount_minor, intent.currency) != (card_ref, amount_minor, currency):
            raise GatewayRefused("This key was used for another hold.")
        return _standing(intent)

    def hold_state(self, ref: str) -> HoldResult:
        """Return how a hold stands."""
        return _standing(_intent(ref))

    def answer(self, ref: str, *, approved: bool) -> HoldResult:
        """Do what the customer said on the bank's page. Answered already: the first answer stands."""
        DemoIntent.objects.filter(pk=_intent(ref).pk, state=State.NEEDS_ACTION).update(
            state=State.HELD if approved else State.DECLINED, problem="" if approved else _REFUSED_BY_CUSTOMER
        )
        return self.hold_state(ref)

    def capture(self, *, key: str, ref: str, amount_minor: int) -> None:
        """Take part or all of a hold."""
        intent = _intent(ref)
        if amount_minor < self.minimum_minor(intent.currency):
            raise GatewayRefused("This is less than can be charged.")
        won = DemoIntent.objects.filter(pk=intent.pk, state=State.HELD, amount_minor__gte=amount_minor).update(
            state=State.CAPTURED, captured_minor=amount_minor, capture_key=key
        )
        if won:
            return
        intent.refresh_from_db()
        if intent.state == State.HELD:
            raise GatewayRefused("This is more than is held.")
        if intent.state != State.CAPTURED:
            raise GatewayRefused("Nothing is held here.")
        if (intent.capture_key, intent.captured_minor) != (key, amount_minor):
            raise GatewayRefused("This hold was captured before.")

    def release(self, *, key: str, ref: str) -> None:
        """Give a hold back."""
        intent = _intent(ref)
        DemoIntent.objects.filter(pk=intent.pk, state__in=[State.HELD, State.NEEDS_ACTION]).update(state=State.RELEASED)
        intent.refresh_from_db()
        if intent.state == State.CAPTURED:
            raise GatewayRefused("This hold was captured; it can only be refunded.")

    def refund(self, *, key: str, ref: str, amount_minor: int) -> GatewayRefund:
        """Give captured money back. One insert decides: its number can be taken once, so the sum read before it holds."""
        intent = _intent(ref)
        if amount_minor < 1:
            raise GatewayRefused("A refund is at least one minor unit.")
        while True:
            earlier = DemoRefund.objects.filter(key=key).first()
            if earlier is not None:
                if (earlier.intent_id, earlier.amount_minor) != (intent.pk, amount_minor):
                    raise GatewayRefused("This key was used for another refund.")
                return GatewayRefund(str(earlier.pk), "succeeded")
            refunds = list(intent.refunds.order_by("sequence"))
            if sum(refund.amount_minor for refund in refunds) + amount_minor > intent.captured_minor:
                raise GatewayRefused("This is more than is left of the charge.")
            sequence = refunds[-1].sequence + 1 if refunds else 1
            try:
                with transaction.atomic():
                    made = DemoRefund.objects.create(key=key, intent=intent, sequence=sequence, amount_minor=amount_minor)
            except IntegrityError:  # another refund came first: look again
                continue
            return GatewayRefund(str(made.pk), "succeeded")

    def refund_state(self, ref: str) -> GatewayRefund:
        """Return how a refund stands: done at once, here."""
        self.refund_entry(ref)
        return GatewayRefund(ref, "succeeded")

    def refund_entry(self, ref: str) -> RefundEntry:
        """Return a refund as it is in the books."""
        made = DemoRefund.objects.filter(pk=_uuid(ref)).first()
        if made is None:
            raise GatewayRefused("There is no such refund.")
        return _refund_entry(made)

    def dispute_state(self, ref: str) -> GatewayDispute:
        """No bank stands behind this gateway, so nobody disputes."""
        raise GatewayRefused("There is no such dispute.")

    def open_account(self, *, key: str) -> AccountState:
        """Open an account; it is ready once the expert has been to its page."""
        account, _ = DemoAccount.objects.get_or_create(key=key)
        return AccountState(str(account.pk), account.ready)

    def account_page(self, *, ref: str, return_url: str) -> str:
        """Return the address of the demo's own page."""
        return reverse("demo_account", args=[_account(ref).pk])

    def account_state(self, ref: str) -> AccountState:
        """Return whether the expert has been to the account's page."""
        return AccountState(ref, _account(ref).ready)

    def account_dashboard(self, ref: str) -> str:
        """There is nothing more to see than on our own pages."""
        return ""

    def finish_account(self, ref: str) -> None:
        """Do what the expert said on the demo's page."""
        DemoAccount.objects.filter(pk=_account(ref).pk).update(ready=True)

    def transfer(self, *, key: str, account_ref: str, amount_minor: int, currency: str) -> TransferEntry:
        """Write a payout down."""
        account = _account(account_ref)
        if not account.ready:
            raise GatewayRefused("This account cannot be paid to yet.")
        if amount_minor < 1:
            raise GatewayRefused("A payout is at least one minor unit.")
        made, _ = DemoTransfer.objects.get_or_create(
            key=key, defaults={"account": account, "amount_minor": amount_minor, "currency": currency}
        )
        if (made.account_id, made.amount_minor, made.currency) != (account.pk, amount_minor, currency):
            raise GatewayRefused("This key was used for another payout.")
        return _transfer_entry(made)

    def transfer_state(self, ref: str) -> TransferEntry:
        """Return a payout as it is in the books."""
        made = DemoTransfer.objects.filter(pk=_uuid(ref)).first()
        if made is None:
            raise GatewayRefused("There is no such payout.")
        return _transfer_entry(made)

    def holds_since(self, since: datetime) -> Iterator[HoldEntry]:
        """Yield the holds of these books."""
        for row in DemoIntent.objects.filter(created_at__gte=since).order_by("created_at").iterator():
            yield HoldEntry(
                str(row.pk), row.key, _BOOK_STATE[State(row.state)], row.amount_minor, row.captured_minor, row.currency
            )

    def refunds_since(self, since: datetime) -> Iterator[RefundEntry]:
        """Yield the refunds of these books."""
        for row in DemoRefund.objects.filter(created_at__gte=since).order_by("created_at").iterator():
            yield _refund_entry(row)

    def transfers_since(self, since: datetime) -> Iterator[TransferEntry]:
        """Yield the payouts of these books."""
        for row in DemoTransfer.objects.filter(created_at__gte=since).order_by("created_at").iterator():
            yield _transfer_entry(row)

    def disputes_since(self, since: datetime) -> Iterator[GatewayDispute]:
        """Yield nothing: nobody disputes here."""
        yield from ()


def _uuid(ref: str) -> UUID:
    """Return the id `ref` names; for what is none, one that nothing has."""
    try:
        return UUID(ref)
    except ValueError:
        return UUID(int=0)


def _intent(ref: str) -> DemoIntent:
    intent = DemoIntent.objects.filter(pk=_uuid(ref)).first()
    if intent is None:
        raise GatewayRefused("There is no such hold.")
    return intent


def _account(ref: str) -> DemoAccount:
    account = DemoAccount.objects.filter(pk=_uuid(ref)).first()
    if account is None:
        raise GatewayRefused("There is no such account.")
    return account


def _refund_entry(row: DemoRefund) -> RefundEntry:
    return RefundEntry(str(row.pk), row.key, str(row.intent_id), row.amount_minor, "succeeded")


def _transfer_entry(row: DemoTransfer) -> TransferEntry:
    return TransferEntry(str(row.pk), row.key, str(row.account_id), row.amount_minor, 0, row.currency)


def _standing(intent: DemoIntent) -> HoldResult:
    ref = str(intent.pk)
    match intent.state:
        case State.HELD | State.CAPTURED:
            return Placed(ref)
        case State.NEEDS_ACTION:
            # The key names the hold it serves; the bank's page is found by that.
            return NeedsAction(ref, reverse("demo_bank", args=[intent.key.removeprefix("hold:")]))
        case State.RELEASED:
            return Declined(ref, "This hold was given back.")
        case _:
            return Declined(ref, intent.problem)
