"""What /metrics shows of money."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from billing import ledger
from billing.capture import capture
from billing.metrics import money
from billing.models import Posting
from billing.refund import refund
from tests.billing.conftest import approved_card, placed
from tests.figures import figures


def charged(customer: User, expert: User, amount_minor: int) -> None:
    reference = uuid4()
    placed(approved_card(customer), 6000, reference)
    capture(reference=reference, payee=expert, amount_minor=amount_minor)


@pytest.mark.django_db
def test_it_shows_what_the_ledger_took_up_today_and_yesterday(alice: User, eve: User, olga: User) -> None:
    noon = timezone.now().replace(hour=12, minute=0)
    for days_ago, amount in ((2, 100), (1, 2000), (0, 3000), (0, 1500)):
        with time_machine.travel(noon - timedelta(days=days_ago)):
            charged(alice, eve, amount)
    with time_machine.travel(noon):
        payment = Posting.objects.get(customer=-1500).payment
        assert payment is not None
        refund(payment=payment, amount_minor=500, reason="Sorry.", by=olga)
        ledger.post(key="payout:1", kind=Posting.Kind.PAYOUT, currency="USD", expert_user=eve, expert=-900, processor=900)
        ledger.post(key="payout:1:back", kind=Posting.Kind.PAYOUT, currency="USD", expert=200, processor=-200)

        assert figures(money()) == {
            "hopps_money_minor today charged USD": 4500,
            "hopps_money_minor today refunded USD": 500,
            "hopps_money_minor today paid_out USD": 700,
            "hopps_money_minor yesterday charged USD": 2000,
        }
