"""A small world in which anything may happen to money, and what must hold in it at every moment."""

import contextlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Sum
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from billing import disputes, ledger
from billing.capture import capture
from billing.gateways.base import GatewayDispute
from billing.gateways.demo import DemoGateway
from billing.holds import ABANDONED, finish_hold, place_hold
from billing.models import (
    DemoAccount,
    DemoIntent,
    DemoRefund,
    DemoTransfer,
    Dispute,
    Hold,
    Payment,
    Payout,
    PayoutAccount,
    Posting,
    Refund,
)
from billing.payout_accounts import open_account, refresh_account
from billing.payouts import pay_everybody, record_reversal, standings
from billing.refund import RefundRefused, refund
from billing.release import release
from billing.tasks import heal
from tests.billing.conftest import approved_card, asking_card, declined_card, person

Step = tuple[Any, ...]

minor = st.integers(0, 4000)
before_the_charge: SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("turn to"), st.integers(0, 1)),
    st.tuples(st.just("hold"), st.sampled_from(["approved", "declined", "asking"]), st.integers(50, 3000)),
    st.tuples(st.just("answer"), st.booleans(), st.booleans()),
    st.tuples(st.just("capture"), minor),
    st.tuples(st.just("release")),
    st.tuples(st.just("heal")),
)
after_the_charge: SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("refund"), minor),
    st.tuples(
        st.just("dispute"),
        st.integers(0, 1),
        st.integers(1, 3000),
        st.sampled_from(["needs_answer", "under_review", "won", "lost", "inquiry"]),
    ),
    st.tuples(st.just("keep back"), st.booleans()),
    st.tuples(st.just("days pass"), st.integers(1, 8)),
    st.tuples(st.just("payday"), st.sampled_from(["works", "is refused"])),
    st.tuples(st.just("reverse"), minor),
)
PAID: list[Step] = [("hold", "approved", 2000), ("hold", "approved", 900), ("capture", 2501)]
steps = before_the_charge | after_the_charge
# Half of them begin with money that was charged: left to chance, few would come so far.
journeys: SearchStrategy[list[Step]] = st.lists(steps, max_size=12) | st.lists(
    after_the_charge | st.sampled_from([("turn to", 0), ("turn to", 1), ("heal",)]), max_size=12
).map(lambda later: [*PAID, ("turn to", 1), *PAID, *later])


class World:
    """Two payments of one expert, her payouts, and everything that may happen to them."""

    def __init__(self) -> None:
        self.references = [uuid4(), uuid4()]
        self.turn = 0
        self.alice, self.eve = person("Alice"), person("Eve")
        self.olga = person("Olga", is_staff=True, is_superuser=True)
        self.cards = {
            "approved": approved_card(self.alice),
            "declined": declined_card(self.alice),
            "asking": asking_card(self.alice),
        }
        self.passed = timedelta()
        # What a bank said first about a dispute stays: which charge it is about, and how much.
        self.disputes: dict[tuple[UUID, int], tuple[str, int]] = {}
        account = open_account(owner=self.eve)
        DemoGateway().finish_account(account.gateway_ref)
        self.account = refresh_account(account)

    @property
    def reference(self) -> UUID:
        """Which payment it is about now."""
        return self.references[self.turn]

    @property
    def now(self) -> datetime:
        """The moment it is in this world."""
        return timezone.now() + self.passed

    def do(self, step: Step) -> None:
        match step:
            case ("turn to", number):
                self.turn = number
            case ("hold", card, amount):
                place_hold(
                    reference=self.reference,
                    payer=self.alice,
                    amount_minor=amount,
                    currency="USD",
                    description="d",
                    card=self.cards[card],
                    return_url="",
                )
            case ("answer", approved, we_hear):
                for hold in Hold.objects.filter(payment__reference=self.reference, state=Hold.State.PENDING):
                    DemoGateway().answer(hold.gateway_ref, approved=approved)
                    if we_hear:
                        finish_hold(hold=hold)
            case ("capture", amount) if self.payment():
                capture(reference=self.reference, payee=self.eve, amount_minor=amount)
            case ("refund", amount) if payment := self.payment():
                with contextlib.suppress(RefundRefused):
                    refund(payment=payment, amount_minor=amount, reason="r", by=self.olga)
            case ("release",):
                release(reference=self.reference)
            case ("heal",):
                heal(self.now + 2 * ABANDONED)
            case ("keep back", kept):
                Payment.objects.filter(reference=self.reference).update(kept_back=kept)
            case ("days pass", days):
                self.passed += timedelta(days=days)
            case ("dispute", number, amount, state) if payment := self.payment():
                self._dispute(payment, number, amount, state)
            case ("payday", how):
                self._pay(works=how == "works")
            case ("reverse", amount):
                for payout in Payout.objects.filter(expert=self.eve, state=Payout.State.PAID)[:1]:
                    record_reversal(payout, min(amount, payout.amount_minor))

    def _dispute(self, payment: Payment, number: int, amount: int, state: Any) -> None:
        """The bank says how a dispute stands; of each charge it takes back what was charged at most."""
        if (payment.pk, number) not in self.disputes:
            earlier = {ref for (pk, _), (ref, _) in self.disputes.items() if pk == payment.pk}
            captured = payment.holds.filter(state=Hold.State.CAPTURED).exclude(gateway_ref__in=earlier).first()
            if captured is None:
                return
            self.disputes[payment.pk, number] = captured.gateway_ref, min(amount, captured.captured_minor)
        hold_ref, amount = self.disputes[payment.pk, number]
        seen = GatewayDispute(f"du_{payment.pk}_{number}", hold_ref, amount, "fraudulent", state, timezone.now())
        disputes.write_down(seen=seen, gateway_name="demo")

    def _pay(self, *, works: bool) -> None:
        owed = ledger.balance(self.eve).get("USD", 0)
        available = sum(row.available_minor for row in standings(self.eve, self.now))
        assert available <= max(0, owed)
        DemoAccount.objects.filter(pk=self.account.gateway_ref).update(ready=works)
        made = pay_everybody(self.now)
        assert len(made) <= 1
        for payout in made:
            assert payout.amount_minor == available
            assert payout.state == (Payout.State.PAID if works else Payout.State.FAILED)
        assert ledger.balance(self.eve).get("USD", 0) == owed - (available if made and works else 0)

    def payment(self) -> Payment | None:
        return Payment.objects.filter(reference=self.reference).first()

    def check(self) -> None:
        payments = list(Payment.objects.filter(reference__in=self.references))
        for payment in payments:
            self._check_payment(payment)
        self._check_payouts(payments)

    def _check_payment(self, payment: Payment) -> None:
        intents = DemoIntent.objects.filter(key__in=[f"hold:{hold.pk}" for hold in payment.holds.all()])
        taken = intents.aggregate(total=Sum("captured_minor"))["total"] or 0
        returned = DemoRefund.objects.filter(intent__in=list(intents)).aggregate(total=Sum("amount_minor"))["total"] or 0
        open_or_lost = Dispute.objects.filter(payment=payment, state__in=Dispute.TAKEN)
        disputed = open_or_lost.aggregate(total=Sum("amount_minor"))["total"] or 0
        # Ours and the gateway's books agree, and no more is given back than was taken.
        assert taken == payment.charged_minor
        assert returned == payment.refunded_minor <= payment.charged_minor
        assert disputed == payment.disputed_minor
        postings = list(Posting.objects.filter(payment=payment))
        assert all(row.customer + row.expert + row.platform + row.processor == 0 for row in postings)
        assert -sum(row.customer for row in postings) == payment.charged_minor - payment.refunded_minor - disputed
        share, fee = ledger.shares_left(payment)
        # What the bank takes back beyond the charge is the platform's loss, never the expert's.
        assert share >= 0
        if returned + disputed <= taken:
            assert fee >= 0
        if returned + disputed == taken:
            assert (share, fee) == (0, 0)
        # Our word on every hold is the gateway's.
        held = {str(row.pk) for row in intents if row.state == DemoIntent.State.HELD}
        believed = {row.gateway_ref for row in payment.holds.filter(state=Hold.State.PLACED)}
        assert believed <= held
        if payment.state != Payment.State.OPEN:
            assert not held

    def _check_payouts(self, payments: list[Payment]) -> None:
        paid = list(Payout.objects.filter(expert=self.eve, state=Payout.State.PAID))
        out = sum(row.amount_minor - row.reversed_minor for row in paid)
        there = DemoTransfer.objects.filter(account=UUID(self.account.gateway_ref))
        assert sorted(row.amount_minor for row in there) == sorted(row.amount_minor for row in paid)
        entries = list(Posting.objects.filter(expert_user=self.eve))
        assert all(row.customer + row.expert + row.platform + row.processor == 0 for row in entries)
        assert sum(row.processor for row in entries) == out
        # The balance is the sum of the entries: the shares left, less what went out.
        owed = ledger.balance(self.eve).get("USD", 0)
        assert owed == sum(row.expert for row in entries)
        assert owed == sum(ledger.shares_left(payment)[0] for payment in payments) - out
        for row in standings(self.eve, self.now):
            assert 0 <= row.available_minor <= max(0, row.balance_minor)

    def finish(self) -> None:
        """After the sweep nothing is in between any more."""
        self.do(("heal",))
        self.check()
        for payment in Payment.objects.filter(reference__in=self.references):
            between = [Hold.State.PENDING, Hold.State.RELEASING]
            assert not payment.holds.filter(state__in=between).exists()
            assert payment.state != Payment.State.CAPTURING
            assert not payment.refunds.filter(state=Refund.State.PENDING).exists()
            # Nothing is held that we forgot.
            keys = [f"hold:{hold.pk}" for hold in payment.holds.exclude(state=Hold.State.PLACED)]
            assert not DemoIntent.objects.filter(key__in=keys, state=DemoIntent.State.HELD).exists()
        assert not Payout.objects.filter(expert=self.eve, state=Payout.State.PENDING).exists()

    def close(self) -> None:
        """Leave nothing for the next world's payday."""
        PayoutAccount.objects.filter(owner=self.eve).update(ready=False)
