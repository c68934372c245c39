"""Experts who earn and are paid: what the tests of earnings and payouts start from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db.models import QuerySet
from huey.contrib.djhuey import HUEY

from accounts.models import User
from billing import holds
from billing.capture import capture
from billing.gateways.demo import DemoGateway
from billing.models import DemoAccount, DemoTransfer, Dispute, Payment, PayoutAccount, Posting
from billing.payout_accounts import open_account, refresh_account
from tests.billing.conftest import approved_card

# Tuesday of week 48: the Monday before it and the one after it are 23 and 30 November.
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def earned(
    customer: User, expert: User, amount_minor: int, *, hours_ago: float = 72, currency: str = "USD", now: datetime = NOW
) -> Payment:
    """Return a payment charged so long before `now`; of it 80 % are the expert's."""
    reference = uuid4()
    held = holds.place_hold(
        reference=reference,
        payer=customer,
        amount_minor=amount_minor,
        currency=currency,
        description="My query is slow",
        card=approved_card(customer),
        return_url="",
    )
    assert isinstance(held, holds.HoldPlaced)
    payment = capture(reference=reference, payee=expert, amount_minor=amount_minor)
    assert payment.state == Payment.State.CHARGED
    date(payment, now - timedelta(hours=hours_ago))
    return payment


def date(payment: Payment, at: datetime) -> None:
    """Move the charge in time. The ledger itself lets nobody do that."""
    QuerySet(Posting).filter(payment=payment, kind=Posting.Kind.CHARGE).update(posted_at=at)


def ready_account(expert: User) -> PayoutAccount:
    """Return an account the expert has been through the demo's page with."""
    account = open_account(owner=expert)
    DemoGateway().finish_account(account.gateway_ref)
    return refresh_account(account)


def make_refuse(account: PayoutAccount) -> None:
    """Have the gateway refuse to pay, while we believe it would."""
    DemoAccount.objects.filter(pk=account.gateway_ref).update(ready=False)


def dispute(payment: Payment, state: Dispute.State) -> Dispute:
    """Return a dispute of a payment's first hold. Its posting is another matter."""
    hold = payment.holds.get(sequence=1)
    return Dispute.objects.create(
        payment=payment,
        hold=hold,
        gateway=hold.gateway,
        gateway_ref=str(uuid4()),
        amount_minor=hold.captured_minor,
        reason="fraudulent",
        state=state,
    )


def transferred() -> list[int]:
    """Return what the gateway's own books say was paid out."""
    return sorted(DemoTransfer.objects.values_list("amount_minor", flat=True))


@pytest.fixture
def jobs_at_once() -> Iterator[None]:
    """Jobs run where they are asked for, as a worker would a moment later."""
    HUEY.immediate = True
    yield
    HUEY.immediate = False
