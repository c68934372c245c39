"""Accounts at other providers (Google, Amazon Cognito, OpenID Connect): to whom they belong, and when they are connected.

Decision 0030: a provider's word lets nobody into an account that was here before. Its person signs in once as usual, and the
provider is connected then.
"""

import time
from dataclasses import asdict, dataclass
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base.provider import Provider
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts.models import User

# In the browser session: the account at a provider that is connected once its person has signed in here, and whose sign-up
# this browser began.
WAITS_SESSION_KEY = "provider_waits"
SIGNED_UP_SESSION_KEY = "signed_up"
# A person has so long to sign in before what waits is forgotten, in seconds.
WAITS_SECONDS = 15 * 60


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An account at a provider, of somebody who has an account here with the same address and has not signed in to it yet.

    `name` is the provider's for people; `email` the address the provider has checked; `at` when, in seconds of the epoch.
    """

    provider: str
    uid: str
    name: str
    email: str
    at: float


def put_by(request: HttpRequest, *, provider: Provider, uid: str, email: str) -> None:
    """Keep in this browser's session that `uid` at `provider` is to be connected with the account that has `email`."""
    waits = Waiting(provider=provider.sub_id, uid=uid, name=provider.name, email=email, at=time.time())
    request.session[WAITS_SESSION_KEY] = asdict(waits)


def waiting(request: HttpRequest) -> Waiting | None:
    """Return what waits in this browser for its person to sign in, unless that is too long ago."""
    kept = request.session.get(WAITS_SESSION_KEY)
    waits = Waiting(**kept) if kept else None
    return waits if waits is not None and time.time() - waits.at < WAITS_SECONDS else None


def forget_waiting(request: HttpRequest) -> None:
    """Nothing waits any more: the person signed in some other way, or began anew."""
    request.session.pop(WAITS_SESSION_KEY, None)


def connect_what_waited(request: HttpRequest, *, user: User) -> bool:
    """Connect what waited in this browser with `user`, who has just signed in; return whether it was connected.

    Only where the address the provider checked is one of this person's own, proven here.
    """
    waits = waiting(request)
    forget_waiting(request)
    if waits is None or not EmailAddress.objects.filter(user=user, email__iexact=waits.email, verified=True).exists():
        return False
    try:
        with transaction.atomic():
            account = SocialAccount.objects.create(
                user=user, provider=waits.provider, uid=waits.uid, extra_data={"email": waits.email}
            )
    except IntegrityError:  # connected meanwhile, in another tab
        return False
    context = {"account": account, "provider": waits.name}
    get_adapter().send_notification_mail("socialaccount/email/account_connected", user, context=context)
    messages.success(request, f"From now on you can sign in with {waits.name} too.")
    return True


def shut_out_earlier_claims(request: HttpRequest, *, user: User, address: EmailAddress) -> None:
    """`address` was proven, the first one of `user`: whoever typed it before, in another browser, proved nothing.

    So a password and accounts at providers that were set up then do not open the account, unless this browser set them up
    or has just signed in by them. Else somebody could make an account with another's address, and wait for its owner.
    """
    # Nobody is signed in without an address they proved: who is, changes it.
    is_signed_in = request.user.is_authenticated
    proven_before = EmailAddress.objects.filter(user=user, verified=True).exclude(pk=address.pk).exists()
    if is_signed_in or proven_before or request.session.get(SIGNED_UP_SESSION_KEY) == str(user.pk):
        return
    records: list[dict[str, Any]] = get_authentication_records(request, user)
    if not any(record["method"] in {"password", "password_reset"} for record in records):
        user.set_unusable_password()
        user.save(update_fields=["password"])
    mine = {(record.get("provider"), record.get("uid")) for record in records}
    for account in SocialAccount.objects.filter(user=user):
        if (account.provider, account.uid) not in mine:
            account.delete()
