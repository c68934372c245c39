"""What experts' boards are chimed for, and what they show: read for many at once."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from accounts.models import ExpertProfile, ExpertTopic
from sessions_app.events import BoardState
from sessions_app.matching import as_open_request, personal_audience, requests_for_each, topic_audience
from sessions_app.models import HelpSession


@dataclass(frozen=True)
class Board:
    """One expert's board."""

    chimes: frozenset[str]
    """The audiences it is to hear requests of; none while the expert is away, asked for quiet or is in a session."""
    state: BoardState


def boards_of(people: Collection[UUID]) -> dict[UUID, Board]:
    """Return the board of each of `people`, experts or not, by the person's id; a thousand take as many queries as one."""
    experts = {expert.user_id: expert for expert in ExpertProfile.objects.approved().filter(user__in=list(people))}
    busy = dict(HelpSession.objects.live().filter(expert__in=list(people)).values_list("expert_id", "pk"))
    listening = [expert for expert in experts.values() if expert.is_listening and expert.user_id not in busy]
    topics_of = _topics_of(listening)
    requests_of = requests_for_each(topics_of)
    shown = {request.pk: as_open_request(request) for requests in requests_of.values() for request in requests}

    def board(person: UUID) -> Board:
        expert = experts.get(person)
        chimes = [personal_audience(person), *map(topic_audience, topics_of[person])] if person in topics_of else []
        return Board(
            frozenset(chimes),
            BoardState(
                available=expert is not None and expert.available,
                requests=[shown[request.pk] for request in requests_of.get(person, ())],
                session=busy.get(person),
                quiet_until=expert.quiet_until if expert is not None and expert.is_quiet else None,
            ),
        )

    return {person: board(person) for person in people}


def _topics_of(experts: Collection[ExpertProfile]) -> dict[UUID, list[UUID]]:
    """Return the topics each of `experts` is approved for, by the person's id."""
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    approved = ExpertTopic.objects.filter(expert__in=[expert.pk for expert in experts], state=ExpertTopic.State.APPROVED)
    for expert, topic in approved.values_list("expert_id", "topic_id"):
        found[expert].append(topic)
    return {expert.user_id: found[expert.pk] for expert in experts}
