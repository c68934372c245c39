"""What a call promises, whatever carries it: one set of tests for the two browsers' own line and for a room at Twilio.

Twilio's media servers cannot be had here. The pages run the file of its SDK as npm has it, in which `connect` alone is ours
(decision 0012); the last tests run it untouched, against a network in which Twilio cannot be reached.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.call import (
    ADA,
    CLEO,
    Call,
    both_see_each_other,
    clock,
    clocks_agree,
    end_session,
    join,
    shows_movement,
    start_call,
)
from tests.browser.conftest import OpenPage
from tests.conftest import StartServer
from tests.live import ROOT, LiveServer
from tests.peers.twilio_rooms import TwilioRooms
from tests.peers.twilio_video import TwilioVideo

SDK_FILE = re.compile(r"/static/npm/twilio-video\.min\.[0-9a-f]+\.js$")
VERSION = json.loads((ROOT / "package.json").read_text())["dependencies"]["twilio-video"]
OUT_OF_REACH = "The video service was out of reach"


@dataclass
class Carrier:
    """A server whose calls are carried in one way, and how pages come to it."""

    name: str
    server: LiveServer
    rooms: TwilioRooms | None
    """Twilio's side of the calls, if they go there."""
    fetched: list[str] = field(default_factory=list)
    """The paths of the SDK's file as pages fetched it."""

    def opening(self, open_page: OpenPage) -> OpenPage:
        """Return `open_page` for pages that come this way."""

        def open_one(server: LiveServer, person: str | None = None, **options: Any) -> Page:
            page = open_page(server, person, **options)
            page.context.on(
                "request", lambda request: self.fetched.append(request.url) if SDK_FILE.search(request.url) else None
            )
            if self.rooms is not None:
                page.context.add_init_script(self.rooms.init_script)
            return page

        return open_one


@pytest.fixture(scope="module")
def _twilio() -> Iterator[TwilioRooms]:
    video = TwilioVideo()
    with TwilioRooms(video) as rooms:
        yield rooms
    video.stop()
    assert video.violations == []


@pytest.fixture(scope="module")
def _twilio_carrier(_twilio: TwilioRooms, start_server: StartServer) -> Carrier:
    return Carrier("twilio", start_server(**_twilio.video.settings, TWILIO_VIDEO_HOSTS=_twilio.host), _twilio)


@pytest.fixture(scope="module")
def _peer_carrier(server: LiveServer) -> Carrier:
    return Carrier("peer", server, None)


@pytest.fixture(params=["peer", "twilio"])
def carrier(request: pytest.FixtureRequest) -> Carrier:
    """The calls between the two browsers, and those through Twilio, one after the other."""
    found: Carrier = request.getfixturevalue(f"_{request.param}_carrier")
    return found


@pytest.fixture
def twilio(_twilio_carrier: Carrier) -> Carrier:
    """Calls through Twilio."""
    return _twilio_carrier


def begin(carrier: Carrier, open_page: OpenPage, title: str) -> Call:
    """Go from nothing to a call in which both see each other, carried by `carrier`."""
    carrier.fetched.clear()
    before = list(carrier.rooms.entered) if carrier.rooms is not None else []
    call = start_call(carrier.server, carrier.opening(open_page), title)
    if carrier.rooms is not None:
        new = carrier.rooms.entered[len(before) :]
        assert len(new) >= 2
        assert len(set(new)) == 1, "The two were in different rooms."
    return call


# --- what holds for both --------------------------------------------------------------------------------------------------


def test_what_each_sends_is_seen_by_the_other_and_no_longer_when_it_stops(carrier: Carrier, open_page: OpenPage) -> None:
    call = begin(carrier, open_page, "Sent")
    clocks_agree(call)
    # The SDK is fetched where it is used, once by each page, and nowhere else.
    assert len(carrier.fetched) == (2 if carrier.rooms is not None else 0), carrier.fetched

    picture = call.expert.get_by_label(f"{CLEO}'s video")
    for _ in range(2):
        call.customer.get_by_role("button", name="Turn camera off").click()
        expect(picture).to_be_hidden()
        call.customer.get_by_role("button", name="Turn camera on").click()
        shows_movement(picture)

    muted = call.expert.locator("[data-other-muted]")
    call.customer.get_by_role("button", name="Mute microphone").click()
    expect(muted).to_be_visible()
    call.customer.get_by_role("button", name="Unmute microphone").click()
    expect(muted).to_be_hidden()

    for page in (call.customer, call.expert):
        page.get_by_role("button", name="Share screen").click()
    shows_movement(call.customer.get_by_label(f"{ADA}'s screen"))
    shows_movement(call.expert.get_by_label(f"{CLEO}'s screen"))
    call.expert.get_by_role("button", name="Stop sharing").click()
    expect(call.customer.get_by_label(f"{ADA}'s screen")).to_be_hidden()
    call.expert.get_by_role("button", name="Share screen").click()
    shows_movement(call.customer.get_by_label(f"{ADA}'s screen"))
    end_session(call.expert)


def test_who_reloads_or_comes_back_from_another_page_is_seen_again(carrier: Carrier, open_page: OpenPage) -> None:
    call = begin(carrier, open_page, "Reloaded")
    for page in (call.customer, call.expert):
        page.reload()
        both_see_each_other(call)
    call.customer.goto("/sessions/")
    expect(call.expert.get_by_label(f"{CLEO}'s video")).to_be_hidden()
    expect(clock(call.expert)).to_have_attribute("data-running", "no")
    call.customer.goto(call.session)
    both_see_each_other(call)
    clocks_agree(call)
    end_session(call.expert)


def test_a_second_tab_takes_the_call_and_the_first_takes_it_back(carrier: Carrier, open_page: OpenPage) -> None:
    call = begin(carrier, open_page, "Two tabs")
    first = call.customer
    second = first.context.new_page()
    second.goto(call.session)
    join(second)
    expect(first.locator("[data-take-back]")).to_be_visible()
    both_see_each_other(Call(customer=second, expert=call.expert, session=call.session))
    first.locator("[data-take-back]").click()
    expect(second.locator("[data-take-back]")).to_be_visible()
    both_see_each_other(call)
    end_session(call.expert)


# --- what can only happen at Twilio ----------------------------------------------------------------------------------------


def person_of(page: Page) -> str:
    """Return the id by which Twilio knows this page's person."""
    return page.locator("[data-room]").get_attribute("data-person") or ""


def test_a_line_to_twilio_that_is_cut_comes_back_and_a_room_that_ends_there_is_gone_on_from(
    twilio: Carrier, open_page: OpenPage
) -> None:
    assert twilio.rooms is not None
    call = begin(twilio, open_page, "Cut")
    room, entered = twilio.rooms.entered[-1], len(twilio.rooms.entered)
    twilio.rooms.cut(person_of(call.customer))
    twilio.rooms.wait_for(entered + 1)
    both_see_each_other(call)

    # An hour later: the token that the line was made with has run out, and the page has a fresh one.
    twilio.rooms.let_tokens_run_out()
    twilio.rooms.cut(person_of(call.customer))
    twilio.rooms.wait_for(entered + 2)
    both_see_each_other(call)
    assert twilio.rooms.entered[entered:] == [room, room]
    expect(call.customer.locator("[data-stage]")).to_have_attribute("data-link", "connected")

    twilio.rooms.complete(room)
    both_see_each_other(call)
    assert twilio.rooms.entered[entered:] == [room, room]
    was_rerouted(call)


def test_what_twilio_does_not_take_at_first_is_offered_again(twilio: Carrier, open_page: OpenPage) -> None:
    def refused_at_first(server: LiveServer, person: str | None = None, **options: Any) -> Page:
        page = open_page(server, person, **options)
        # Microphone and camera.
        page.context.add_init_script("window.twilioRefusesTracks = 2")
        return page

    # In which both see each other, and say so: the picture counts, and the sound.
    call = begin(twilio, refused_at_first, "Refused at first")
    for page in (call.customer, call.expert):
        assert page.evaluate("window.twilioRefusesTracks") == 0
        sound = "() => document.querySelector('[data-remote-camera]').srcObject.getAudioTracks().length === 1"
        page.wait_for_function(sound)
    clocks_agree(call)
    end_session(call.expert)


# --- Twilio's SDK as it is, where Twilio cannot be reached -----------------------------------------------------------------


def was_rerouted(call: Call) -> None:
    """The call goes on; it ends, and both receipts say that it was not carried by the video service."""
    clocks_agree(call)
    end_session(call.expert)
    for page in (call.customer, call.expert):
        expect(page.get_by_text(OUT_OF_REACH)).to_be_visible()


def test_where_twilio_is_silent_the_two_are_connected_all_the_same_and_soon(twilio: Carrier, open_page: OpenPage) -> None:
    def to_a_silent_twilio(server: LiveServer, person: str | None = None, **options: Any) -> Page:
        page = open_page(server, person, **options)
        # Taken, and never answered.
        page.context.route_web_socket(re.compile(r"\.twilio\.com/"), lambda socket: None)
        return page

    call = start_call(twilio.server, to_a_silent_twilio, "Silent")
    # It was the real SDK that tried, of the version we ask for; and it was we who gave up, long before it would have.
    sdks = [page.evaluate("window.Twilio?.Video") for page in (call.customer, call.expert)]
    assert {"version": VERSION, "isSupported": True}.items() <= next(sdk for sdk in sdks if sdk).items()
    assert "No answer within 8 s" in twilio.server.log_tail()
    was_rerouted(call)


def test_where_there_is_no_way_to_twilio_the_two_are_connected_all_the_same(twilio: Carrier, open_page: OpenPage) -> None:
    def cut_off_from_twilio(server: LiveServer, person: str | None = None, **options: Any) -> Page:
        page = open_page(server, person, **options)
        page.context.route_web_socket(re.compile(r"\.twilio\.com/"), lambda socket: socket.close(code=1011))
        return page

    was_rerouted(start_call(twilio.server, cut_off_from_twilio, "No way"))


def test_where_the_sdk_does_not_load_the_two_are_connected_all_the_same(twilio: Carrier, open_page: OpenPage) -> None:
    def without_the_file(server: LiveServer, person: str | None = None, **options: Any) -> Page:
        page = open_page(server, person, **options)
        page.context.route(SDK_FILE, lambda route: route.abort())
        return page

    was_rerouted(start_call(twilio.server, without_the_file, "No file"))
