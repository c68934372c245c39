"""Becoming an expert, being approved and suspended, and the availability switch."""

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from accounts.models import ExpertProfile, ExpertTopic, Topic, User
from hopps.errors import Refused
from hopps.realtime.hub import hub


def board_audience(person_id: UUID | str) -> str:
    """Return the hub's audience for all open boards of one expert."""
    return f"board:{person_id}"


def refresh_boards(*people: UUID | None) -> None:
    """Have the open boards of `people` look at their situation again."""
    for person_id in people:
        if person_id is not None:
            hub.wake(board_audience(person_id), "situation")


def save_application(*, user: User, headline: str, about: str, topics: Iterable[Topic]) -> ExpertProfile:
    """Create or update `user`'s expert profile.

    A new profile waits for an operator; so does each topic added later, while those approved before stay approved.
    """
    try:
        profile, _ = ExpertProfile.objects.update_or_create(user=user, defaults={"headline": headline, "about": about})
    except IntegrityError:  # sent twice at once: the other one made it
        profile = ExpertProfile.objects.get(user=user)
    wanted = {topic.pk for topic in topics}
    # A topic taken off the list for a while was not on the form: its approval stays.
    profile.topics.filter(topic__is_active=True).exclude(topic_id__in=wanted).delete()
    for topic_id in wanted - set(profile.topics.values_list("topic_id", flat=True)):
        ExpertTopic.objects.get_or_create(expert=profile, topic_id=topic_id)
    refresh_boards(user.pk)
    return profile


def approve(*, expert: ExpertProfile) -> None:
    """Approve `expert` and every topic applied for (operators; single topics are edited on the expert's page)."""
    ExpertProfile.objects.filter(pk=expert.pk).update(state=ExpertProfile.State.APPROVED)
    expert.topics.update(state=ExpertTopic.State.APPROVED, decided_at=timezone.now())
    refresh_boards(expert.user_id)


def suspend(*, expert: ExpertProfile) -> None:
    """Suspend `expert`: off every board and unable to accept, at once. A running session is not cut off."""
    ExpertProfile.objects.filter(pk=expert.pk).update(state=ExpertProfile.State.SUSPENDED, available=False)
    refresh_boards(expert.user_id)


def set_availability(*, user: User, available: bool) -> None:
    """Turn the expert's own switch.

    Raises:
        Refused: no operator has approved this expert, or the approval was withdrawn.
    """
    changed = ExpertProfile.objects.approved().filter(user=user).update(available=available)
    if not changed:
        raise Refused("Only approved experts can be available. An operator looks at new applications first.")
    refresh_boards(user.pk)
