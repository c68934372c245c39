"""The ledger only grows and always sums to zero."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from billing import ledger
from billing.models import Posting
from tests.billing.conftest import charged


def post(key: str = "k", *, expert_user: User | None = None, customer: int = -10, expert: int = 8) -> Posting:
    return ledger.post(
        key=key,
        kind=Posting.Kind.CHARGE,
        currency="USD",
        expert_user=expert_user,
        customer=customer,
        expert=expert,
        platform=2,
    )


def test_a_key_is_posted_once(db: None) -> None:
    assert post() == post()
    assert Posting.objects.count() == 1


def test_a_key_with_other_amounts_is_an_error(db: None) -> None:
    post()
    with pytest.raises(ValueError, match="other amounts"):
        post(customer=-11, expert=9)


def test_what_does_not_sum_to_zero_is_not_posted(db: None) -> None:
    with pytest.raises(ValueError, match="zero"):
        post(customer=-11)
    assert not Posting.objects.exists()


def test_the_database_refuses_it_too(db: None) -> None:
    if not connection.features.supports_table_check_constraints:
        pytest.skip("this database has no check constraints")
    row = Posting(key="k", kind="charge", currency="USD", customer=-1, expert=0, platform=0, processor=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_nothing_edits_or_deletes_it(db: None) -> None:
    posting = post()
    with pytest.raises(TypeError):
        Posting.objects.update(customer=0)
    with pytest.raises(TypeError):
        Posting.objects.filter(pk=posting.pk).delete()
    with pytest.raises(TypeError):
        posting.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        posting.save()


def test_a_balance_is_the_sum_of_ones_own_entries_by_currency(alice: User, eve: User, bob: User) -> None:
    charged(alice, eve, 1000)
    charged(alice, eve, 500)
    charged(alice, bob, 700)
    ledger.post(key="p", kind=Posting.Kind.PAYOUT, currency="EUR", expert_user=eve, expert=-5, processor=5)
    assert ledger.balance(eve) == {"EUR": -5, "USD": 1200}
    assert ledger.balance(alice) == {}
    assert [posting.expert for posting in ledger.postings_of(eve)] == [-5, 400, 800]
