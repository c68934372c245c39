"""What a receipt says, worked out once. The page, the PDF and the mails only set it in type, so they cannot disagree."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format

from billing.gateways.base import minimum_charge
from billing.gateways.demo import DemoGateway
from billing.models import Hold, Payment, Refund
from hopps.money import format_money
from hopps.templatetags.hopps import clock, spoken
from sessions_app.models import HelpSession
from sessions_app.never_worked import never_connected

# Marks that turn the direction of the text after them, and could make an amount read backwards.
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


State = Literal["charged", "free", "due", "failed"]
# How the charge stands, as pages compare it: "" before the bill is made; "failed" is given up, "retrying" not yet.
Charge = Literal["", "due", "retrying", "failed", "charged", "free"]
Rest = Literal["held", "releasing", "released", "lapsed"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the bill.

    Attributes:
        label: what it is.
        value: what stands at its end, as people read it.
        amount_minor: what it adds to the total, in minor units; 0 for a line that only tells.
    """

    label: str
    value: str
    amount_minor: int = 0


@dataclass(frozen=True, kw_only=True)
class RefundLine:
    """What was given back, or is on its way.

    Attributes:
        id: the refund's.
        at: when it was decided, in the customer's time zone.
        amount_minor: what went back of it, in minor units, above zero.
        to: the cards it goes back to, as people know them.
    """

    id: str
    at: datetime
    reason: str
    pending: bool
    amount_minor: int
    currency: str
    to: str

    @property
    def label(self) -> str:
        """Such as "Refund, 24 November 2026 (on its way)"."""
        return f"Refund, {date_format(self.at, 'j F Y')}" + (" (on its way)" if self.pending else "")

    @property
    def value(self) -> str:
        """The amount as it stands in the bill, below zero."""
        return format_money(-self.amount_minor, self.currency)


@dataclass(frozen=True, kw_only=True)
class Tax:
    """The tax that is in the total: its name, its rate in hundredths of a percent, and the amount in minor units."""

    name: str
    basis_points: int
    amount_minor: int
    currency: str

    @property
    def label(self) -> str:
        """Such as "Includes 8.1 % VAT"."""
        return f"Includes {percent(self.basis_points)} {self.name}"

    @property
    def value(self) -> str:
        """The amount as people read it."""
        return format_money(self.amount_minor, self.currency)


@dataclass(frozen=True, kw_only=True)
class CardUse:
    """One hold on a card, in minor units, and what became of it."""

    card: str
    held_minor: int
    charged_minor: int
    rest: Rest
    currency: str

    @property
    def sentence(self) -> str:
        """Such as "Visa ending 4242: $60.00 held, $4.00 charged, the rest released."."""
        left = self.held_minor - self.charged_minor
        whole = "the rest" if self.charged_minor else "all of it"
        fates = {
            "held": f"{whole} still held",
            "releasing": f"{whole} being released",
            "released": f"{whole} released",
            "lapsed": f"{whole} given back by the bank",
        }
        charged = f"{format_money(self.charged_minor, self.currency)} charged" if self.charged_minor else "nothing charged"
        fate = fates[self.rest] if left else "nothing left to release"
        return f"{self.card}: {format_money(self.held_minor, self.currency)} held, {charged}, {fate}."


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """All that a receipt says about a settled session.

    Attributes:
        number: what people quote; the session's id.
        at, issued_at: when the session began, and when this last changed; in the customer's time zone.
        state: "charged"; "free" (nothing to pay, for good); "due" (the charge is on its way); "failed" (it was refused).
        seconds: the time both were there.
        free_seconds: the first of these, free with an expert new to the customer.
        price_per_minute, charged_minor, total_minor: minor units of `currency`; the total is the charge less the refunds.
        lines: the bill without refunds. While it is charged or free, all amounts, refunds included, add up to the total.
        tax: what of the total is tax, where the price included one when it was charged.
        given_up_minor: what the bank refused for good, and no further try is made for; 0 while tries go on.
    """

    number: str
    path: str
    seller: str
    customer: str
    expert: str
    topic: str
    title: str
    at: datetime
    issued_at: datetime
    currency: str
    state: State
    seconds: int
    free_seconds: int
    price_per_minute: int
    due_minor: int
    charged_minor: int
    total_minor: int
    lines: tuple[Line, ...]
    refunds: tuple[RefundLine, ...]
    tax: Tax | None
    cards: tuple[CardUse, ...]
    ended: str
    demo: bool
    given_up_minor: int = 0

    @property
    def final(self) -> bool:
        """Whether what the session costs is settled with the card: only then is this a receipt to keep."""
        return self.state in ("charged", "free")

    @property
    def total(self) -> str:
        """What the customer paid in the end."""
        return format_money(self.total_minor, self.currency)

    @property
    def charged(self) -> str:
        """What the card was charged, before any refund."""
        return format_money(self.charged_minor, self.currency)

    @property
    def due(self) -> str:
        """What the session costs, before the card was asked."""
        return format_money(self.due_minor, self.currency)

    @property
    def given_up(self) -> str:
        """What of it the bank refused for good."""
        return format_money(self.given_up_minor, self.currency)

    @property
    def when(self) -> str:
        """Such as "24 November 2026, 14:05 (Europe/Vienna)"."""
        return f"{date_format(self.at, 'j F Y, H:i')} ({self.at.tzinfo})"

    @property
    def bill(self) -> tuple[tuple[str, str, str], ...]:
        """Label, note and value of each line above the total, refunds with their reason."""
        refunds = ((line.label, line.reason, line.value) for line in self.refunds)
        return (*((line.label, "", line.value) for line in self.lines), *refunds)

    @property
    def notes(self) -> tuple[str, ...]:
        """What became of the holds, and how the session ended."""
        return (*(use.sentence for use in self.cards), f"Ended: {self.ended}.")


def included_tax(total_minor: int, basis_points: int) -> int:
    """Return the tax in a total that includes it, rounded half up, in minor units.

    Args:
        total_minor: what was paid, tax included, in minor units.
        basis_points: the rate in hundredths of a percent: 810 is 8.1 %.
    """
    whole = 10_000 + basis_points
    return (2 * total_minor * basis_points + whole) // (2 * whole)


def percent(basis_points: int) -> str:
    """Return a rate as people read it: 810 → "8.1 %"."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + " %"


def plain(text: str) -> str:
    """Return what a person wrote as one line: no control characters, and nothing that turns the rest of the line around."""
    kept = (" " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in text if char not in _TURNS)
    return " ".join("".join(char for char in kept if unicodedata.category(char) != "Cs").split())


def find(session: HelpSession) -> Receipt | None:
    """Return the receipt of a session, or None before it is settled."""
    payment = Payment.objects.filter(reference=session.pk).prefetch_related("holds__card", "refunds").first()
    return describe(session, payment)


def describe(session: HelpSession, payment: Payment | None) -> Receipt | None:
    """Return what the receipt of `session` says, or None before it is settled.

    Args:
        session: with its customer, expert and topic.
        payment: its money; holds with their cards, and refunds, are read from it.
    """
    if session.settled_at is None or payment is None:
        return None
    zone = ZoneInfo(session.customer.time_zone)
    holds = list(payment.holds.all())
    refunds = tuple(_refund_lines(payment, holds, zone))
    state: State = _STATES.get(payment.state, "due")
    total = max(0, payment.charged_minor - sum(line.amount_minor for line in refunds))
    taxed = payment.tax_name and payment.tax_basis_points and state == "charged"
    return Receipt(
        number=str(session.pk),
        path=session.get_absolute_url(),
        seller=plain(settings.RECEIPT_SELLER),
        customer=plain(str(session.customer)),
        expert=plain(str(session.expert)) if session.expert else "",
        topic=plain(session.topic.name),
        title=plain(session.title),
        at=(session.active_at or session.created_at).astimezone(zone),
        issued_at=max([session.settled_at, *(line.at for line in refunds)]).astimezone(zone),
        currency=session.currency,
        state=state,
        seconds=session.billable_seconds,
        free_seconds=session.free_seconds,
        price_per_minute=session.price_per_minute,
        due_minor=session.amount_minor,
        charged_minor=payment.charged_minor,
        total_minor=total,
        lines=tuple(_lines(session, payment, state in ("charged", "free"))),
        refunds=refunds,
        tax=(
            Tax(
                name=payment.tax_name,
                basis_points=payment.tax_basis_points,
                amount_minor=included_tax(total, payment.tax_basis_points),
                currency=session.currency,
            )
            if taxed
            else None
        ),
        cards=tuple(_card_uses(payment, holds)),
        ended=session.get_end_reason_display() or "by the system",
        demo=any(hold.gateway == DemoGateway.name for hold in holds),
        given_up_minor=_given_up_minor(session, payment, holds),
    )


def charge_of(session: HelpSession, payment: Payment | None) -> Charge:
    """Return how the charge of `session` stands."""
    if session.settled_at is None or payment is None:
        return ""
    if payment.state == Payment.State.FAILED:
        return "retrying" if payment.next_try_at else "failed"
    return _STATES.get(payment.state, "due")


_STATES: dict[str, State] = {
    Payment.State.CHARGED: "charged",
    Payment.State.RELEASED: "free",
    Payment.State.FAILED: "failed",
}


def _given_up_minor(session: HelpSession, payment: Payment, holds: list[Hold]) -> int:
    """What was due and never had, once the charge was given up: also where a part of it was charged."""
    if payment.flagged_at is None or payment.state not in (Payment.State.FAILED, Payment.State.CHARGED):
        return 0
    return max(0, session.amount_minor - sum(hold.captured_minor for hold in holds))


def _lines(session: HelpSession, payment: Payment, final: bool) -> Iterable[Line]:
    """Yield how the charge comes about: the time, its price, and what was not charged of that."""

    def money(label: str, amount_minor: int) -> Line:
        return Line(label=label, value=format_money(amount_minor, session.currency), amount_minor=amount_minor)

    yield Line(label="Time you were both there", value=clock(session.billable_seconds))
    if never_connected(session):
        yield Line(label="The call never connected, so nothing is charged", value="free")
        return
    if session.free_seconds:
        yield Line(label=f"First {spoken(session.free_seconds)}, new expert", value="free")
    paid_seconds = max(0, session.billable_seconds - session.free_seconds)
    priced = max(-(-paid_seconds * session.price_per_minute // 60), session.amount_minor)
    per_minute = format_money(session.price_per_minute, session.currency)
    yield money(f"{clock(paid_seconds)} at {per_minute} a minute", priced)
    # The last seconds before the clock is stopped at the cap are on us.
    if priced > session.amount_minor:
        yield money("Above the cap", session.amount_minor - priced)
    if final and payment.charged_minor != session.amount_minor:
        too_little = session.amount_minor < minimum_charge(session.currency)
        yield money("Too little to charge" if too_little else "Not charged", payment.charged_minor - session.amount_minor)


def _refund_lines(payment: Payment, holds: list[Hold], zone: ZoneInfo) -> Iterable[RefundLine]:
    cards = {str(hold.pk): _card_name(hold) for hold in holds}
    for refund in payment.refunds.all():
        if refund.standing_minor:
            yield RefundLine(
                id=str(refund.pk),
                at=refund.created_at.astimezone(zone),
                reason=plain(refund.reason),
                pending=refund.state == Refund.State.PENDING,
                amount_minor=refund.standing_minor,
                currency=payment.currency,
                to=" and ".join(dict.fromkeys(cards[part["hold"]] for part in refund.parts if part["hold"] in cards)),
            )


def _card_uses(payment: Payment, holds: list[Hold]) -> Iterable[CardUse]:
    rest: dict[str, Rest] = {
        Hold.State.PLACED: "releasing" if payment.state in (Payment.State.CHARGED, Payment.State.RELEASED) else "held",
        Hold.State.CAPTURED: "released",
        Hold.State.RELEASING: "releasing",
        Hold.State.RELEASED: "released",
        Hold.State.LAPSED: "lapsed",
    }
    for hold in holds:
        if hold.state in rest and hold.was_placed:
            yield CardUse(
                card=_card_name(hold),
                held_minor=hold.amount_minor,
                charged_minor=hold.captured_minor,
                rest=rest[hold.state],
                currency=payment.currency,
            )


def _card_name(hold: Hold) -> str:
    return str(hold.card) if hold.card else "Your card"
