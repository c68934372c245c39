"""Paying experts: what may go out, and the weekly payout of it."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Min, Q, QuerySet, Sum
from django.urls import reverse

from accounts.models import User
from accounts.suspending import suspended_ids
from billing import ledger
from billing.gateways import gateway
from billing.gateways.base import KEYS_KEPT, GatewayRefused, GatewayUnavailable, TransferEntry
from billing.gateways.demo import DemoGateway
from billing.healing import heal_each
from billing.models import Dispute, Hold, Payment, Payout, PayoutAccount, Posting
from billing.payout_accounts import account_of
from hopps.each import look_after
from hopps.http import public_url
from hopps.money import format_money
from hopps.tasks import mail_operators

logger = logging.getLogger(__name__)

State = Payout.State

DEMO_MONEY = (
    "Nobody is paid: this database has sessions paid with demo cards, and what experts are owed for them is not real money. "
    "Real payments need a database of their own."
)
PAYOUT_HOUR = 6  # of a Monday, UTC; see billing/tasks.py
# The gateway's clock may be behind ours.
CLOCKS_APART = timedelta(hours=1)


@dataclass(frozen=True)
class Standing:
    """What an expert is owed in one currency, and why not all of it may go out. Minor units.

    Attributes:
        balance_minor: the ledger's word: what we owe, below zero after a refund of money paid out.
        fresh_minor: shares of sessions charged so lately that a problem can still be reported.
        kept_minor: shares of sessions somebody reported a problem with, or whose charge is disputed.
        reserved_minor: written down to be paid out, and not in the ledger yet.
    """

    currency: str
    balance_minor: int
    fresh_minor: int
    kept_minor: int
    reserved_minor: int

    @property
    def available_minor(self) -> int:
        """What may go out; never above the balance."""
        return max(0, self._ripe_minor)

    @property
    def short_minor(self) -> int:
        """What was paid out and given back to the customer since: the next earnings make up for it first."""
        return max(0, -self._ripe_minor)

    @property
    def _ripe_minor(self) -> int:
        return self.balance_minor - self.fresh_minor - self.kept_minor - self.reserved_minor


@dataclass(frozen=True)
class Due:
    """What a weekly run pays out."""

    account: PayoutAccount
    currency: str
    amount_minor: int
    period: str


def standings(expert: User, at: datetime) -> list[Standing]:
    """Return how `expert` stands in each currency there are entries in, as it will be at `at` (UTC) if nothing happens."""
    # Read before the ledger: a payout posted in between is then subtracted twice, and never left out.
    reserved = _reserved(expert)
    kept_back = Payment.objects.filter(payee=expert, kept_back=True).values_list("pk", flat=True)
    # The bank took the disputed part back, and the ledger has it. What is left of that session's share waits with it:
    # whoever disputes one charge of a session may dispute the next.
    disputed = Dispute.objects.filter(payment__payee=expert, state__in=Dispute.OPEN).values_list("payment", flat=True)
    kept = {*kept_back, *disputed}
    ripe_before = at - timedelta(hours=settings.REPORT_HOURS)
    charge = Q(kind=Posting.Kind.CHARGE)
    # One statement, so that a charge and its refund are both in it or neither.
    entries = Posting.objects.filter(expert_user=expert).order_by().values("currency", "payment_id")
    balance: dict[str, int] = {}
    fresh: dict[str, int] = {}
    waiting: dict[str, int] = {}
    for row in entries.annotate(net=Sum("expert"), charged_at=Min("posted_at", filter=charge)):
        currency, net = row["currency"], row["net"]
        balance[currency] = balance.get(currency, 0) + net
        # A session that cost the expert something waits for nothing: it counts at once.
        if row["payment_id"] is None or net <= 0:  # type: ignore[redundant-expr]  # the stubs forget that it may be null
            continue
        if row["payment_id"] in kept:
            waiting[currency] = waiting.get(currency, 0) + net
        elif row["charged_at"] > ripe_before:
            fresh[currency] = fresh.get(currency, 0) + net
    return [
        Standing(currency, owed, fresh.get(currency, 0), waiting.get(currency, 0), reserved.get(currency, 0))
        for currency, owed in sorted(balance.items())
    ]


def available(expert: User, now: datetime) -> dict[str, int]:
    """Return what may be paid out to `expert` at `now` (UTC): minor units by currency, only what is above zero.

    It is the ledger's balance, less the shares of sessions charged less than REPORT_HOURS ago, reported or disputed,
    less payouts written down and not in the ledger yet.
    """
    return {row.currency: row.available_minor for row in standings(expert, now) if row.available_minor}


def period_of(now: datetime) -> str:
    """Return the ISO week of `now` in UTC, such as 2026-W48."""
    year, week, _ = now.astimezone(UTC).isocalendar()
    return f"{year}-W{week:02d}"


def next_payout(now: datetime) -> datetime:
    """Return when the next weekly run after `now` begins: a Monday at 06:00 UTC."""
    day = now.astimezone(UTC).replace(hour=PAYOUT_HOUR, minute=0, second=0, microsecond=0)
    monday = day - timedelta(days=day.weekday())
    return monday if monday > now else monday + timedelta(days=7)


def due_payouts(now: datetime, *, again: bool = False) -> Iterator[Due]:
    """Yield what a run at `now` (UTC) pays out: to each ready account from the minimum on, once a week.

    Args:
        again: also where this week's payout was refused; under the week's next name, such as 2026-W48-2.
    """
    for account in _ready_accounts():
        yield from _due_to(account, now, again)


def pay_everybody(now: datetime, *, again: bool = False) -> list[Payout]:
    """Pay every expert with a ready account what is available, once a week. Safe to repeat, by two processes at once too.

    Args:
        now: UTC; its ISO week is the period.
        again: also where this week's payout was refused.

    Returns:
        The payouts this call made, as they stand.
    """
    made: list[Payout] = []

    def pay(account: PayoutAccount) -> None:
        for due in _due_to(account, now, again):
            payout = pay_out(expert=account.owner, currency=due.currency, period=due.period, now=now)
            if payout is not None:
                made.append(payout)

    look_after(_ready_accounts(), pay, name="Account")
    return made


def pay_out(*, expert: User, currency: str, period: str, now: datetime) -> Payout | None:
    """Pay `expert` what is available in one currency, once a period.

    Args:
        currency: ISO 4217 code.
        period: an ISO week such as 2026-W48; the insert of its row decides who pays it out.
        now: UTC.

    Returns:
        The payout: PAID, FAILED (refused; owed again), or PENDING where the processor did not answer (the sweep goes on).
        None where nothing goes out: below the minimum, no account that is ready, or this period's was made before.
    """
    if demo_money_is_owed():
        logger.error(DEMO_MONEY)
        return None
    account = account_of(expert)
    amount = available(expert, now).get(currency, 0)
    if account is None or not account.ready or amount < settings.PAYOUT_MINIMUM:
        return None
    try:
        with transaction.atomic():
            payout = Payout.objects.create(
                account=account, expert=expert, amount_minor=amount, currency=currency, period=period, created_at=now
            )
    except IntegrityError:
        return None
    try:
        return carry_out(payout, now)
    except GatewayUnavailable:
        logger.exception("Payout %s is written down and will be tried again", payout.pk)
        return payout


def carry_out(payout: Payout, now: datetime) -> Payout:
    """Do what a pending payout says, from wherever it stopped. Returns it as it is then.

    The ledger comes before the processor: what is on its way is never available a second time.

    Raises:
        GatewayUnavailable: the processor did not answer; the next call goes on from there.
    """
    payout = Payout.objects.select_related("account", "expert").get(pk=payout.pk)
    if payout.state != State.PENDING:
        return payout
    _book(payout, f"payout:{payout.pk}", -payout.amount_minor)
    # A problem written down means it was refused: it is never asked for again.
    if payout.problem:
        return _fail(payout, payout.problem)
    try:
        entry = _transfer(payout, now)
    except GatewayRefused as refusal:
        return _fail(payout, refusal.in_full)
    return record_paid(payout, entry.ref)


def heal_payouts(now: datetime) -> None:
    """Finish payouts that were left pending more than a minute before `now` (UTC)."""
    left = Payout.objects.filter(state=State.PENDING, created_at__lt=now - timedelta(minutes=1))
    heal_each(left, lambda payout: carry_out(payout, now), name="Payout")


def find_transfer(payout: Payout) -> TransferEntry | None:
    """Look a payout up in the gateway's books; None where it was never made there.

    Raises:
        GatewayError: the gateway did not show them.
    """
    books = gateway(payout.account.gateway).transfers_since(payout.created_at - CLOCKS_APART)
    return next((entry for entry in books if entry.key == f"payout:{payout.pk}"), None)


def record_paid(payout: Payout, gateway_ref: str) -> Payout:
    """Write down that the gateway made a payout, also one we believed refused. Safe to repeat. Returns it as it is then."""
    _book(payout, f"payout:{payout.pk}", -payout.amount_minor)
    Payout.objects.filter(pk=payout.pk, state__in=[State.PENDING, State.FAILED]).update(
        state=State.PAID, gateway_ref=gateway_ref, problem=""
    )
    return _squared(payout)


def record_reversal(payout: Payout, reversed_minor: int) -> Payout:
    """Write down that a payout was taken back at the processor: it is owed again. Safe to repeat and in any order.

    Args:
        reversed_minor: what was taken back of it in all, in minor units; less than is known already changes nothing.

    Raises:
        ValueError: more than was paid out.
    """
    if reversed_minor > payout.amount_minor:
        raise ValueError(f"Payout {payout.pk} cannot be reversed beyond its amount.")
    prefix = f"payout-reversed:{payout.pk}:"
    while True:
        booked = Posting.objects.filter(key__startswith=prefix).aggregate(total=Sum("expert"))["total"] or 0
        if booked >= reversed_minor:
            break
        # The key says what was reversed before: of two who heard different sums, one has to look again.
        with contextlib.suppress(ValueError):
            _book(payout, f"{prefix}{booked}", reversed_minor - booked)
    Payout.objects.filter(pk=payout.pk, reversed_minor__lt=booked).update(reversed_minor=booked)
    payout.refresh_from_db()
    return payout


def demo_money_is_owed() -> bool:
    """Return whether the ledger has sessions that were paid with demo cards, and real money would go out for them."""
    return (
        gateway().name != DemoGateway.name
        and Hold.objects.filter(gateway=DemoGateway.name, state=Hold.State.CAPTURED).exists()
    )


def _ready_accounts() -> QuerySet[PayoutAccount]:
    if demo_money_is_owed():
        logger.error(DEMO_MONEY)
        return PayoutAccount.objects.none()
    # What a suspended expert earned stays owed, and goes out once an operator lifts the suspension (decision 0044).
    accounts = PayoutAccount.objects.filter(gateway=gateway().name, ready=True)
    return accounts.exclude(owner__in=suspended_ids()).select_related("owner")


def _due_to(account: PayoutAccount, now: datetime, again: bool) -> Iterator[Due]:
    for currency, amount in available(account.owner, now).items():
        period = _period_for(account.owner, currency, period_of(now), again)
        if amount >= settings.PAYOUT_MINIMUM and period is not None:
            yield Due(account, currency, amount, period)


def _period_for(expert: User, currency: str, week: str, again: bool) -> str | None:
    """Return the name of the payout to make in this week, None where it was made."""
    made = list(Payout.objects.filter(expert=expert, currency=currency, period__startswith=week))
    if not made:
        return week
    # Nine tries a week are enough, and fit the column.
    refused = again and len(made) < 9 and all(payout.state == State.FAILED for payout in made)
    return f"{week}-{len(made) + 1}" if refused else None


def _reserved(expert: User) -> dict[str, int]:
    """Return what pending payouts reserve that the ledger does not have yet, by currency."""
    pending = {f"payout:{row.pk}": row for row in Payout.objects.filter(expert=expert, state=State.PENDING)}
    booked = set(Posting.objects.filter(key__in=list(pending)).values_list("key", flat=True))
    reserved: dict[str, int] = {}
    for key, row in pending.items():
        if key not in booked:
            reserved[row.currency] = reserved.get(row.currency, 0) + row.amount_minor
    return reserved


def _transfer(payout: Payout, now: datetime) -> TransferEntry:
    """Have the gateway pay; once it may have forgotten the key, look whether it did, and never ask anew."""
    if now - payout.created_at < KEYS_KEPT:
        return gateway(payout.account.gateway).transfer(
            key=f"payout:{payout.pk}",
            account_ref=payout.account.gateway_ref,
            amount_minor=payout.amount_minor,
            currency=payout.currency,
        )
    entry = find_transfer(payout)
    if entry is None:
        raise GatewayRefused("The processor did not answer for a day, and never made this payout.")
    return entry


def _fail(payout: Payout, sentence: str) -> Payout:
    """Owe a refused payout again, and tell operators. The sentence is written first: from then on nobody asks again."""
    Payout.objects.filter(pk=payout.pk, state=State.PENDING, problem="").update(problem=sentence[:200])
    payout.refresh_from_db()
    if payout.state == State.PENDING:
        _book(payout, f"payout-failed:{payout.pk}", payout.amount_minor)
        if Payout.objects.filter(pk=payout.pk, state=State.PENDING).update(state=State.FAILED):
            amount = format_money(payout.amount_minor, payout.currency)
            page = public_url(reverse("admin:billing_payout_change", args=[payout.pk]))
            mail_operators(
                f"A payout failed: {amount} to {payout.expert}",
                f"{amount} to {payout.expert} ({payout.expert.email}) for {payout.period} was refused:\n\n"
                f"{payout.problem}\n\nIt is owed again and goes out with the next weekly payout.\n{page}\n",
            )
    return _squared(payout)


def _squared(payout: Payout) -> Payout:
    """Bring the ledger in line where the gateway paid although another process heard it refuse."""
    payout.refresh_from_db()
    if payout.state == State.PAID and Posting.objects.filter(key=f"payout-failed:{payout.pk}").exists():
        _book(payout, f"payout-made:{payout.pk}", -payout.amount_minor)
    return payout


def _book(payout: Payout, key: str, expert_minor: int) -> None:
    """Write what the expert gained (+) or was paid (−); the processor has the other side."""
    ledger.post(
        key=key,
        kind=Posting.Kind.PAYOUT,
        currency=payout.currency,
        expert_user=payout.expert,
        expert=expert_minor,
        processor=-expert_minor,
    )
