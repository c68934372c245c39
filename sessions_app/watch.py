"""Being told when somebody is there: for a customer whose request found nobody (DESIGN §4)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.blocking import apart_from_each
from accounts.mail import send_once
from accounts.models import SentMail, Topic, User
from hopps.errors import Refused
from hopps.http import public_url
from sessions_app import jobs
from sessions_app.cancel import leave_for_now
from sessions_app.matching import free_for_topic
from sessions_app.models import HelpSession, State, Watch

# Requests that came to nothing: what a watch can be about.
CLOSED = (State.CANCELLED, State.EXPIRED)

WatchState = Literal["", "on", "told", "lapsed", "stopped"]


def tell_later(*, session: HelpSession, customer: User) -> None:
    """Leave an unanswered request, its hold released, and hear by mail when an expert is there; also after it expired.

    Raises:
        Refused: somebody accepted it, or it came to an end of another kind.
    """
    now = timezone.now()
    if session.state == State.REQUESTED:
        # Written first: a process killed in between leaves a watch that counts as soon as the request is closed.
        _watch(session, now)
        if leave_for_now(session_id=session.pk, customer=customer):
            return
        session.refresh_from_db()
        if session.state != State.EXPIRED:
            Watch.objects.filter(session=session).delete()
    if not _can_be_watched(session):
        raise Refused("An expert accepted meanwhile, or the request is over. Here is how it stands.")
    _watch(session, now)


def stop_telling(*, session: HelpSession) -> None:
    """The customer does not want to hear any more."""
    Watch.objects.filter(session=session, ended_at=None).update(ended_at=timezone.now())


def end_watches(*, customer: User, topic: Topic, now: datetime) -> None:
    """The customer asks again about `topic` at `now` (UTC): nothing of it is to be told any more."""
    Watch.objects.filter(customer=customer, topic=topic, ended_at=None).update(ended_at=now)


def state_of(session: HelpSession, now: datetime) -> WatchState:
    """Return how the watch of `session` stands at `now` (UTC); "" where there never was one."""
    watch = Watch.objects.filter(session=session).first()
    if watch is None:
        return ""
    if SentMail.objects.filter(key=watch_key(session.pk)).exists():
        return "told"
    lapses = _lapses_at(watch)
    if watch.ended_at is None:
        return "on" if now < lapses else "lapsed"
    return "stopped" if watch.ended_at < lapses else "lapsed"


def can_be_watched(session: HelpSession, now: datetime) -> bool:
    """Return whether the page of a closed `session` offers to tell its customer, at `now` (UTC)."""
    return _can_be_watched(session) and state_of(session, now) in ("", "stopped", "lapsed")


def tell_watchers(now: datetime) -> None:
    """Have those mailed for whom an expert is there at `now` (UTC): who waits longest first, each expert for one of them.

    Nobody is promised an expert: the mail says that somebody is there, and the first to ask gets the answer.
    """
    Watch.objects.filter(ended_at=None, since__lte=now - timedelta(hours=settings.WATCH_HOURS)).update(ended_at=now)
    spoken_for: set[UUID] = set()
    there: dict[UUID, set[UUID]] = {}
    watches = list(_open_watches())
    apart = apart_from_each({watch.customer_id for watch in watches})
    for watch in watches:
        if watch.topic_id not in there:
            online = free_for_topic(watch.topic_id).online(now)
            there[watch.topic_id] = set(online.values_list("user_id", flat=True))
        left_out = {exclusion.expert_id for exclusion in watch.session.exclusions.all()}
        free = there[watch.topic_id] - spoken_for - left_out - apart[watch.customer_id] - {watch.customer_id}
        if free:
            spoken_for.add(min(free))
            transaction.on_commit(lambda watch=watch: jobs.mail_watcher(str(watch.pk)), robust=True)  # type: ignore[misc]


def tell_watcher(*, session_id: UUID, now: datetime) -> bool:
    """Mail one customer that an expert is there, if that is still wanted at `now` (UTC); return whether it went out now.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; the next minute tries again.
    """
    # Whoever ends the watch mails.
    if not Watch.objects.filter(pk=session_id, ended_at=None).update(ended_at=now):
        return False
    session = HelpSession.objects.with_people().get(pk=session_id)
    text = render_to_string(
        "sessions/mail/somebody_is_there.txt",
        {
            "session": session,
            "ask": public_url(f"{reverse('ask')}?again={session.pk}"),
            "page": public_url(session.get_absolute_url()),
        },
    )
    subject = f"An expert for {session.topic.name} is there now: {session.title}"
    try:
        return send_once(key=watch_key(session.pk), to=session.customer, subject=subject, text=text)
    except BaseException:
        Watch.objects.filter(pk=session_id, ended_at=now).update(ended_at=None)
        raise


def watch_key(session_id: UUID) -> str:
    """Return what the mail is known by."""
    return f"watch:{session_id}"


def _open_watches() -> Iterable[Watch]:
    """Return the watches that count, who waits longest first: not of people who are in a request again."""
    asking = list(HelpSession.objects.open().values_list("customer_id", flat=True))
    return (
        Watch.objects.filter(ended_at=None, session__state__in=CLOSED, customer__is_active=True, topic__is_active=True)
        .exclude(customer_id__in=asking)
        .select_related("topic", "session")
        .prefetch_related("session__exclusions")
        .order_by("since", "pk")
    )


def _can_be_watched(session: HelpSession) -> bool:
    left = session.state == State.CANCELLED and session.end_reason == HelpSession.EndReason.LATER
    return session.state == State.EXPIRED or left


def _watch(session: HelpSession, now: datetime) -> None:
    """Begin to watch, or again; one at a time about each topic."""
    others = Watch.objects.filter(customer_id=session.customer_id, topic_id=session.topic_id, ended_at=None)
    others.exclude(session=session).update(ended_at=now)
    try:
        with transaction.atomic():
            Watch.objects.create(session=session, customer_id=session.customer_id, topic_id=session.topic_id, since=now)
    except IntegrityError:
        Watch.objects.filter(session=session, ended_at__isnull=False).update(ended_at=None, since=now)


def _lapses_at(watch: Watch) -> datetime:
    return watch.since + timedelta(hours=settings.WATCH_HOURS)
