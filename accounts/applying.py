"""Applying to be an expert, and changing what one said, topics and hours included."""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.deciding import follow_topics, waiting_for_a_decision
from accounts.experts import refresh_boards
from accounts.hours import Stretch
from accounts.models import ExpertHours, ExpertProfile, ExpertTopic, Topic, User
from hopps.errors import Refused
from hopps.http import public_url
from hopps.tasks import mail_operators

# How often to write one's hours again when another tab writes at the same moment: each time one of the two is done.
TRIES = 20
# And how long to wait before that, from the third time on: up to so many milliseconds more each time.
LONGER_MS = 20


@dataclass(frozen=True)
class Application:
    """What a person says about themselves as an expert."""

    headline: str
    about: str
    links: str
    """Addresses, one a line."""
    topics: tuple[Topic, ...]


def apply(*, user: User, application: Application, hours: Iterable[Stretch], time_zone: str) -> ExpertProfile:
    """Write down `user`'s application and tell the operators. Sent twice, it is one application.

    Args:
        hours: when messages may come, on the clock of `time_zone`.
        time_zone: an IANA name; becomes the user's own.

    Raises:
        Refused: the hours were being changed elsewhere at the same time.
    """
    is_new = not ExpertProfile.objects.filter(user=user).exists()
    expert = _save(user, application)
    set_hours(user=user, expert=expert, hours=hours, time_zone=time_zone)
    if is_new:
        _tell_operators(f"{user} wants to become an expert", expert, application.topics)
    return expert


def change(*, user: User, application: Application) -> ExpertProfile:
    """Save what an expert changed; the operators are told of topics that wait for them now."""
    before = _waiting(user)
    expert = _save(user, application)
    new = _waiting(user) - before
    if new:
        topics = [topic for topic in application.topics if topic.pk in new]
        _tell_operators(f"{user} applied for {', '.join(topic.name for topic in topics)}", expert, topics)
    return expert


def save_application(*, user: User, headline: str, about: str, topics: Iterable[Topic], links: str = "") -> ExpertProfile:
    """Create or update `user`'s expert profile, and tell nobody. `apply` and `change` do."""
    return _save(user, Application(headline=headline, about=about, links=links, topics=tuple(topics)))


def set_hours(*, user: User, expert: ExpertProfile, hours: Iterable[Stretch], time_zone: str) -> None:
    """Replace the hours of `expert`, which is `user`, and their time zone.

    Two tabs that save at once leave the hours of one of them, never a mixture: whoever wrote last looks again, until what is
    there is what was to be there.

    Raises:
        Refused: another tab kept writing.
    """
    wanted = set(hours)
    User.objects.filter(pk=user.pk).update(time_zone=time_zone)
    user.time_zone = time_zone
    for tries in range(TRIES):
        if tries > 1:
            # Two in step would undo each other's rows for ever: each waits for a while of its own, a longer one each time.
            time.sleep(secrets.randbelow(LONGER_MS * tries) / 1000)
        rows = {Stretch(row.weekday, row.start_minute, row.end_minute): row.pk for row in expert.hours.all()}
        if set(rows) == wanted:
            return
        try:
            # Where the database can, others see the change whole; correct it is without that too.
            with transaction.atomic():
                ExpertHours.objects.filter(pk__in=[pk for stretch, pk in rows.items() if stretch not in wanted]).delete()
                for stretch in sorted(wanted - set(rows)):
                    ExpertHours.objects.create(expert=expert, **stretch._asdict())
        except IntegrityError:  # the other tab has a stretch that starts then: look again
            continue
    raise Refused("Your hours are being changed in another tab. Look at them there, then save again.")


def devices_work(*, user: User) -> None:
    """Write down that the expert tried sound, microphone and camera just now, and is content."""
    ExpertProfile.objects.filter(user=user).update(devices_tested_at=timezone.now())


def remind_of_waiting() -> bool:
    """Tell the operators who waits for a decision; return whether anybody does."""
    waiting = list(waiting_for_a_decision().select_related("user").order_by("applied_at"))
    if not waiting:
        return False
    page = public_url(f"{reverse('admin:accounts_expertprofile_changelist')}?waiting=yes")
    people = "1 expert waits" if len(waiting) == 1 else f"{len(waiting)} experts wait"
    lines = [*(f"{expert.user} ({expert.user.email}): {expert.headline}" for expert in waiting), "", f"Decide here: {page}"]
    mail_operators(f"{people} for a decision", "\n".join(lines))
    return True


def _save(user: User, application: Application) -> ExpertProfile:
    said = {"headline": application.headline, "about": application.about, "links": application.links}
    try:
        with transaction.atomic():
            expert, _ = ExpertProfile.objects.update_or_create(user=user, defaults=said)
    except IntegrityError:  # sent twice at once: the other one made it
        expert = ExpertProfile.objects.get(user=user)
    wanted = {topic.pk for topic in application.topics}
    states = ExpertTopic.State
    # A topic taken off the list for a while was not on the form: its approval stays.
    offered = Topic.objects.filter(is_active=True).values_list("pk", flat=True)
    unwanted = expert.topics.filter(topic_id__in=set(offered) - wanted)
    # What was refused once stays, with the reason, so that an operator who is asked again knows of it.
    unwanted.filter(state=states.APPLIED).exclude(reason="").update(state=states.REFUSED)
    unwanted.exclude(state=states.REFUSED).delete()
    expert.topics.filter(topic_id__in=wanted, state=states.REFUSED).update(state=states.APPLIED)
    for topic_id in wanted - set(expert.topics.values_list("topic_id", flat=True)):
        ExpertTopic.objects.get_or_create(expert=expert, topic_id=topic_id)
    follow_topics(expert.pk)
    refresh_boards(user.pk)
    return expert


def _waiting(user: User) -> set[UUID]:
    waiting = ExpertTopic.objects.filter(expert__user=user, state=ExpertTopic.State.APPLIED)
    return set(waiting.values_list("topic_id", flat=True))


def _tell_operators(subject: str, expert: ExpertProfile, topics: Iterable[Topic]) -> None:
    page = public_url(reverse("admin:accounts_expertprofile_change", args=[expert.pk]))
    about = [f"About: {expert.about}", ""] if expert.about else []
    links = ["Links:", *expert.links.splitlines(), ""] if expert.links else []
    lines = [
        f"{expert.user} ({expert.user.email}): {expert.headline}", "",
        f"Waits for a decision: {', '.join(str(topic) for topic in topics)}", "",
        *about, *links, f"Decide here: {page}",
    ]  # fmt: skip
    transaction.on_commit(lambda: mail_operators(subject, "\n".join(lines)), robust=True)
