"""Asking for somebody one knows: a minute alone, then everybody."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db.models.signals import post_save
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import deciding, experts
from accounts.models import ExpertProfile, Message, Topic, User
from billing.models import Card
from hopps.errors import Refused
from sessions_app import accept, ask, cancel, first, release
from sessions_app.cases import timeline_for
from sessions_app.due import TimeOut, next_due
from sessions_app.matching import requests_for
from sessions_app.models import Exclusion, HelpSession, State
from sessions_app.reach.tell import tell
from sessions_app.reach.waves import run_wave
from sessions_app.sweep import sweep
from sessions_app.timeouts import enforce
from tests.people import give_card, give_phone, make_accepted, make_request, open_all_hours
from tests.sessions_app.sockets import board, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(alice: User) -> Card:
    return give_card(alice)


@pytest.fixture
def past(alice: User, eve: User, topic: Topic) -> HelpSession:
    """A session Alice had with Eve."""
    return HelpSession.objects.create(
        customer=alice, expert=eve, topic=topic, title="Last week", state=State.ENDED, currency="USD", price_per_minute=200,
        cap_minutes=30, requested_at=timezone.now(), settled_at=timezone.now(), ended_at=timezone.now(),
        billable_seconds=150,
    )  # fmt: skip


def open_board(expert: User) -> None:
    ExpertProfile.objects.filter(user=expert).update(board_seen_at=timezone.now())


def ask_first(customer: User, expert: User, topic: Topic) -> HelpSession:
    """Return a live request of `customer` who wants `expert` first."""
    outcome = ask.ask(
        customer=customer, topic=topic, title="Slow again", details="", cap_minutes=30, card=give_card(customer),
        first_expert=expert,
    )  # fmt: skip
    assert isinstance(outcome, ask.Live)
    return outcome.session


def form(card: Card, topic: Topic, wanted: str) -> dict[str, str]:
    return {
        "topic": str(topic.pk), "title": "Slow again", "details": "", "cap_minutes": "30", "card": str(card.pk),
        "first": wanted,
    }  # fmt: skip


# --- the page ---


def test_a_past_session_offers_to_ask_its_expert_first(client: Client, alice: User, eve: User, past: HelpSession) -> None:
    client.force_login(alice)
    link = f"{reverse('ask')}?first={past.pk}"
    assert link in client.get(past.get_absolute_url()).content.decode()
    assert link in client.get(reverse("sessions")).content.decode()
    client.force_login(eve)
    assert "first=" not in client.get(past.get_absolute_url()).content.decode()
    assert "first=" not in client.get(reverse("sessions")).content.decode()
    client.force_login(alice)
    Topic.objects.update(is_active=False)
    assert link not in client.get(past.get_absolute_url()).content.decode(), "nobody can ask for it any more"
    Topic.objects.update(is_active=True)
    deciding.suspend(expert=eve.expert)
    assert link not in client.get(past.get_absolute_url()).content.decode()
    assert link not in client.get(reverse("sessions")).content.decode()


def test_the_ask_page_offers_the_choice_and_the_topic(
    client: Client, alice: User, eve: User, past: HelpSession, card: Card
) -> None:
    open_board(eve)
    client.force_login(alice)
    page = client.get("/ask/", {"first": str(past.pk)})
    assert page.context["form"]["first"].value() == str(past.pk)
    assert page.context["form"]["topic"].value() == str(past.topic_id)
    assert "Eve has the board open" in page.content.decode()
    assert "Every expert at once" in page.content.decode()


def test_the_ask_page_says_so_when_the_expert_is_not_there(
    client: Client, alice: User, bob: User, eve: User, past: HelpSession, topic: Topic, card: Card
) -> None:
    client.force_login(alice)
    experts.set_availability(user=eve, available=False)
    page = client.get("/ask/", {"first": str(past.pk)})
    assert "first" not in page.context["form"].fields
    assert "Eve is not there right now" in page.content.decode()
    experts.set_availability(user=eve, available=True)
    assert "Eve is not there right now" in client.get("/ask/", {"first": str(past.pk)}).content.decode(), (
        "nothing reaches her"
    )
    make_accepted(bob, eve, topic)
    assert "Eve is in another session" in client.get("/ask/", {"first": str(past.pk)}).content.decode()


def test_an_expert_who_can_be_texted_is_there(client: Client, alice: User, eve: User, past: HelpSession, card: Card) -> None:
    open_all_hours(eve)
    give_phone(eve, "+436641234567")
    client.force_login(alice)
    assert "is told by message" in client.get("/ask/", {"first": str(past.pk)}).content.decode()


def test_nobody_asks_first_by_a_session_that_is_not_theirs(
    client: Client, bob: User, eve: User, past: HelpSession, topic: Topic
) -> None:
    open_board(eve)
    client.force_login(bob)
    assert client.get("/ask/", {"first": str(past.pk)}).context["known"] is None
    assert client.get("/ask/", {"first": "nonsense"}).context["known"] is None
    client.post("/ask/", form(give_card(bob), topic, str(past.pk)))
    assert HelpSession.objects.get(customer=bob).first_expert is None


def test_sent_with_the_choice_it_is_the_experts_alone(
    client: Client, alice: User, eve: User, erin: User, past: HelpSession, topic: Topic, card: Card
) -> None:
    open_board(eve)
    client.force_login(alice)
    client.post("/ask/", form(card, topic, str(past.pk)))
    session = HelpSession.objects.get(state=State.REQUESTED)
    assert session.first_expert == eve
    assert requests_for(eve) == [session]
    assert requests_for(erin) == []
    with pytest.raises(HelpSession.DoesNotExist):
        accept.accept(session_id=session.pk, expert=erin)
    page = client.get(session.get_absolute_url()).content.decode()
    assert "Eve is asked first" in page


def test_the_choice_can_be_dropped(
    client: Client, alice: User, eve: User, erin: User, past: HelpSession, topic: Topic, card: Card
) -> None:
    open_board(eve)
    client.force_login(alice)
    client.post("/ask/", form(card, topic, "everyone"))
    session = HelpSession.objects.get(state=State.REQUESTED)
    assert session.first_expert is None
    assert requests_for(erin) == [session]


def test_the_choice_survives_a_declined_card(
    client: Client, alice: User, eve: User, past: HelpSession, topic: Topic
) -> None:
    open_board(eve)
    client.force_login(alice)
    page = client.post("/ask/", form(give_card(alice, 1), topic, str(past.pk)))
    assert page.status_code == 422
    assert page.context["form"]["first"].value() == str(past.pk)
    assert client.get("/ask/").context["form"]["first"].value() == str(past.pk)
    client.session.flush()
    client.force_login(alice)
    assert client.get("/ask/").context["form"]["first"].value() == str(past.pk), "the draft knows it too"


# --- the minute ---


def test_an_expert_who_left_meanwhile_is_not_waited_for(
    client: Client, alice: User, eve: User, erin: User, topic: Topic
) -> None:
    experts.set_availability(user=eve, available=False)
    session = ask_first(alice, eve, topic)
    assert requests_for(erin) == [session]
    assert session.timeline.get(kind="opened").note == "Eve is not there right now"
    client.force_login(alice)
    assert (
        "Eve is not there right now, so every expert for Databases"
        in client.get(session.get_absolute_url()).content.decode()
    )


def test_for_a_topic_the_expert_is_not_approved_for_everybody_is_asked(alice: User, eve: User, erin: User) -> None:
    seo = Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=100)
    open_board(eve)
    session = ask_first(alice, eve, seo)
    assert session.first_until is None
    assert session.timeline.get(kind="opened").note == "Eve does not help with SEO"


def test_after_a_minute_everybody_may_have_it(alice: User, eve: User, erin: User, topic: Topic) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)
    asked = timezone.now().replace(microsecond=0)  # MongoDB keeps milliseconds
    due = next_due(session, asked)
    assert due is not None
    assert due.what == TimeOut.FIRST_EXPERT_SILENT
    enforce(session_id=session.pk, now=asked + timedelta(seconds=58))
    session.refresh_from_db()
    assert session.first_until is not None
    opened_at = asked + timedelta(seconds=61)
    enforce(session_id=session.pk, now=opened_at)
    session.refresh_from_db()
    assert session.first_expert == eve
    assert requests_for(eve) == requests_for(erin) == [session]
    assert session.queued_at == session.next_wave_at == opened_at
    assert session.timeline.get(kind="opened").note == "Eve did not answer in time"
    enforce(session_id=session.pk, now=opened_at + timedelta(seconds=1))
    assert session.timeline.filter(kind="opened").count() == 1


def test_the_sweep_opens_it_where_the_job_was_lost(alice: User, eve: User, erin: User, topic: Topic) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)
    sweep(now=timezone.now() + timedelta(seconds=61))
    assert requests_for(erin) == [session]


def test_in_that_minute_only_the_one_asked_is_told(alice: User, eve: User, erin: User, topic: Topic) -> None:
    for expert, number in ((eve, "+436641234567"), (erin, "+436641234568")):
        open_all_hours(expert)
        give_phone(expert, number)
        ExpertProfile.objects.filter(user=expert).update(by_mail=True)
    session = ask_first(alice, eve, topic)
    run_wave(session_id=session.pk, now=timezone.now())
    assert [(message.to, message.way) for message in Message.objects.all()] == [(eve, "text")]
    assert session.timeline.get(kind="told").note == "1 by text message"
    message = Message.objects.get()
    tell(message=message, now=timezone.now())
    message.refresh_from_db()
    assert "Alice asks for you" in message.text


def test_not_now_leaves_the_expert_out_and_tells_everybody_at_once(
    client: Client, alice: User, eve: User, erin: User, topic: Topic
) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)
    client.force_login(eve)
    assert "Not now" in client.get(session.get_absolute_url()).content.decode()
    assert client.post(reverse("session_pass", args=[session.pk]))["Location"] == reverse("board")
    assert requests_for(eve) == []
    assert requests_for(erin) == [session]
    assert session.timeline.get(kind="opened").note == "Eve cannot come now"


def test_not_now_comes_too_late_for_a_request_she_accepted_or_that_is_over(alice: User, eve: User, topic: Topic) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)
    accept.accept(session_id=session.pk, expert=eve)
    with pytest.raises(Refused, match="accepted this one already"):
        first.pass_on(session_id=session.pk, expert=eve)
    assert not session.exclusions.exists()


def test_not_now_while_she_accepts_in_another_tab_leaves_nothing_behind(alice: User, eve: User, topic: Topic) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)

    def accept_in_between(**_: object) -> None:
        now = timezone.now()
        HelpSession.objects.filter(pk=session.pk).update(state=State.ACCEPTED, expert=eve, accepted_at=now)

    post_save.connect(accept_in_between, sender=Exclusion)
    try:
        with pytest.raises(Refused, match="accepted this one already"):
            first.pass_on(session_id=session.pk, expert=eve)
    finally:
        post_save.disconnect(accept_in_between, sender=Exclusion)
    assert not session.exclusions.exists()
    assert not session.timeline.filter(kind="opened").exists()


def test_not_now_after_the_minute_only_leaves_her_out(alice: User, eve: User, erin: User, topic: Topic) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)
    first.end_first_minute(session_id=session.pk, now=timezone.now() + timedelta(seconds=61))
    first.pass_on(session_id=session.pk, expert=eve)
    assert requests_for(eve) == []
    assert session.timeline.filter(kind="opened").count() == 1


def test_given_back_within_the_minute_it_is_everybodys(alice: User, eve: User, erin: User, topic: Topic) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)
    accept.accept(session_id=session.pk, expert=eve)
    assert requests_for(erin) == []
    release.release(session_id=session.pk, expert=eve)
    assert requests_for(erin) == [session]


def test_for_the_others_the_request_does_not_exist_in_that_minute(
    client: Client, alice: User, eve: User, erin: User, topic: Topic
) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)
    client.force_login(erin)
    assert client.get(session.get_absolute_url()).status_code == 404


# --- the boards ---


@pytest.mark.django_db(transaction=True)
def test_only_her_boards_chime_and_then_everybodys(alice: User, bob: User, eve: User, erin: User, topic: Topic) -> None:
    eves, erins = board(eve), board(erin)

    async def journey() -> None:
        for page in (eves, erins):
            assert await page.open()
            await page.hear("board_state")
        session = await sync_to_async(ask_first)(alice, eve, topic)
        assert (await eves.hear("request_opened"))["request"]["id"] == str(session.pk)
        # Whatever Erin was told of before this, she would hear before it.
        other = await sync_to_async(make_request)(bob, topic)
        assert (await erins.hear("request_opened"))["request"]["id"] == str(other.pk)
        await sync_to_async(first.pass_on)(session_id=session.pk, expert=eve)
        assert (await erins.hear("request_opened"))["request"]["id"] == str(session.pk)
        state = await eves.hear("board_state")
        assert [request["id"] for request in state["requests"]] == [str(other.pk)]
        for page in (eves, erins):
            await page.close()

    run(journey)


@pytest.mark.django_db(transaction=True)
def test_cancelled_within_the_minute_it_leaves_her_board(alice: User, eve: User, topic: Topic) -> None:
    eves = board(eve)

    async def journey() -> None:
        await eves.open()
        await eves.hear("board_state")
        session = await sync_to_async(ask_first)(alice, eve, topic)
        await eves.hear("request_opened")
        await sync_to_async(cancel.cancel)(session_id=session.pk, customer=alice)
        assert (await eves.hear("request_closed"))["id"] == str(session.pk)
        await eves.close()

    run(journey)


def test_who_was_texted_a_moment_ago_and_has_no_other_way_is_not_asked_first(alice: User, eve: User, topic: Topic) -> None:
    open_all_hours(eve)
    give_phone(eve, "+436641234567")
    ExpertProfile.objects.filter(user=eve).update(last_texted_at=timezone.now() - timedelta(minutes=1))
    assert first.standing_of(eve, topic, timezone.now(), customer=alice) == first.Standing.AWAY
    ExpertProfile.objects.filter(user=eve).update(last_texted_at=timezone.now() - timedelta(minutes=6))
    assert first.standing_of(eve, topic, timezone.now(), customer=alice) == first.Standing.BY_MESSAGE


def test_who_came_is_not_told_who_was_asked_first_and_why_they_did_not(
    alice: User, eve: User, erin: User, topic: Topic
) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)
    first.pass_on(session_id=session.pk, expert=eve)
    accepted = accept.accept(session_id=session.pk, expert=erin)
    assert "Eve" in " ".join(str(entry) for entry in timeline_for(accepted, alice))
    assert "Eve" not in " ".join(str(entry) for entry in timeline_for(accepted, erin))
