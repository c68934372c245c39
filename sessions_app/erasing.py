"""What is about sessions when a person deletes their account: what must be over first, and which words go."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.files.storage import storages
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from accounts.erasing import NAME, REMOVED, forget_in_log
from accounts.models import Message, User
from hopps.errors import Refused
from sessions_app.answer import unanswered
from sessions_app.ask import discard
from sessions_app.cancel import cancel
from sessions_app.end import end
from sessions_app.models import (
    OPEN_STATES,
    Case,
    ChatFile,
    ChatMessage,
    Exclusion,
    HelpSession,
    NotesEdit,
    PersonReport,
    Rating,
    SharedNotes,
    State,
    TimelineEntry,
    Watch,
)
from sessions_app.release import release

OPEN = "“{title}” is still open. End or cancel it first."
BILL = "The bill of “{title}” is being made. Try again in some minutes."
LATELY = "Problems with “{title}” can be reported until {until}, by either side. You can delete your account after that."
LOOKED_AT = "One of your sessions is still being looked at. Try again in some days, or write to us."

SOME = 500


class StillOpen(Exception):
    """A session of an erased person could not be ended yet."""


def objection(user: User) -> str | None:
    """Return what about sessions keeps `user` from deleting the account yet, as a sentence; None where nothing does."""
    sessions = HelpSession.objects.of(user)
    if (session := sessions.filter(state__in=OPEN_STATES).first()) is not None:
        return OPEN.format(title=session.title)
    if (session := sessions.filter(state=State.ENDED, settled_at=None).first()) is not None:
        return BILL.format(title=session.title)
    reported_until = timedelta(hours=settings.REPORT_HOURS)
    lately = (
        sessions.filter(expert__isnull=False, ended_at__gt=timezone.now() - reported_until).order_by("-ended_at").first()
    )
    if lately is not None and lately.ended_at is not None:
        until = date_format(timezone.localtime(lately.ended_at + reported_until), "l, j F, H:i")
        return LATELY.format(until=until, title=lately.title)
    # Not said whose report it is: the other one's may not be known to this person.
    of_theirs = Q(session__customer=user) | Q(session__expert=user)
    if Case.objects.filter(of_theirs).filter(unanswered()).exists():
        return LOOKED_AT
    reports = PersonReport.objects.filter(state=PersonReport.State.OPEN)
    return LOOKED_AT if reports.filter(Q(by=user) | Q(about=user)).exists() else None


def remove(user: User) -> None:
    """End what an erased person still has open, and remove the words they wrote. The session itself stays, and its bill.

    Raises:
        StillOpen: a session could not be ended yet; to be called again.
        Exception: the storage of files did not answer; to be called again.
    """
    _let_go(user)
    _remove_requests(user)
    _remove_files(user)
    ChatMessage.objects.filter(author=user).exclude(body="").exclude(body=REMOVED).update(body=REMOVED)
    _empty_notes(user)
    Case.objects.filter(by=user).update(problem=REMOVED)
    PersonReport.objects.filter(by=user).update(words="")
    forget_in_log(PersonReport.objects.filter(about=user).values_list("pk", flat=True))
    TimelineEntry.objects.filter(by=user, kind=TimelineEntry.Kind.REPORTED).update(note="")
    _forget_name(user)


def _let_go(user: User) -> None:
    """Something may have been asked or accepted in another tab at the very moment the account was deleted."""
    Watch.objects.filter(customer=user, ended_at=None).update(ended_at=timezone.now())
    for draft in HelpSession.objects.filter(customer=user, state=State.DRAFT).values_list("pk", flat=True):
        discard(draft)
    for session in HelpSession.objects.of(user).open():
        with suppress(Refused):
            if session.state == State.ACTIVE:
                end(session=session, by=user)
            elif session.customer_id == user.pk:
                cancel(session_id=session.pk, customer=user)
            else:
                release(session_id=session.pk, expert=user)
    if HelpSession.objects.of(user).open().exists():
        raise StillOpen(f"A session of {user.pk} is still open.")


def _asked_by(user: User) -> Iterator[list[UUID]]:
    """Yield the ids of all sessions `user` asked for, some at a time: an update asks of its own table alone."""
    ids = list(HelpSession.objects.filter(customer=user).values_list("pk", flat=True))
    for start in range(0, len(ids), SOME):
        yield ids[start : start + SOME]


def _remove_requests(user: User) -> None:
    asked = HelpSession.objects.filter(customer=user)
    asked.exclude(details="").update(details="")
    # What was paid for stays on the receipt; where nothing was, it need not be known what it was about.
    unpaid = list(asked.filter(amount_minor=0).values_list("pk", flat=True))
    asked.filter(amount_minor=0).update(title=REMOVED)
    cases = list(Case.objects.filter(session__in=unpaid).values_list("pk", flat=True))
    forget_in_log([*unpaid, *cases], instead=REMOVED)
    for ids in _asked_by(user):
        Rating.objects.filter(session__in=ids).exclude(comment="").update(comment="")
        # Texts and mails to experts said what the request was about.
        Message.objects.filter(reference__in=ids).exclude(text="").update(text="")


def _remove_files(user: User) -> None:
    """Bytes first: while a row names them, whoever comes next finds them."""
    for file in ChatFile.objects.filter(message__author=user):
        ChatMessage.objects.filter(pk=file.pk).update(body=REMOVED)
        storages["uploads"].delete(file.stored_as)
        ChatFile.objects.filter(pk=file.pk).delete()


def _empty_notes(user: User) -> None:
    """Notes both wrote in are a text of two, and stay for the other one. Where nobody else is left who wrote, they go."""
    written_in = set(NotesEdit.objects.filter(author=user).order_by().values_list("session", flat=True))
    others = NotesEdit.objects.filter(session__in=list(written_in), author__erased_at=None).order_by()
    nobody_left = list(written_in - set(others.values_list("session", flat=True)))
    NotesEdit.objects.filter(session__in=nobody_left).update(change=[])
    SharedNotes.objects.filter(session__in=nobody_left).exclude(body="").update(body="")


def _forget_name(user: User) -> None:
    """Take the name out of the timeline's notes, where it says who was asked first or did not come."""
    asked_first = list(HelpSession.objects.filter(first_expert=user).values_list("pk", flat=True))
    TimelineEntry.objects.filter(session__in=asked_first, kind=TimelineEntry.Kind.OPENED).exclude(note="").update(note="")
    left_out = Exclusion.objects.filter(expert=user).values_list("session", flat=True)
    came_not = TimelineEntry.objects.filter(session__in=list(left_out), kind=TimelineEntry.Kind.RETURNED)
    for entry in came_not.exclude(note=NAME):
        # The person's own row has forgotten the name by now: it is the one that is nobody else's.
        others = Exclusion.objects.filter(session=entry.session_id).exclude(expert=user).select_related("expert")
        if entry.note not in {str(other.expert) for other in others}:
            TimelineEntry.objects.filter(pk=entry.pk).update(note=NAME)
