"""Which servers a page is given to reach the other side by, and with whose credential."""

import time

import pytest
from pytest_django import Settings

from accounts.models import Topic, User
from hopps.errors import Refused
from hopps.turn import sign
from sessions_app import cancel
from sessions_app.events import CarriedByPeer
from sessions_app.models import HelpSession
from sessions_app.video.carrier import carrier_of
from tests.people import make_accepted

pytestmark = pytest.mark.django_db(transaction=True)

STUN = ["stun:stun.example.org"]
TURN = ["turn:turn.example.org:3478", "turns:turn.example.org:5349?transport=tcp"]


@pytest.fixture
def relay(settings: Settings) -> None:
    settings.STUN_URLS, settings.TURN_URLS, settings.TURN_SECRET, settings.TURN_SECONDS = STUN, TURN, "north", 600


def peer_carrier(session: HelpSession, person: User) -> CarriedByPeer:
    carrier = carrier_of(session, person)
    assert isinstance(carrier, CarriedByPeer)
    return carrier


def test_without_servers_the_two_browsers_are_on_their_own(alice: User, eve: User, topic: Topic) -> None:
    carrier = peer_carrier(make_accepted(alice, eve, topic), alice)
    assert (carrier.ice_servers, carrier.seconds, carrier.relay_only) == ([], None, False)


def test_stun_needs_no_credential_and_holds_for_good(alice: User, eve: User, topic: Topic, settings: Settings) -> None:
    settings.STUN_URLS = STUN
    carrier = peer_carrier(make_accepted(alice, eve, topic), alice)
    assert [(server.urls, server.username) for server in carrier.ice_servers] == [(STUN, "")]
    assert carrier.seconds is None


@pytest.mark.usefixtures("relay")
def test_a_relays_credential_is_for_one_person_in_one_session_and_a_while(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    names = []
    for person in (alice, eve):
        carrier = peer_carrier(session, person)
        stun, turn = carrier.ice_servers
        assert (stun.urls, turn.urls, carrier.seconds) == (STUN, TURN, 600)
        expires, _, holder = turn.username.partition(":")
        assert abs(int(expires) - (time.time() + 600)) < 5
        assert holder == f"{session.pk}.{person.pk}"
        assert turn.credential == sign("north", turn.username)
        assert person.email not in turn.username
        names.append(turn.username)
    assert len(set(names)) == 2


@pytest.mark.usefixtures("relay")
def test_an_operator_can_have_all_calls_go_through_the_relay(
    alice: User, eve: User, topic: Topic, settings: Settings
) -> None:
    settings.TURN_ONLY = True
    assert peer_carrier(make_accepted(alice, eve, topic), alice).relay_only


@pytest.mark.usefixtures("relay")
def test_nobody_else_gets_a_credential_and_nobody_after_the_end(
    alice: User, bob: User, eve: User, olga: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    for person in (bob, olga):
        with pytest.raises(Refused):
            carrier_of(session, person)
    cancel.cancel(session_id=session.pk, customer=alice)
    session.refresh_from_db()
    for person in (alice, eve):
        with pytest.raises(Refused, match="not open any more"):
            carrier_of(session, person)
