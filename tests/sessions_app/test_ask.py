"""Asking: the words are kept, the cap is held, the request goes live once."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Topic, User
from billing import holds, signals
from billing.gateways.demo import DemoGateway
from billing.models import DemoIntent, Hold, Payment
from billing.tasks import heal
from sessions_app import ask
from sessions_app.models import HelpSession, State
from tests.people import give_card, make_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears of placed holds, as when the process dies before telling."""
    monkeypatch.setattr(signals.hold_placed, "receivers", [])
    signals.hold_placed.sender_receivers_cache.clear()


def send(customer: User, topic: Topic, *, card: int, title: str = "Query is slow") -> ask.AskOutcome:
    return ask.ask(customer=customer, topic=topic, title=title, details="d", cap_minutes=15, card=give_card(customer, card))


def test_it_holds_the_cap_and_goes_live(alice: User, topic: Topic) -> None:
    outcome = send(alice, topic, card=0)
    assert isinstance(outcome, ask.Live)
    session = HelpSession.objects.get()
    assert session.state == State.REQUESTED
    hold = Hold.objects.get(payment__reference=session.pk)
    assert (hold.state, hold.amount_minor) == (Hold.State.PLACED, 15 * 200)
    assert [entry.kind for entry in session.timeline.all()] == ["requested"]


def test_a_declined_card_keeps_the_words_and_disturbs_nobody(alice: User, topic: Topic) -> None:
    outcome = send(alice, topic, card=1, title="Every word typed")
    assert isinstance(outcome, ask.NotHeld)
    assert "declined" in outcome.sentence
    draft = ask.draft_of(alice)
    assert draft is not None
    assert draft.title == "Every word typed"
    assert not draft.timeline.exists()


def test_after_a_declined_card_another_one_works(alice: User, topic: Topic) -> None:
    send(alice, topic, card=1)
    assert isinstance(send(alice, topic, card=0), ask.Live)
    assert HelpSession.objects.count() == 1


def test_a_bank_that_asks_keeps_the_request_back_until_it_is_satisfied(alice: User, topic: Topic) -> None:
    outcome = send(alice, topic, card=2)
    assert isinstance(outcome, ask.BankAsks)
    assert HelpSession.objects.get().state == State.DRAFT


def test_one_open_request_per_customer(alice: User, topic: Topic) -> None:
    first = make_request(alice, topic)
    outcome = send(alice, topic, card=0, title="Another")
    assert outcome == ask.AlreadyOpen(first)
    assert Payment.objects.count() == 1


def test_the_database_refuses_a_second_open_request(alice: User, topic: Topic) -> None:
    """Two tabs, two servers: the draft that comes second is closed and its hold given back."""
    first = make_request(alice, topic)
    draft = HelpSession.objects.create(
        customer=alice, topic=topic, title="t", currency="USD", price_per_minute=200, cap_minutes=15
    )
    assert ask.go_live(draft.pk) == ask.AlreadyOpen(first)
    draft.refresh_from_db()
    assert draft.state == State.CANCELLED


def test_another_cap_is_another_hold_whatever_became_of_the_first(alice: User, topic: Topic, unheard: None) -> None:
    """The first try died between the placed hold and going live: its money goes back, and the cap equals the hold."""
    draft = HelpSession.objects.create(
        customer=alice, topic=topic, title="t", currency="USD", price_per_minute=200, cap_minutes=15
    )
    first = holds.place_hold(
        reference=draft.pk, payer=alice, amount_minor=3000, currency="USD", description="t",
        card=give_card(alice), return_url="/",
    )  # fmt: skip
    assert isinstance(first, holds.HoldPlaced)
    session = make_request(alice, topic, cap_minutes=60)
    assert session.pk != draft.pk
    assert Hold.objects.get(payment__reference=session.pk).amount_minor == session.price.cap_minor == 60 * 200
    assert Hold.objects.get(payment__reference=draft.pk).state == Hold.State.RELEASED


def lose_touch(reference: UUID) -> str:
    """Have the processor refuse to know the hold placed for `reference`; return the name it knew it by."""
    hold = Hold.objects.get(payment__reference=reference)
    Hold.objects.filter(pk=hold.pk).update(gateway_ref="out of reach")
    return hold.gateway_ref


def test_asking_anew_goes_on_where_the_processor_does_not_give_the_first_hold_back(
    client: Client, alice: User, topic: Topic, unheard: None
) -> None:
    card = give_card(alice)
    client.force_login(alice)
    form = {"topic": topic.pk, "title": "Slow", "details": "", "cap_minutes": 15, "card": card.pk}
    draft = HelpSession.objects.create(
        customer=alice, topic=topic, title="t", currency="USD", price_per_minute=200, cap_minutes=60
    )
    holds.place_hold(
        reference=draft.pk, payer=alice, amount_minor=12000, currency="USD", description="t", card=card, return_url="/"
    )
    ref = lose_touch(draft.pk)
    answer = client.post("/ask/", form)
    session = HelpSession.objects.get(state=State.REQUESTED)
    assert answer["Location"] == session.get_absolute_url()
    Payment.objects.get(reference=draft.pk).holds.update(gateway_ref=ref)
    heal(timezone.now() + timedelta(minutes=2))
    assert Hold.objects.get(payment__reference=draft.pk).state == Hold.State.RELEASED
    assert DemoIntent.objects.get(pk=ref).state == DemoIntent.State.RELEASED


def test_the_second_open_request_says_so_where_the_processor_does_not_give_its_hold_back(
    client: Client, alice: User, topic: Topic, unheard: None
) -> None:
    waiting = send(alice, topic, card=2)
    assert isinstance(waiting, ask.BankAsks)
    hold = Hold.objects.get(payment__reference=waiting.session.pk)
    DemoGateway().answer(hold.gateway_ref, approved=True)
    holds.finish_hold(hold=hold)
    first = HelpSession.objects.create(
        customer=alice, topic=topic, title="t", currency="USD", price_per_minute=200, cap_minutes=15,
        state=State.REQUESTED, requested_at=timezone.now(), queued_at=timezone.now(),
    )  # fmt: skip
    ref = lose_touch(waiting.session.pk)
    assert ask.go_live(waiting.session.pk) == ask.AlreadyOpen(first)
    assert ask.go_live(waiting.session.pk) == ask.AlreadyOpen(first)
    Hold.objects.filter(pk=hold.pk).update(gateway_ref=ref)
    heal(timezone.now() + timedelta(minutes=2))
    assert DemoIntent.objects.get(pk=ref).state == DemoIntent.State.RELEASED


def test_after_a_declined_card_one_may_ask_in_another_currency(alice: User, topic: Topic) -> None:
    send(alice, topic, card=1)
    euros = Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=150, currency="EUR")
    outcome = send(alice, euros, card=0)
    assert isinstance(outcome, ask.Live)
    assert Payment.objects.get(reference=outcome.session.pk).currency == "EUR"


def test_an_approval_for_a_request_asked_anew_meanwhile_holds_nothing(alice: User, topic: Topic) -> None:
    waiting = send(alice, topic, card=2)
    assert isinstance(waiting, ask.BankAsks)
    anew = ask.ask(customer=alice, topic=topic, title="t", details="", cap_minutes=60, card=give_card(alice))
    assert isinstance(anew, ask.Live)
    hold = Hold.objects.get(payment__reference=waiting.session.pk)
    assert hold.state == Hold.State.RELEASED
    assert ask.go_live(waiting.session.pk) == ask.AlreadyOpen(anew.session)


def test_going_live_twice_happens_once(alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    ask.go_live(session.pk)
    assert session.timeline.count() == 1
