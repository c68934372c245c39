"""Two who do not meet again: on boards, in waves, in accepting, in asking first; whoever of them wanted it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db.models.signals import post_save
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import blocking
from accounts.models import Block, Topic, User
from hopps.errors import Refused
from sessions_app import accept, ask, end, release
from sessions_app.boards import boards_of
from sessions_app.late import what_became
from sessions_app.matching import alerted_count, requests_for, topics_without_anyone
from sessions_app.models import HelpSession, State
from sessions_app.reach.waves import run_wave
from sessions_app.statistics import Outcome, heard_by
from tests.people import give_card, make_accepted, make_active, make_request, open_all_hours
from tests.sessions_app.sockets import board, run
from tests.sessions_app.test_first import ask_first, open_board, past
from tests.sessions_app.waving import Way, send_all, wave, ways_to
from tests.sessions_app.waving import eve as eve_by_text
from tests.writes import watched_writes

__all__ = ["eve_by_text", "past"]

pytestmark = pytest.mark.django_db

Blocked = Callable[[User, User], Block]


@pytest.fixture(params=["the customer blocked the expert", "the expert blocked the customer"])
def blocked(request: pytest.FixtureRequest) -> Blocked:
    """`blocked(customer, expert)`: one of the two blocks the other."""

    def block(customer: User, expert: User) -> Block:
        by, person = (customer, expert) if request.param.startswith("the customer") else (expert, customer)
        return blocking.block(by=by, person=person)

    return block


# --- both ways, from the next request on ---


def test_a_request_is_not_shown_to_nor_accepted_by_who_is_blocked(
    blocked: Blocked, alice: User, eve: User, erin: User, topic: Topic
) -> None:
    blocked(alice, eve)
    session = make_request(alice, topic)
    assert [request.pk for request in requests_for(erin)] == [session.pk]
    assert requests_for(eve) == []
    assert boards_of([eve.pk])[eve.pk].state.requests == []
    with pytest.raises(HelpSession.DoesNotExist):
        accept.accept(session_id=session.pk, expert=eve)
    assert accept.accept(session_id=session.pk, expert=erin).expert == erin


def test_no_message_goes_to_who_is_blocked(blocked: Blocked, alice: User, eve_by_text: User, topic: Topic) -> None:
    blocked(alice, eve_by_text)
    session = make_request(alice, topic)
    assert wave(session) == 0
    assert ways_to(eve_by_text) == []


def test_who_is_blocked_is_neither_offered_nor_asked_first(
    blocked: Blocked, client: Client, alice: User, eve: User, erin: User, topic: Topic, past: HelpSession
) -> None:
    open_board(eve)
    client.force_login(alice)
    offer = f"?first={past.pk}"
    assert offer in client.get(past.get_absolute_url()).content.decode()
    blocked(alice, eve)
    for page in (past.get_absolute_url(), reverse("sessions")):
        assert offer not in client.get(page).content.decode()
    # By an old link: the sentence of anybody who is away, whoever blocked whom.
    assert "Eve is not there right now" in client.get(f"{reverse('ask')}{offer}").content.decode()
    session = ask_first(alice, eve, topic)
    assert session.first_until is None
    assert session.timeline.get(kind="opened").note == "Eve is not there right now"
    assert requests_for(eve) == []
    assert requests_for(erin) == [session]


def test_a_topic_whose_only_expert_is_blocked_has_nobody_there(
    blocked: Blocked, alice: User, bob: User, eve: User, topic: Topic
) -> None:
    open_board(eve)
    assert topics_without_anyone([topic], customer=alice) == []
    blocked(alice, eve)
    assert topics_without_anyone([topic], customer=alice) == [topic]
    assert topics_without_anyone([topic], customer=bob) == []


# --- what is open at that moment ---


@pytest.mark.django_db(transaction=True)
def test_a_block_takes_what_is_open_off_the_board_and_off_no_other(
    blocked: Blocked, alice: User, eve: User, erin: User, topic: Topic
) -> None:
    session = make_request(alice, topic)
    eves, erins = board(eve), board(erin)

    async def journey() -> None:
        for page in (eves, erins):
            assert await page.open()
            assert [request["id"] for request in (await page.hear("board_state"))["requests"]] == [str(session.pk)]
        await sync_to_async(blocked)(alice, eve)
        assert (await eves.hear("board_state"))["requests"] == []
        await erins.say(type="sync")
        assert [request["id"] for request in (await erins.hear("board_state"))["requests"]] == [str(session.pk)]
        for page in (eves, erins):
            await page.close()

    run(journey)


def test_a_message_that_waits_is_not_sent_after_a_block(
    blocked: Blocked, alice: User, eve_by_text: User, topic: Topic
) -> None:
    session = make_request(alice, topic)
    assert wave(session) == 1
    blocked(alice, eve_by_text)
    send_all()
    assert not eve_by_text.messages.exists()


def test_who_was_told_and_is_blocked_since_counts_as_told_no_more(alice: User, eve: User, erin: User, topic: Topic) -> None:
    for expert in (eve, erin):
        open_board(expert)
        open_all_hours(expert)
    session = make_request(alice, topic)
    run_wave(session_id=session.pk, now=timezone.now())
    assert ways_to(eve)[:1] == [Way.BOARD]
    assert alerted_count(session) == 2
    blocking.block(by=eve, person=alice)
    assert alerted_count(session) == 1


def test_the_minute_of_an_expert_who_was_asked_first_ends_with_a_block(
    blocked: Blocked, alice: User, eve: User, erin: User, topic: Topic
) -> None:
    open_board(eve)
    session = ask_first(alice, eve, topic)
    assert requests_for(erin) == []
    blocked(alice, eve)
    assert [request.pk for request in requests_for(erin)] == [session.pk]
    assert requests_for(eve) == []


def test_what_was_accepted_before_the_block_goes_on(blocked: Blocked, alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    blocked(alice, eve)
    session.refresh_from_db()
    assert (session.state, session.expert) == (State.ACCEPTED, eve)


def test_a_block_while_the_other_accepts_does_no_harm(blocked: Blocked, alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)

    def accept_in_between(**_: object) -> None:
        # The block is written, and what is open not looked at yet.
        accept.accept(session_id=session.pk, expert=eve)

    post_save.connect(accept_in_between, sender=Block)
    try:
        blocked(alice, eve)
    finally:
        post_save.disconnect(accept_in_between, sender=Block)
    session.refresh_from_db()
    assert (session.state, session.expert) == (State.ACCEPTED, eve)
    release.release(session_id=session.pk, expert=eve)
    assert requests_for(eve) == []


def test_a_block_at_the_moment_of_asking_holds(blocked: Blocked, alice: User, eve: User, topic: Topic) -> None:
    def block_in_between(write: str, table: str) -> None:
        # The request is about to go live, and was looked at already.
        if (write, table) == ("UPDATE", "sessions_app_helpsession") and not Block.objects.exists():
            blocked(alice, eve)

    card = give_card(alice, 2)
    waits = ask.ask(customer=alice, topic=topic, title="Slow", details="", cap_minutes=30, card=card)
    with watched_writes(before=block_in_between, after=lambda write, table: None):
        went_live = ask.go_live(waits.session.pk)
    assert Block.objects.exists()
    assert went_live.session.state == State.REQUESTED
    assert requests_for(eve) == []


# --- and back ---


def test_unblocked_they_meet_again_also_in_what_is_open(blocked: Blocked, alice: User, eve: User, topic: Topic) -> None:
    block = blocked(alice, eve)
    session = make_request(alice, topic)
    assert blocking.unblock(by=block.by, person=block.person)
    assert [request.pk for request in requests_for(eve)] == [session.pk]


def test_of_two_blocks_the_other_stays(alice: User, eve: User, topic: Topic) -> None:
    blocking.block(by=alice, person=eve)
    blocking.block(by=eve, person=alice)
    make_request(alice, topic)
    blocking.unblock(by=alice, person=eve)
    assert requests_for(eve) == []


def test_who_gave_it_back_is_not_asked_again_when_a_block_is_taken_back(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    blocking.block(by=alice, person=eve)
    release.release(session_id=session.pk, expert=eve)
    blocking.unblock(by=alice, person=eve)
    assert requests_for(eve) == []


def test_blocking_twice_is_one_block_and_nobody_blocks_themselves(alice: User, eve: User) -> None:
    assert blocking.block(by=alice, person=eve) == blocking.block(by=alice, person=eve)
    with pytest.raises(Refused, match="yourself"):
        blocking.block(by=alice, person=alice)
    assert not blocking.unblock(by=eve, person=alice)


# --- the pages ---


def test_the_page_of_a_session_blocks_and_unblocks_and_the_other_sees_nothing_of_it(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    client.force_login(alice)
    answer = client.post(reverse("session_block", args=[session.pk]), HTTP_ACCEPT="application/json")
    assert answer.json()["said"] == "Eve is blocked, and is not told. This call goes on: end it when you want."
    session.refresh_from_db()
    assert session.state == State.ACTIVE
    end.end(session=session, by=alice)
    page = client.get(session.get_absolute_url()).content.decode()
    assert "You blocked Eve." in page
    others = Client()
    others.force_login(eve)
    its = others.get(session.get_absolute_url()).content.decode()
    assert "You blocked" not in its
    assert "Block or report Alice" in its
    assert mail.outbox == []
    client.post(reverse("session_unblock", args=[session.pk]))
    assert not Block.objects.exists()
    assert "Block or report Eve" in client.get(session.get_absolute_url()).content.decode()


def test_nobody_else_blocks_from_a_session_and_there_must_be_somebody_to_block(
    client: Client, alice: User, bob: User, eve: User, topic: Topic
) -> None:
    session = make_request(alice, topic)
    for person, status in ((bob, 404), (eve, 404), (alice, 409)):
        client.force_login(person)
        answer = client.post(reverse("session_block", args=[session.pk]), HTTP_ACCEPT="application/json")
        assert answer.status_code == status
    assert not Block.objects.exists()


def test_the_settings_list_whom_one_blocked_and_take_it_back(client: Client, alice: User, bob: User, eve: User) -> None:
    block = blocking.block(by=alice, person=eve)
    blocking.block(by=bob, person=alice)
    client.force_login(alice)
    page = client.get(reverse("blocked")).content.decode()
    assert "Eve" in page
    assert "Bob" not in page
    others = Client()
    others.force_login(eve)
    assert others.post(reverse("unblock", args=[block.pk])).status_code == 404
    assert client.post(reverse("unblock", args=[block.pk])).status_code == 302
    assert "Eve" not in client.get(reverse("blocked")).content.decode().split("<main")[1]
    assert not Block.objects.filter(by=alice).exists()


def test_a_blocked_expert_with_the_link_is_told_nothing_of_the_block(alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    blocking.block(by=alice, person=eve)
    assert what_became(session, eve) == "This request is not for you at the moment."


def test_a_blocked_expert_missed_nothing(client: Client, alice: User, eve: User, topic: Topic) -> None:
    open_board(eve)
    open_all_hours(eve)
    session = make_request(alice, topic)
    run_wave(session_id=session.pk, now=timezone.now())
    blocking.block(by=alice, person=eve)
    HelpSession.objects.filter(pk=session.pk).update(state=State.EXPIRED, ended_at=timezone.now())
    (heard,) = heard_by(eve, since=timezone.now() - timedelta(hours=1))
    assert heard.outcome is Outcome.NOT_THEIRS
