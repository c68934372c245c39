"""Deleting an account: the person goes, what the law asks for about money stays (decision 0034).

One conditional UPDATE decides, and takes the name and the sign-in away. What follows can be done again from any point: it is
a job, and the sweep does what a crash, a processor or a mail server left. The placeholder address says how far it is.
"""

import logging
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib import import_module

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import jobs, photos
from accounts.mail import ERASED_DOMAIN, send_once
from accounts.models import (
    Block,
    ExpertHours,
    ExpertProfile,
    ExpertTopic,
    Message,
    Phone,
    PushSubscription,
    SentMail,
    TextConsent,
    User,
)
from hopps.each import look_after
from hopps.errors import Refused
from hopps.realtime.hub import hub
from hopps.realtime.sockets import PERSON, person_audience

logger = logging.getLogger(__name__)

NAME = "Deleted person"
# What stands in the place of words.
REMOVED = "(Removed: this person deleted their account.)"
# How the log of operators says what stood in the person's own fields. Which rights they had stays.
_OWN_FIELDS = re.compile(
    r"\A(?:Email|Name|Time zone): .*? → .*?\.(?= (?:Operator|Superuser status|Groups|User permissions): |\Z)", re.S
)
# A job that is alive has begun by then.
GRACE = timedelta(minutes=1)
# For so long the mail that says it is done is tried; then the address goes without it.
MAIL_TRIED_FOR = timedelta(days=1)

OPERATOR = "You are an operator. Have another operator take that from you first; then you can delete your account."

DONE = """Hello,

your Hopps account is deleted, as you asked. Your name, your addresses, your photo, your cards, your messages and what you
wrote in sessions are gone. What we must keep about payments we keep without your name.

This is the last mail you get from us. Was it not you? Answer to it today.

Hopps
"""

_objections: list[Callable[[User], str | None]] = []
_steps: list[Callable[[User], None]] = []


def register(*, objects: Callable[[User], str | None], removes: Callable[[User], None]) -> None:
    """Ask an app before an account is deleted, and have it remove what it knows of the person. To call when it is ready.

    Args:
        objects: returns why not yet, and what to do first, as a sentence for the person; None where nothing is in the way.
        removes: removes what there is of an erased person. It may be called again, also after it was done; what it raises
            has it called again a minute later.
    """
    if objects not in _objections:
        _objections.append(objects)
        _steps.append(removes)


def objections(user: User) -> list[str]:
    """Return why `user` cannot delete the account yet, a sentence each; empty where they can."""
    said = [OPERATOR] if user.is_staff or user.is_superuser else []
    return said + [sentence for objects in _objections if (sentence := objects(user))]


def erase(*, user: User) -> None:
    """Delete the account of `user`: no way back. All sign-ins end at once; the rest follows within a minute or so.

    Raises:
        Refused: something must be settled first; the sentence says what.
    """
    for sentence in objections(user):
        raise Refused(sentence)
    # Where the last mail goes: the user's own row forgets the address now.
    EmailAddress.objects.get_or_create(user=user, email=user.email)
    won = User.objects.filter(pk=user.pk, erased_at=None, is_staff=False, is_superuser=False).update(
        erased_at=timezone.now(),
        email=_placeholder(user, done=False),
        display_name=NAME,
        time_zone="UTC",
        password=make_password(None),
        is_active=False,
        last_login=None,
    )
    if not won:
        raise Refused("This account is being deleted already.")
    # After a restore, who went since that backup is found by this line.
    logger.warning("Account %s was deleted by its person", user.pk)
    _end_sign_ins(user)
    hub.wake(person_audience(user.pk), PERSON)
    transaction.on_commit(lambda: jobs.finish_erasing(str(user.pk)), robust=True)


def finish(user: User) -> None:
    """Remove all there is of an erased person. Safe to repeat, from wherever it stopped.

    Raises:
        Exception: whatever kept a step from being done; the sweep tries again.
    """
    if user.erased_at is None:
        raise ValueError("Only who deleted their account is erased.")
    _end_sign_ins(user)
    # The apps above first: they end what those below have cards and money for.
    for step in reversed(_steps):
        step(user)
    _remove(user)
    _say_goodbye(user)
    # Last: these say that something is left to do.
    EmailAddress.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(email=_placeholder(user, done=True))


def forget_in_log(things: Iterable[object], *, instead: str = NAME) -> None:
    """Take what things are called out of the log of operators, where it is what is removed now.

    Args:
        things: their ids.
        instead: what they are called there from now on.
    """
    LogEntry.objects.filter(object_id__in=[str(thing) for thing in things]).update(object_repr=instead)


def heal_erasures(now: datetime) -> None:
    """Finish what was left of accounts deleted more than a minute before `now` (UTC). Safe to repeat."""
    unfinished = User.objects.filter(email__startswith="erasing-", email__endswith=ERASED_DOMAIN, erased_at__lt=now - GRACE)
    look_after(unfinished, finish, name="Erasing of")


def _placeholder(user: User, *, done: bool) -> str:
    return f"{'erased' if done else 'erasing'}-{user.pk}{ERASED_DOMAIN}"


def _end_sign_ins(user: User) -> None:
    # The unusable password ends those nobody wrote down, too: a sign-in carries the password's hash.
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    for sign_in in UserSession.objects.filter(user=user):
        store.delete(sign_in.session_key)
    UserSession.objects.filter(user=user).delete()


def _remove(user: User) -> None:
    photos.remove_photo(user=user)
    for model in (Phone, TextConsent, PushSubscription, SocialAccount, Authenticator):
        model._default_manager.filter(user=user).delete()
    Block.objects.filter(Q(by=user) | Q(person=user)).delete()
    ExpertProfile.objects.filter(user=user).update(
        headline="", about="", links="", available=False, quiet_until=None, board_seen_at=None
    )
    # By their own column: MongoDB deletes from one table at a time.
    experts = list(ExpertProfile.objects.filter(user=user).values_list("pk", flat=True))
    ExpertHours.objects.filter(expert__in=experts).delete()
    ExpertTopic.objects.filter(expert__in=experts).delete()
    Message.objects.filter(to=user).update(address="", text="", problem="")
    SentMail.objects.filter(to=user).update(subject="")
    user.groups.clear()
    user.user_permissions.clear()
    forget_in_log([user.pk, *experts])
    for entry in LogEntry.objects.filter(object_id=str(user.pk), change_message__contains=" → "):
        said = _OWN_FIELDS.sub("Who they are: changed.", entry.change_message)
        LogEntry.objects.filter(pk=entry.pk).update(change_message=said)


def _say_goodbye(user: User) -> None:
    address = EmailAddress.objects.filter(user=user).order_by("-primary", "-verified").first()
    if address is None:
        return
    try:
        send_once(
            key=f"erased:{user.pk}", to=user, subject="Your Hopps account is deleted", text=DONE, address=address.email
        )
    except Exception:
        if user.erased_at is not None and timezone.now() - user.erased_at < MAIL_TRIED_FOR:
            raise
        logger.exception("The mail that account %s is deleted could not be sent; its address goes without", user.pk)
