"""Who can help whom: the questions behind the board and the chime (DESIGN §4)."""

from collections.abc import Collection, Iterable, Mapping
from statistics import median
from uuid import UUID

from django.utils import timezone

from accounts.blocking import apart_from
from accounts.models import REACHED, ExpertProfile, ExpertTopic, Message, Topic, User
from accounts.models.experts import ExpertQuerySet
from hopps.money import format_money
from sessions_app.events import OpenRequest
from sessions_app.models import LIVE_STATES, Exclusion, HelpSession, State

# How many of the latest answers "usually answered in …" speaks of, and below how many it says nothing.
WAITS_LOOKED_AT = 50
WAITS_NEEDED = 3
# No board shows more.
REQUESTS_SHOWN = 50


def topic_audience(topic_id: UUID) -> str:
    """Return the hub's audience for boards that chime for a topic."""
    return f"topic:{topic_id}"


def personal_audience(expert_id: UUID | str) -> str:
    """Return the hub's audience for the boards of one expert who hears requests: of what is for this expert alone."""
    return f"chime:{expert_id}"


def approved_topic_ids(user: User) -> list[UUID]:
    """Return the topics `user` may accept requests for; none unless an approved expert."""
    approved = ExpertTopic.State.APPROVED
    profiles = ExpertProfile.objects.approved().filter(user=user, topics__state=approved)
    return list(profiles.values_list("topics__topic_id", flat=True))


def live_session_of(user: User) -> HelpSession | None:
    """Return the session `user` is busy with as an expert, if any."""
    return HelpSession.objects.live().filter(expert=user).with_people().first()


def requests_for(user: User) -> list[HelpSession]:
    """Return the open requests `user` may accept now, the longest waiting first."""
    return requests_for_each({user.pk: approved_topic_ids(user)})[user.pk]


def requests_for_each(topics_of: Mapping[UUID, Collection[UUID]]) -> dict[UUID, list[HelpSession]]:
    """Return the open requests each of these experts may accept now, the longest waiting first; read at once.

    `topics_of`: the topics each expert, by the person's id, may accept requests for.
    """
    now = timezone.now()
    wanted = {topic for topics in topics_of.values() for topic in topics}
    queue = HelpSession.objects.filter(state=State.REQUESTED, topic_id__in=wanted).with_people().order_by("queued_at")
    requests = list(queue) if wanted else []
    left_out = Exclusion.objects.filter(expert__in=list(topics_of), session__state=State.REQUESTED) if requests else None
    excluded = set(left_out.values_list("session_id", "expert_id")) if left_out is not None else set()

    def is_for(session: HelpSession, person: UUID) -> bool:
        is_theirs = session.first_expert_id == person or not session.is_for_first_expert(now)
        return is_theirs and session.customer_id != person and (session.pk, person) not in excluded

    return {
        person: [session for session in requests if session.topic_id in topics and is_for(session, person)][:REQUESTS_SHOWN]
        for person, topics in topics_of.items()
    }


def may_accept(session: HelpSession, user: User) -> bool:
    """Return whether `user` is an expert this request is for, whatever its state."""
    return (
        session.customer_id != user.pk
        and (session.first_expert_id == user.pk or not session.is_for_first_expert(timezone.now()))
        and session.topic_id in approved_topic_ids(user)
        and not Exclusion.objects.filter(session=session, expert=user).exists()
    )


def free_experts(session: HelpSession) -> ExpertQuerySet:
    """Return the experts who may accept `session` and could: available, in no session, not left out of it."""
    excluded = list(session.exclusions.values_list("expert_id", flat=True))
    experts = free_for_topic(session.topic_id)
    if session.is_for_first_expert(timezone.now()):
        experts = experts.filter(user=session.first_expert_id)
    return experts.exclude(user_id__in=[session.customer_id, *excluded])


def free_for_topic(topic_id: UUID) -> ExpertQuerySet:
    """Return the experts for a topic who are available and in no session."""
    return ExpertProfile.objects.available().for_topic(topic_id).exclude(user_id__in=_busy_ids())


def _busy_ids() -> list[UUID]:
    return list(HelpSession.objects.live().filter(expert__isnull=False).values_list("expert_id", flat=True))


def topics_without_anyone(topics: Iterable[Topic], *, customer: User | None) -> list[Topic]:
    """Return those of `topics` for which no expert is available, free and has a board open.

    `customer` is not counted, nor whom they do not meet.
    """
    there = ExpertProfile.objects.online(timezone.now()).exclude(user_id__in=_busy_ids())
    if customer is not None:
        there = there.exclude(user_id__in=[customer.pk, *apart_from(customer.pk)])
    approved = ExpertTopic.objects.filter(
        expert_id__in=list(there.values_list("pk", flat=True)), state=ExpertTopic.State.APPROVED
    )
    served = set(approved.values_list("topic_id", flat=True))
    return [topic for topic in topics if topic.pk not in served]


def alerted_count(session: HelpSession) -> int:
    """Return how many experts have this request on an open board now, or were sent a message about it.

    Not those who were told and are kept apart from the customer since.
    """
    on_boards = free_experts(session).online(timezone.now()).values_list("user_id", flat=True)
    told = Message.objects.filter(reference=session.pk, state__in=REACHED).values_list("to_id", flat=True)
    blocked = session.exclusions.filter(blocked=True).values_list("expert_id", flat=True)
    return len({*on_boards, *told} - set(blocked))


def usual_wait_seconds() -> int | None:
    """Return the median seconds from asking to accepting over the latest answers, or None where there are too few."""
    answers = (
        HelpSession.objects.filter(accepted_at__isnull=False, requested_at__isnull=False)
        .order_by("-accepted_at")
        .values_list("requested_at", "accepted_at")[:WAITS_LOOKED_AT]
    )
    waits = [(accepted - requested).total_seconds() for requested, accepted in answers if accepted and requested]
    return round(median(waits)) if len(waits) >= WAITS_NEEDED else None


def is_new_pair(session: HelpSession, expert: User) -> bool:
    """Return whether the customer has never had billable time with `expert`."""
    return not HelpSession.objects.filter(
        customer_id=session.customer_id, expert=expert, state=State.ENDED, billable_seconds__gt=0
    ).exists()


def is_busy(expert: User) -> bool:
    """Return whether `expert` is in a live session."""
    return HelpSession.objects.filter(expert=expert, state__in=LIVE_STATES).exists()


def active_topics() -> list[Topic]:
    """Return the topics one can ask for, in the page's order."""
    return list(Topic.objects.filter(is_active=True))


def as_open_request(session: HelpSession) -> OpenRequest:
    """Return what experts see of `session` before accepting."""
    if session.queued_at is None or session.expires_at is None:
        raise ValueError("Only a request put in front of experts can be shown to them.")
    return OpenRequest(
        id=session.pk,
        title=session.title,
        details=session.details,
        topic=str(session.topic),
        price=f"{format_money(session.price_per_minute, session.currency)}/min",
        customer=str(session.customer),
        cap_minutes=session.cap_minutes,
        requested_at=session.queued_at,
        expires_at=session.expires_at,
        asked_first=session.is_for_first_expert(timezone.now()),
    )
