"""The mail address a person signs in with and is written to: one, proven by a code, and changed by a new one's code."""

from email.utils import parseaddr

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from accounts import jobs
from accounts.models import User
from hopps.errors import Refused

TAKEN = "{address} belongs to another account already. Nothing was changed."
MEANWHILE = "Your address was changed in another tab meanwhile. Look at it, and change it again if you like."

CHANGED = """Hello {name},

the mail address of your Hopps account was changed from {before} to {after}. Sign in with the new one from now on.

Was it you? Then all is well.
If not, somebody else is in your account: write to {support} at once, from this address.

Hopps
"""


def confirm(*, user: User, address: str) -> None:
    """Make `address` the one and only of `user`, who typed the code sent there. The old one is told of a change.

    Unique constraints decide between two people who prove the same address at the same moment, and between two tabs.

    Args:
        user: who typed the code, just signed up or long known.
        address: in any case; kept in lower case.

    Raises:
        Refused: it is somebody else's, or the person's address was changed meanwhile.
    """
    address = address.lower()
    before = User.objects.values_list("email", flat=True).get(pk=user.pk)
    mine = EmailAddress.objects.filter(user=user)
    if not _prove(user, address):
        raise Refused(TAKEN.format(address=address))
    try:
        with transaction.atomic():
            moved = User.objects.filter(pk=user.pk, email=before, erased_at=None).update(email=address)
    except IntegrityError:
        # Somebody is just signing up with it.
        mine.filter(email=address).delete()
        raise Refused(TAKEN.format(address=address)) from None
    if not moved:
        mine.filter(email=address).exclude(email=User.objects.values_list("email", flat=True).get(pk=user.pk)).delete()
        raise Refused(MEANWHILE)
    # Where a process dies before this, the old address stays beside the new one until the next change.
    mine.exclude(email=address).delete()
    mine.filter(email=address).update(primary=True)
    user.email = address
    if before != address:
        transaction.on_commit(lambda: jobs.mail_address_changed(str(user.pk), before, address), robust=True)


def replace(*, user: User) -> None:
    """Forget every address of `user` but the one their row has: an owner of the site gave it to them. The old one is told.

    It counts once it is proven: signing in with it asks for a code. Until then it is nobody's word but the owner's.
    """
    before = EmailAddress.objects.filter(user=user, primary=True).exclude(email=user.email).first()
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
    if before is not None:
        old, new = before.email, user.email
        transaction.on_commit(lambda: jobs.mail_address_changed(str(user.pk), old, new), robust=True)


def _prove(user: User, address: str) -> bool:
    """Write down that `address` is proven to be of `user`; return whether it is theirs now."""
    mine = EmailAddress.objects.filter(user=user, email=address)
    for _ in range(2):
        try:
            with transaction.atomic():
                if not mine.update(verified=True):
                    EmailAddress.objects.create(user=user, email=address, verified=True)
        except IntegrityError:
            # Either another account has it, or this person's other tab wrote the same row: looked at once more.
            continue
        return True
    return False


def tell_old_address(*, user: User, before: str, after: str) -> None:
    """Mail the address that was. Raises OSError, smtplib.SMTPException where the mail server does not take it."""
    text = CHANGED.format(name=user, before=before, after=after, support=parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    EmailMessage(subject="The address of your Hopps account was changed", body=text, to=[before]).send()
