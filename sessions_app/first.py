"""Asking an expert one knows before everybody else: for a minute the request is this expert's alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.blocking import apart_from_each, are_apart
from accounts.experts import refresh_boards
from accounts.models import ExpertProfile, ExpertTopic, Topic, User
from hopps.errors import Refused
from sessions_app import jobs, live
from sessions_app.late import what_became
from sessions_app.left_out import ask_again, leave_out
from sessions_app.matching import approved_topic_ids, is_busy
from sessions_app.models import LIVE_STATES, HelpSession, State, TimelineEntry
from sessions_app.reach.waves import start_waves
from sessions_app.reach.whom import with_addresses
from sessions_app.timeline import record


class Standing(Enum):
    """Whether an expert can be asked now."""

    HERE = auto()  # has a board open
    BY_MESSAGE = auto()  # is available, and is told by message
    BUSY = auto()
    AWAY = auto()
    OTHER_TOPIC = auto()

    @property
    def is_there(self) -> bool:
        """Whether the expert hears of a request made now."""
        return self in (Standing.HERE, Standing.BY_MESSAGE)


@dataclass(frozen=True)
class KnownExpert:
    """An expert a customer has had a session with, and how they stand for its topic."""

    session: HelpSession
    expert: User
    standing: Standing

    @property
    def sentence(self) -> str:
        """What is the matter where the expert is not there, without a full stop."""
        return _why_not(self.standing, self.expert, self.session.topic)


def standing_of(expert: User, topic: Topic, now: datetime, *, customer: User) -> Standing:
    """Return whether `customer` can ask `expert` for help with `topic` at `now` (UTC).

    Of two who do not meet, either finds the other away: who blocked whom is not to be read from the answer.
    """
    if are_apart(customer.pk, expert.pk):
        return Standing.AWAY
    if topic.pk not in approved_topic_ids(expert):
        return Standing.OTHER_TOPIC
    if is_busy(expert):
        return Standing.BUSY
    available = with_addresses(ExpertProfile.objects.available().filter(user=expert).select_related("user"))
    if not available:
        return Standing.AWAY
    candidate = available[0]
    if candidate.board_is_open(now):
        return Standing.HERE
    return Standing.BY_MESSAGE if candidate.can_be_told(now) else Standing.AWAY


def known_expert(*, customer: User, session_id: object) -> KnownExpert | None:
    """Return the expert of one of `customer`'s past sessions, or None where there is no such session.

    Args:
        session_id: as it came from a page; anything that is no session of theirs is none.
    """
    try:
        wanted = UUID(str(session_id))
    except ValueError:
        return None
    ended = HelpSession.objects.filter(pk=wanted, customer=customer, state=State.ENDED)
    session = ended.with_people().first()
    if session is None or session.expert is None:
        return None
    standing = standing_of(session.expert, session.topic, timezone.now(), customer=customer)
    return KnownExpert(session, session.expert, standing)


def may_ask_first_among(sessions: Iterable[HelpSession]) -> set[UUID]:
    """Return the ids of those past sessions whose customers can ask their expert first for the same topic again."""
    past = [one for one in sessions if one.state == State.ENDED and one.expert_id is not None and one.topic.is_active]
    people = {session.expert_id for session in past if session.expert_id is not None}
    experts = ExpertProfile.objects.approved().filter(user_id__in=people).values_list("pk", flat=True)
    approved = ExpertTopic.objects.filter(state=ExpertTopic.State.APPROVED, expert_id__in=list(experts))
    pairs = set(approved.values_list("expert__user_id", "topic_id"))
    apart = apart_from_each({session.customer_id for session in past})
    return {
        session.pk
        for session in past
        if (session.expert_id, session.topic_id) in pairs and session.expert_id not in apart[session.customer_id]
    }


def past_session_with(*, customer: User, expert: User) -> HelpSession | None:
    """Return the latest session `customer` had with `expert`."""
    return HelpSession.objects.filter(customer=customer, expert=expert, state=State.ENDED).first()


def at_first(draft: HelpSession, now: datetime) -> tuple[dict[str, object], str]:
    """Return how a request that goes live at `now` (UTC) begins.

    Args:
        draft: with its topic and the expert to be asked first.

    Returns:
        The columns that say whose it is, and why the wanted expert is not asked first; empty where they are, or none is
        wanted.
    """
    expert = draft.first_expert
    if expert is None:
        return {"first_expert": None, "first_until": None}, ""
    standing = standing_of(expert, draft.topic, now, customer=draft.customer)
    if standing.is_there:
        return {"first_expert": expert, "first_until": now + timedelta(seconds=settings.FIRST_EXPERT_SECONDS)}, ""
    return {"first_expert": expert, "first_until": None}, _why_not(standing, expert, draft.topic)


def end_first_minute(*, session_id: UUID, now: datetime) -> bool:
    """Put a request in front of everybody whose first expert has not answered by `now` (UTC); return whether it was done."""
    return _open_to_everyone(session_id, now, why="{expert} did not answer in time", first_until__lte=now)


def pass_on(*, session_id: UUID, expert: User) -> None:
    """The expert who was asked first says "not now": left out of this request, which everybody hears of at once.

    Raises:
        Refused: it is not open any more; the sentence says why.
    """
    session = HelpSession.objects.get(pk=session_id)
    if session.state != State.REQUESTED or session.first_expert_id != expert.pk:
        raise Refused(what_became(session, expert))
    # Written first: from the moment it is everybody's, this expert must not be asked.
    excluded_now = leave_out(session=session, expert=expert)
    opened = _open_to_everyone(session_id, timezone.now(), why="{expert} cannot come now", first_until__isnull=False)
    accepted = HelpSession.objects.filter(pk=session_id, expert=expert, state__in=LIVE_STATES)
    if not opened and excluded_now and accepted.exists():
        # Accepted in another tab at this very moment: nothing is passed on.
        ask_again(session=session, expert=expert)
        raise Refused("You accepted this one already.")
    refresh_boards(expert.pk)


def let_others_hear(*, session_id: UUID, expert: User) -> bool:
    """End the minute of an `expert` who was asked first and is now kept apart from the customer; return whether it was."""
    why = _why_not(Standing.AWAY, expert)
    return _open_to_everyone(session_id, timezone.now(), why=why, first_expert=expert, first_until__isnull=False)


def _open_to_everyone(session_id: UUID, now: datetime, *, why: str, **condition: object) -> bool:
    """End the first expert's minute, if it is not over; whoever does it tells everybody."""
    won = HelpSession.objects.filter(pk=session_id, state=State.REQUESTED, **condition).update(
        first_until=None, queued_at=now, next_wave_at=now
    )
    if not won:
        return False
    session = HelpSession.objects.with_people().select_related("first_expert").get(pk=session_id)
    record(session, TimelineEntry.Kind.OPENED, note=why.format(expert=session.first_expert), at=now)
    live.request_opened(session)
    live.session_changed(session)
    start_waves(session)
    jobs.look_again_when_due(session)
    return True


def _why_not(standing: Standing, expert: User, topic: Topic | None = None) -> str:
    match standing:
        case Standing.OTHER_TOPIC if topic is not None:
            return f"{expert} does not help with {topic.name}"
        case Standing.BUSY:
            return f"{expert} is in another session right now"
        case Standing.AWAY:
            return f"{expert} is not there right now"
    return ""
