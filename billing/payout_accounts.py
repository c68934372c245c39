"""Where an expert's earnings go: opening an account at the gateway, and looking how it stands."""

from accounts.models import User
from billing.gateways import gateway
from billing.models import PayoutAccount


def account_of(user: User) -> PayoutAccount | None:
    """Return the account `user` is paid to by the gateway in use, None where they have not opened one."""
    return PayoutAccount.objects.filter(owner=user, gateway=gateway().name).first()


def open_account(*, owner: User) -> PayoutAccount:
    """Return the owner's account at the gateway in use, opened where there was none.

    The key is the owner's, so asking again, also after a crash before our write, gives the same account.

    Raises:
        GatewayError: the processor did not open one; ask again.
    """
    there = account_of(owner)
    if there is not None:
        return there
    processor = gateway()
    answer = processor.open_account(key=f"account:{owner.pk}")
    account, _ = PayoutAccount.objects.get_or_create(
        owner=owner, gateway=processor.name, defaults={"gateway_ref": answer.ref, "ready": answer.ready}
    )
    return account


def refresh_account(account: PayoutAccount) -> PayoutAccount:
    """Ask the gateway whether `account` can be paid to, and write it down where that changed. Returns it as it is then.

    Raises:
        GatewayError: the processor did not say; nothing changed.
    """
    state = gateway(account.gateway).account_state(account.gateway_ref)
    # Only over the answer we knew: two that look at once write the change once.
    PayoutAccount.objects.filter(pk=account.pk, ready=not state.ready).update(ready=state.ready)
    account.refresh_from_db()
    return account
