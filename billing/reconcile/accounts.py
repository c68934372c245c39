"""Payout accounts: paid to where the gateway does, and only there."""

from collections.abc import Iterator

from billing.models import PayoutAccount
from billing.payout_accounts import refresh_account
from billing.reconcile.run import Difference, Run, by_page


def compare_accounts(run: Run) -> Iterator[Difference]:
    """Every account, whatever its age: one request each, as the gateway lists none by what changed."""
    for account in by_page(PayoutAccount.objects.filter(gateway=run.processor.name)):
        yield from run.apart(_named(account), _compare(run, account))


def _compare(run: Run, account: PayoutAccount) -> Iterator[Difference]:
    there = run.processor.account_state(account.gateway_ref)
    account.refresh_from_db()
    if account.ready != there.ready:
        what = f"{_named(account)} is {_word(there.ready)} there and {_word(account.ready)} here."
        yield run.differs(what, lambda: refresh_account(account).ready == there.ready)


def _named(account: PayoutAccount) -> str:
    return f"Payout account {account.gateway_ref} of {account.owner_id}"


def _word(ready: bool) -> str:
    return "ready" if ready else "not ready"
