"""What must agree when all is over: the gateway's books, our rows, the ledger, and what people read on their pages."""

import re
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from django.db.models import Sum

from billing import ledger
from billing.models import Dispute, GatewayEvent, Hold, Payment, Payout, Posting, Refund
from billing.reconcile import DAYS, reconcile
from hopps.money import format_money
from sessions_app.models import HelpSession, State
from tests.billing.crash_scene import Scene

DISPUTE = ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_reinstated")
DISPUTED = ("needs_response", "under_review", "lost")


@dataclass(frozen=True)
class Money:
    """Where the money is, in minor units: held; charged, and of that given back, disputed, paid out; owed to the expert."""

    held: int = 0
    taken: int = 0
    given_back: int = 0
    disputed: int = 0
    transferred: int = 0
    owed: int = 0


def check(scene: Scene, end: Money) -> list[str]:
    """Check everything; return what reconcile had to repair before."""
    now = scene.now + timedelta(minutes=10)
    since = now - timedelta(days=DAYS)
    repaired = [str(found) for found in reconcile(gateway_name="stripe", since=since, now=now)]
    if repaired:
        left = [str(found) for found in reconcile(gateway_name="stripe", since=since, now=now)]
        assert left == [], (repaired, left)
    check_the_gateway(scene, end)
    check_the_rows(end)
    check_the_ledger(scene, end)
    check_the_pages(scene, end)
    assert scene.peer.violations() == [], scene.peer.violations()
    return repaired


def check_between(scene: Scene) -> None:
    """Check what the jobs alone made of it, before anybody tries again: begun or not, all books say the same."""
    there, here = at_the_gateway(scene), in_our_rows()
    told = {event["id"] for event in scene.peer.events(*DISPUTE)}
    if GatewayEvent.objects.filter(event_id__in=told).count() < len(told):
        there = replace(there, disputed=here.disputed)  # not all of the bank's word has reached us yet
    assert here == there, ("our rows", asdict(here), "the gateway", asdict(there))
    check_the_ledger(scene, replace(here, owed=ledger.balance(scene.eve).get("USD", 0)))
    for session in HelpSession.objects.filter(state=State.ACTIVE):
        assert session.price.cap_minor == here.held


def at_the_gateway(scene: Scene) -> Money:
    """Return where Stripe says the money is."""
    books = scene.peer.books()
    return Money(
        held=sum(intent["amount"] for intent in books["payment_intent"] if intent["status"] == "requires_capture"),
        taken=sum(intent["amount_received"] for intent in books["payment_intent"]),
        given_back=sum(made["amount"] for made in books["refund"] if made["status"] == "succeeded"),
        disputed=sum(row["amount"] for row in books["dispute"] if row["status"] in DISPUTED),
        transferred=sum(made["amount"] - made["amount_reversed"] for made in books["transfer"]),
    )


def in_our_rows() -> Money:
    """Return where our rows say it is."""
    paid = Payout.objects.filter(state=Payout.State.PAID)
    sums = Payment.objects.aggregate(
        taken=Sum("charged_minor", default=0),
        given_back=Sum("refunded_minor", default=0),
        disputed=Sum("disputed_minor", default=0),
    )
    return Money(
        held=sum(Hold.objects.filter(state=Hold.State.PLACED).values_list("amount_minor", flat=True)),
        transferred=sum(row.amount_minor - row.reversed_minor for row in paid),
        **sums,
    )


def check_the_gateway(scene: Scene, end: Money) -> None:
    """Money moved once, for rows of ours, and nothing waits there that could still move some."""
    there = replace(at_the_gateway(scene), owed=end.owed)
    assert there == end, ("the gateway", asdict(there), "wanted", asdict(end))
    books = scene.peer.books()
    keys = [intent["metadata"].get("hopps_key") for intent in books["payment_intent"]]
    assert len(set(keys)) == len(keys), keys
    assert set(keys) <= {f"hold:{pk}" for pk in Hold.objects.values_list("pk", flat=True)}, keys
    states = {intent["status"] for intent in books["payment_intent"]}
    assert states <= {"requires_capture", "succeeded", "canceled"}, states
    assert not [page for page in books["checkout.session"] if page["status"] == "open"]
    assert len(books["transfer"]) == (1 if end.transferred else 0)
    assert len(books["account"]) <= 1
    held = {hold.gateway_ref for hold in Hold.objects.filter(state=Hold.State.PLACED)}
    assert held == {row["id"] for row in books["payment_intent"] if row["status"] == "requires_capture"}


def check_the_rows(end: Money) -> None:
    """Our rows say the same, and none is in between."""
    here = replace(in_our_rows(), owed=end.owed)
    assert here == end, ("our rows", asdict(here), "wanted", asdict(end))
    assert sum(Hold.objects.values_list("captured_minor", flat=True)) == end.taken
    assert sum(made.standing_minor for made in Refund.objects.all()) == end.given_back
    disputes = Dispute.objects.filter(state__in=Dispute.TAKEN)
    assert sum(row.amount_minor for row in disputes) == end.disputed
    assert not Hold.objects.filter(state__in=[Hold.State.PENDING, Hold.State.RELEASING]).exists()
    assert not Payment.objects.filter(state__in=[Payment.State.CAPTURING, Payment.State.FAILED]).exists()
    assert not Refund.objects.filter(state=Refund.State.PENDING).exists()
    assert not Payout.objects.filter(state=Payout.State.PENDING).exists()
    assert not GatewayEvent.objects.filter(handled_at=None).exists()
    assert Refund.objects.count() <= 1


def check_the_ledger(scene: Scene, end: Money) -> None:
    """Every posting is zero, and their sums are the same once more."""
    postings = list(Posting.objects.all())
    assert all(row.customer + row.expert + row.platform + row.processor == 0 for row in postings)
    assert -sum(row.customer for row in postings) == end.taken - end.given_back - end.disputed
    assert sum(row.processor for row in postings) == end.transferred
    assert sum(row.expert for row in postings) == end.owed
    assert ledger.balance(scene.eve).get("USD", 0) == end.owed


def check_the_pages(scene: Scene, end: Money) -> None:
    """Alice reads it on her billing page and on the session's, Eve on her earnings page."""
    overview = scene.browser(scene.alice).get("/billing/").content.decode()
    word = "Charged" if end.taken else "Held, not charged" if end.held else "Released, not charged"
    assert re.findall(r'<td data-label="State"><span class="badge[^"]*">([^<]*)', overview) == [word]
    assert re.findall(r'<td data-label="Charged" class="end">([^<]*)', overview) == [usd(end.taken)]
    assert re.findall(r'<td data-label="Refunded" class="end">(?:<span[^>]*>)?([^<]*)', overview) == [
        usd(end.given_back) if end.given_back else "–"
    ]
    session = scene.session()
    page = scene.browser(scene.alice).get(session.get_absolute_url()).content.decode()
    match session.state:
        case State.REQUESTED:
            assert f"at most {usd(end.held)}" in page
        case State.ACTIVE:
            assert re.findall(r'name="seen_cap_minutes" value="(\d+)"', page) == [str(end.held // 200)]
        case State.ENDED:
            # What a bank takes back is between it and us; the receipt says what was paid for the session.
            assert re.findall(r'class="big-num">([^<]*)', page) == [usd(end.taken - end.given_back)]
        case State.CANCELLED:
            assert "The hold on your card is released" in page
        case other:
            raise AssertionError(other)
    if not end.taken:
        return
    earnings = scene.browser(scene.eve).get("/expert/earnings/").content.decode()
    assert re.findall(r'<p class="big-num">([^<]*)', earnings) == [usd(end.owed)]
    paid_out = re.findall(r'<td data-label="State"><span class="badge badge-good">Paid</span></td>', earnings)
    assert len(paid_out) == (1 if end.transferred else 0)


def usd(minor: int) -> str:
    """Return an amount as pages write it."""
    return format_money(minor, "USD")
