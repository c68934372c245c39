"""What operators decide about experts: each topic with its reason, suspension and its end. The expert is told by mail."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts import jobs
from accounts.experts import refresh_boards
from accounts.models import ExpertProfile, ExpertTopic, User
from hopps.errors import Refused

State = ExpertProfile.State


@dataclass(frozen=True)
class Decision:
    """One topic, as the operator saw it, and what is decided about it."""

    topic: ExpertTopic
    approved: bool
    reason: str = ""
    """Why it is refused; the applicant reads it."""


def waiting_for_a_decision() -> QuerySet[ExpertProfile]:
    """Return the experts with a topic that no operator decided yet."""
    applied = ExpertTopic.objects.filter(expert=OuterRef("pk"), state=ExpertTopic.State.APPLIED)
    return ExpertProfile.objects.filter(Exists(applied))


def decide(*, expert_topic: ExpertTopic, approved: bool, reason: str, by: User) -> bool:
    """Decide one topic and have the applicant told; return False where somebody decided it meanwhile.

    Args:
        expert_topic: as the operator saw it: its state is what the decision is about.
        reason: why it is refused; of no meaning for an approval.
        by: the operator.

    Raises:
        Refused: refused without a reason.
    """
    return bool(decide_each(decisions=[Decision(expert_topic, approved, reason)], by=by))


def decide_each(*, decisions: Iterable[Decision], by: User | None) -> list[ExpertTopic]:
    """Decide several topics of one expert, who is told of them all in one mail.

    Args:
        by: the operator; None where no person decided (demo data): then nobody is mailed.

    Returns:
        The topics decided now; one that somebody else decided meanwhile is not among them.

    Raises:
        Refused: one is refused without a reason; nothing is decided.
    """
    decisions = list(decisions)
    for decision in decisions:
        if not decision.approved and not decision.reason.strip():
            raise Refused(f"Say why {decision.topic.topic.name} is refused: the applicant reads it.")
    now = _now()
    decided = [decision.topic for decision in decisions if _decide(decision, by, now)]
    for expert_id in {topic.expert_id for topic in decided}:
        follow_topics(expert_id)
        refresh_boards(*ExpertProfile.objects.filter(pk=expert_id).values_list("user_id", flat=True))
        if by is not None:
            _soon(partial(jobs.mail_decisions, str(expert_id), now.isoformat()))
    return decided


def approve_all(*, expert: ExpertProfile, by: User | None = None) -> list[ExpertTopic]:
    """Approve every topic `expert` applied for; return those approved now. What was refused stays refused."""
    applied = expert.topics.filter(state=ExpertTopic.State.APPLIED).select_related("topic")
    return decide_each(decisions=[Decision(topic, approved=True) for topic in applied], by=by)


def suspend(*, expert: ExpertProfile) -> bool:
    """Suspend `expert`: off every board and unable to accept, at once. A running session is not cut off.

    Returns:
        False where the expert was suspended already; who was not is told by mail.
    """
    others = ExpertProfile.objects.filter(pk=expert.pk).exclude(state=State.SUSPENDED)
    if not others.update(state=State.SUSPENDED, available=False):
        return False
    refresh_boards(expert.user_id)
    _soon(partial(jobs.mail_suspension, str(expert.pk)))
    return True


def lift_suspension(*, expert: ExpertProfile) -> bool:
    """End the suspension of `expert`, who stands as their topics do; return False where there was none.

    Who was suspended is told by mail, and turns the availability switch themselves.
    """
    if not ExpertProfile.objects.filter(pk=expert.pk, state=State.SUSPENDED).update(state=State.APPLIED):
        return False
    follow_topics(expert.pk)
    refresh_boards(expert.user_id)
    _soon(partial(jobs.mail_suspension, str(expert.pk)))
    return True


def follow_topics(expert_id: UUID) -> None:
    """Have an expert's state follow their topics, unless suspended.

    Whoever changed a topic calls this after it. Of two who do at once, the later looks at what both wrote: the order of the
    steps is such that it puts right what the other could not see.
    """
    profile = ExpertProfile.objects.filter(pk=expert_id)
    states = set(ExpertTopic.objects.filter(expert_id=expert_id).values_list("state", flat=True))
    if states == {ExpertTopic.State.REFUSED}:
        profile.filter(state__in=(State.APPLIED, State.APPROVED)).update(state=State.REFUSED, available=False)
    if _has(expert_id, ExpertTopic.State.APPLIED):
        profile.filter(state=State.REFUSED).update(state=State.APPLIED)
    if _has(expert_id, ExpertTopic.State.APPROVED):
        profile.filter(state__in=(State.APPLIED, State.REFUSED)).update(state=State.APPROVED)


def _has(expert_id: UUID, state: ExpertTopic.State) -> bool:
    return ExpertTopic.objects.filter(expert_id=expert_id, state=state).exists()


def _decide(decision: Decision, by: User | None, now: datetime) -> bool:
    state = ExpertTopic.State.APPROVED if decision.approved else ExpertTopic.State.REFUSED
    reason = "" if decision.approved else decision.reason.strip()
    as_seen = ExpertTopic.objects.filter(pk=decision.topic.pk, state=decision.topic.state)
    return bool(as_seen.update(state=state, reason=reason, decided_by=by, decided_at=now))


def _now() -> datetime:
    """Now, in whole milliseconds: what every database keeps, so that a job finds again what was decided."""
    now = timezone.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _soon(job: Callable[[], object]) -> None:
    """Set a job for what is written. Where the process dies before, the hourly job finds whom nobody told."""
    transaction.on_commit(job, robust=True)
