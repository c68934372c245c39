"""Whom to tell of a request now, and by which way. Reads; changes nothing."""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from django.conf import settings
from django.db.models import F

from accounts.hours import Stretch, within_hours
from accounts.models import MISSED, REACHED, ExpertHours, ExpertProfile, Message, Phone, PushSubscription, User
from sessions_app.matching import free_experts
from sessions_app.models import HelpSession, State

Way = Message.Way
# The order in which ways are tried: the quickest and cheapest first.
WAYS = (Way.PUSH, Way.TEXT, Way.MAIL)
# What may yet reach the person, or has.
_ON_THE_WAY = frozenset(Message.State) - frozenset(MISSED)


@dataclass(frozen=True)
class Candidate:
    """An expert who may accept a request and is free, with what was told already."""

    expert: ExpertProfile
    told: tuple[Message, ...]
    """Messages to this expert about this request."""
    helped_before: bool
    """Whether this expert has helped this customer."""
    hours: tuple[Stretch, ...]
    """When messages may come."""
    number: str | None
    """The verified number the expert agreed to get texts at."""
    takes_push: bool
    """Whether a browser of theirs takes notifications."""

    @property
    def user(self) -> User:
        return self.expert.user

    def board_is_open(self, now: datetime) -> bool:
        """Whether a board of this expert is open at `now` (UTC): it chimes by itself."""
        seen = self.expert.board_seen_at
        return seen is not None and seen >= now - timedelta(seconds=settings.PRESENCE_STALE_SECONDS)

    @property
    def is_set_up(self) -> bool:
        """Whether a way this expert wants works."""
        expert = self.expert
        return (expert.by_push and self.takes_push) or (expert.by_text and self.number is not None) or expert.by_mail

    @property
    def takes_mail(self) -> bool:
        """Whether requests are mailed: to who wants that, and to who wants to be told and has set up nothing else yet."""
        return self.expert.by_mail or (not self.is_set_up and (self.expert.by_push or self.expert.by_text))

    def can_be_told(self, now: datetime) -> bool:
        """Whether a message about a new request would go out to this expert at `now` (UTC)."""
        return bool(self.working_ways(now)) and within_hours(self.hours, self.user.time_zone, now)

    def working_ways(self, now: datetime) -> list[Message.Way]:
        """Return the ways that reach this expert at `now` (UTC), the quickest first; the hours are another question."""
        expert = self.expert
        cooldown = timedelta(seconds=settings.TEXT_COOLDOWN_SECONDS)
        rested = expert.last_texted_at is None or expert.last_texted_at <= now - cooldown
        # A mail is for those who want one, and for those whom what was sent did not reach.
        sent = {message.state for message in self.told if message.way != Way.BOARD}
        missed = bool(sent & set(MISSED)) and not sent & set(REACHED)
        works = {
            # An open board shows the same notification by itself.
            Way.PUSH: expert.by_push and self.takes_push and not self.board_is_open(now),
            Way.TEXT: expert.by_text and self.number is not None and rested,
            Way.MAIL: self.takes_mail or missed,
        }
        return [way for way in WAYS if works[way]]


def candidates(session: HelpSession) -> list[Candidate]:
    """Return the free experts the request is for, those to be told first first.

    First who has helped this customer, then who was texted longest ago.
    """
    experts = list(free_experts(session).select_related("user"))
    if not experts:
        return []
    told: defaultdict[UUID, list[Message]] = defaultdict(list)
    for message in Message.objects.filter(reference=session.pk, purpose=Message.Purpose.REQUEST):
        told[message.to_id].append(message)
    helped = set(
        HelpSession.objects.filter(customer_id=session.customer_id, state=State.ENDED, billable_seconds__gt=0).values_list(
            "expert_id", flat=True
        )
    )
    return sorted(with_addresses(experts, told=told, helped=helped), key=_order)


def with_addresses(
    experts: Iterable[ExpertProfile],
    *,
    told: Mapping[UUID, Sequence[Message]] = MappingProxyType({}),
    helped: Container[UUID | None] = (),
) -> list[Candidate]:
    """Return `experts` with when and where messages reach them; `told` and `helped` by the person's id."""
    experts = list(experts)
    people = [expert.user_id for expert in experts]
    hours, numbers, browsers = hours_of(people), numbers_of(people), takers_of_push(people)
    return [
        Candidate(
            expert=expert,
            told=tuple(told.get(expert.user_id, ())),
            helped_before=expert.user_id in helped,
            hours=hours.get(expert.user_id, ()),
            number=numbers.get(expert.user_id),
            takes_push=expert.user_id in browsers,
        )
        for expert in experts
    ]


def hours_of(people: Collection[UUID]) -> dict[UUID, tuple[Stretch, ...]]:
    """Return the hours of each of `people` who has any."""
    found: defaultdict[UUID, list[Stretch]] = defaultdict(list)
    rows = ExpertHours.objects.filter(expert__user__in=people).order_by()
    for person, *stretch in rows.values_list("expert__user_id", "weekday", "start_minute", "end_minute"):
        found[person].append(Stretch(*stretch))
    return {person: tuple(stretches) for person, stretches in found.items()}


def numbers_of(people: Collection[UUID]) -> dict[UUID, str]:
    """Return the verified numbers of those of `people` who agreed to get texts there."""
    agreed = Phone.objects.filter(
        user__in=people, user__text_consents__ended_at=None, user__text_consents__number=F("number")
    )
    return dict(agreed.values_list("user_id", "number"))


def takers_of_push(people: Collection[UUID]) -> set[UUID]:
    """Return those of `people` who have a browser that takes notifications."""
    return set(PushSubscription.objects.filter(user__in=people).order_by().values_list("user_id", flat=True))


def _order(candidate: Candidate) -> tuple[bool, bool, float, str]:
    last = candidate.expert.last_texted_at
    # The id last: the same order for everybody who asks.
    return (not candidate.helped_before, last is not None, last.timestamp() if last else 0.0, str(candidate.expert.pk))


def next_ways(candidate: Candidate, session: HelpSession, now: datetime) -> list[Message.Way]:
    """Return the ways in which `candidate` is to be told of `session` at `now` (UTC); none where it is not the time.

    One way at a time, `WAYS_APART_SECONDS` apart, unless the expert asked for all at once, or the last one did not arrive.
    """
    if candidate.board_is_open(now) and now < head_start_ends(session):
        return []
    used = {message.key for message in candidate.told}
    open_ways = [way for way in candidate.working_ways(now) if key_of(session, candidate.user, way) not in used]
    # The wall clock last: it takes longest to read.
    if not open_ways or not within_hours(candidate.hours, candidate.user.time_zone, now):
        return []
    if candidate.expert.all_at_once:
        return open_ways
    apart = timedelta(seconds=settings.WAYS_APART_SECONDS)
    on_the_way = (one for one in candidate.told if one.state in _ON_THE_WAY and one.way != Way.BOARD)
    return [] if any(message.created_at > now - apart for message in on_the_way) else open_ways[:1]


def head_start_ends(session: HelpSession) -> datetime:
    """Return until when (UTC) an open board is left to its chime."""
    assert session.queued_at is not None, "Only a request put in front of experts has waves."
    return session.queued_at + timedelta(seconds=settings.BOARD_HEAD_START_SECONDS)


def key_of(session: HelpSession, expert: User, way: Message.Way) -> str:
    """Return the key of a message: an expert gets one text and one mail about a request, however often it is given back.

    A notification is taken back when the request is taken, so it comes anew when the request does.
    """
    key = f"request:{session.pk}:{expert.pk}:{way}"
    if way == Way.PUSH and session.queued_at is not None:
        return f"{key}:{int(session.queued_at.timestamp())}"
    return key


def this_wave(found: Iterable[Candidate], session: HelpSession, now: datetime) -> Iterator[tuple[Candidate, Message.Way]]:
    """Yield whom to tell now, and how: everybody who takes notifications, and of the others WAVE_SIZE people."""
    left = settings.WAVE_SIZE
    for candidate in found:
        ways = next_ways(candidate, session, now)
        disturbing = [way for way in ways if way != Way.PUSH]
        if disturbing and left <= 0:
            ways = [way for way in ways if way == Way.PUSH]
        elif disturbing:
            left -= 1
        for way in ways:
            yield candidate, way
