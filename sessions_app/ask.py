"""Asking for help: the words are written down, the cap is held on the card, the request goes live."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Topic, User
from billing import holds
from billing.models import Card
from hopps.errors import Refused
from sessions_app import first, jobs, live, watch
from sessions_app.give_back import give_back
from sessions_app.keep_apart import keep_apart
from sessions_app.models import HelpSession, State, TimelineEntry
from sessions_app.reach.waves import start_waves
from sessions_app.suspended import is_out
from sessions_app.timeline import record


@dataclass(frozen=True)
class Live:
    """The request is in front of experts."""

    session: HelpSession


@dataclass(frozen=True)
class AlreadyOpen:
    """This customer has another open request; nothing new was made."""

    session: HelpSession


@dataclass(frozen=True)
class NotHeld:
    """The card said no. The words are kept in the draft."""

    session: HelpSession
    sentence: str
    declined: bool = True
    """Whether it was the card; not where the processor could not be asked."""


@dataclass(frozen=True)
class BankAsks:
    """The bank wants to see the customer at `url`; the request goes live when it is satisfied."""

    session: HelpSession
    url: str


AskOutcome = Live | AlreadyOpen | NotHeld | BankAsks


class Terms(NamedTuple):
    """What a hold is placed for. A draft's terms never change: another price or cap is another draft, with its own hold."""

    currency: str
    price_per_minute: int
    cap_minutes: int


def ask(
    *,
    customer: User,
    topic: Topic,
    title: str,
    details: str,
    cap_minutes: int,
    card: Card | None,
    first_expert: User | None = None,
) -> AskOutcome:
    """Place the hold for the cap on `card` and put the request in front of experts.

    Without a card the customer types one on the processor's page, and the request goes live from there.

    Args:
        customer: who asks.
        topic: what about; its price per minute is the session's from now on.
        title: one line.
        details: more, may be empty.
        cap_minutes: the most minutes to be billed; one of settings.CAP_MINUTES.
        card: one of the customer's, or None.
        first_expert: whom to ask before everybody else, if that expert is there when the request goes live.

    Returns:
        What became of it. Only `Live` disturbs any expert.

    Raises:
        Refused: the same customer is asking from another tab at this moment.
    """
    open_session = open_request_of(customer)
    if open_session is not None:
        return AlreadyOpen(open_session)
    terms = Terms(topic.currency, topic.price_per_minute, cap_minutes)
    draft = _write_draft(customer, terms, {"topic": topic, "title": title, "details": details, "first_expert": first_expert})
    if draft is None:
        open_session = open_request_of(customer)
        if open_session is not None:
            return AlreadyOpen(open_session)
        raise Refused("You are asking from another tab at this very moment. Look there, or try again.")
    outcome = holds.place_hold(
        reference=draft.pk,
        payer=customer,
        amount_minor=draft.price.cap_minor,
        currency=draft.currency,
        description=draft.title,
        card=card,
        return_url=reverse("session", args=[draft.pk]),
        placed_before=0,
    )
    match outcome:
        case holds.HoldPlaced():
            return go_live(draft.pk)
        case holds.HoldNeedsAction(url=url):
            return BankAsks(draft, url)
        case holds.HoldDeclined(sentence=sentence):
            return NotHeld(draft, sentence)
        case holds.HoldInProgress(sentence=sentence):
            return NotHeld(draft, sentence, declined=False)


def open_request_of(customer: User) -> HelpSession | None:
    """Return the one open request `customer` may have."""
    return HelpSession.objects.open().filter(customer=customer).with_people().first()


def draft_of(customer: User) -> HelpSession | None:
    """Return what `customer` wrote and has not sent."""
    return HelpSession.objects.filter(customer=customer, state=State.DRAFT).with_people().first()


def _write_draft(customer: User, terms: Terms, words: dict[str, object]) -> HelpSession | None:
    """Return the customer's one draft on these terms, the words written into it; None where another tab came between."""
    draft = draft_of(customer)
    if draft is not None and Terms(draft.currency, draft.price_per_minute, draft.cap_minutes) == terms:
        if not HelpSession.objects.filter(pk=draft.pk, state=State.DRAFT).update(**words):
            return None
        return HelpSession.objects.with_people().get(pk=draft.pk)
    if draft is not None and not discard(draft.pk):
        return None
    try:
        with transaction.atomic():
            return HelpSession.objects.create(customer=customer, **words, **terms._asdict())
    except IntegrityError:
        return None


def discard(session_id: UUID) -> bool:
    """Close a draft and give back what is held for it; return whether it was still a draft."""
    drafts = HelpSession.objects.filter(pk=session_id, state=State.DRAFT)
    if not drafts.update(state=State.CANCELLED, ended_at=timezone.now()):
        return False
    give_back(session_id)
    return True


def go_live(session_id: UUID) -> Live | AlreadyOpen:
    """Put a draft whose hold is placed in front of experts; whoever comes second finds it done.

    Called by the form, by the bank's return, by a webhook and by the sweep: one conditional UPDATE decides who does it.
    """
    now = timezone.now()
    draft = HelpSession.objects.with_people().select_related("first_expert").get(pk=session_id)
    # Whoever blocks or suspends somebody from here on finds this draft, or the request it became.
    if is_out(draft.customer):
        discard(session_id)
    keep_apart(draft)
    asked_first, why_not = first.at_first(draft, now)
    try:
        with transaction.atomic():
            won = HelpSession.objects.filter(pk=session_id, state=State.DRAFT).update(
                state=State.REQUESTED, requested_at=now, queued_at=now, next_wave_at=now, **asked_first
            )
    except IntegrityError:  # another request of this customer went live first: this one's money goes back
        discard(session_id)
        won = 0
    session = HelpSession.objects.with_people().get(pk=session_id)
    if session.state == State.CANCELLED:
        give_back(session_id)
        return AlreadyOpen(open_request_of(session.customer) or session)
    if won:
        record(session, TimelineEntry.Kind.REQUESTED, by=session.customer, at=now)
        if why_not:
            record(session, TimelineEntry.Kind.OPENED, note=why_not)
        watch.end_watches(customer=session.customer, topic=session.topic, now=now)
        live.request_opened(session)
        live.session_changed(session)
        start_waves(session)
        jobs.look_again_when_due(session)
    return Live(session)
