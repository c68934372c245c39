"""Telling one expert of one request, if that still makes sense at this very moment."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from accounts import outbox
from accounts.hours import within_hours
from accounts.models import ExpertProfile, Message
from hopps.sending import NotTaken
from sessions_app.matching import free_experts
from sessions_app.models import HelpSession, State
from sessions_app.reach import jobs
from sessions_app.reach.whom import hours_of, numbers_of
from sessions_app.reach.words import words_for

Way = Message.Way


def tell(*, message: Message, now: datetime) -> None:
    """Send a message that waits, unless the request was taken or the expert is not to be disturbed any more.

    Raises:
        NotTaken: it was not sent, for a reason that passes; it waits.
    """
    if message.state != Message.State.WAITING:
        return
    assert message.reference is not None, "A message about a request names it."
    session = HelpSession.objects.with_people().get(pk=message.reference)
    expert = _wanted(message, session, now)
    if expert is None:
        outbox.withdraw(message)
        return
    asked_first = session.first_expert_id == message.to_id and session.is_for_first_expert(now)
    try:
        told = outbox.send(message, words_for(session, Way(message.way), asked_first=asked_first))
    except NotTaken:
        _let_rest_end(message, expert)
        raise
    if told.state == Message.State.REFUSED:
        _let_rest_end(message, expert)
    if message.way == Way.PUSH and not HelpSession.objects.filter(pk=session.pk, state=State.REQUESTED).exists():
        # Taken while it was on its way out: whoever took back the notifications did not see this one.
        jobs.take_back(str(session.pk))


def _wanted(message: Message, session: HelpSession, now: datetime) -> ExpertProfile | None:
    """Return the expert if the message is to go out at this moment, by what the database says now."""
    if session.state != State.REQUESTED:
        return None
    person = message.to_id
    expert = free_experts(session).filter(user=person).select_related("user").first()
    if expert is None or not within_hours(hours_of([person]).get(person, ()), expert.user.time_zone, now):
        return None
    match message.way:
        case Way.TEXT:
            at_this_number = expert.by_text and numbers_of([person]).get(person) == message.address
            # The claim last: it keeps the next text waiting.
            wanted = at_this_number and _may_text(message, expert, now)
        case Way.PUSH:
            wanted = expert.by_push
        case _:
            wanted = True
    return expert if wanted else None


def _may_text(message: Message, expert: ExpertProfile, now: datetime) -> bool:
    """Claim the expert's next text for this message; False where another request's text has just gone out."""
    cooldown = timedelta(seconds=settings.TEXT_COOLDOWN_SECONDS)
    rested = Q(last_texted_at=None) | Q(last_texted_at__lte=now - cooldown)
    mine = Q(last_text=message.pk)
    claim = ExpertProfile.objects.filter(rested | mine, pk=expert.pk)
    return bool(claim.update(last_texted_at=now, last_text=message.pk))


def _let_rest_end(message: Message, expert: ExpertProfile) -> None:
    """Give the claim of a text back that did not go out: the expert was not disturbed, and the next one need not wait."""
    claimed = ExpertProfile.objects.filter(pk=expert.pk, last_text=message.pk)
    claimed.update(last_texted_at=expert.last_texted_at, last_text=None)
