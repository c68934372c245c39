"""Calls by a relay alone, a real coturn: what people behind a strict network have, and all where addresses are hidden."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.call import (
    ADA,
    CLEO,
    CUSTOMER,
    EXPERT,
    Call,
    accept,
    ask_for_help,
    both_see_each_other,
    clocks_agree,
    end_session,
    join,
    wait_for_clock,
)
from tests.browser.conftest import OpenPage
from tests.browser.presence import end_and_check_the_bill, set_price, watched_call
from tests.conftest import StartServer
from tests.live import LiveServer
from tests.peers.coturn import Coturn

# The shortest that settings allow.
TURN_SECONDS = 20
# Keeps every connection the page makes where a test can look at it.
KEEP_CONNECTIONS = """
    window.connections = [];
    const Real = RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(configuration) { super(configuration); window.connections.push(this); }
    };
"""
# The page's patience with a call that does not connect, which is 15 s, is half a second.
IMPATIENT = """
    const later = window.setTimeout;
    window.setTimeout = (run, wait, ...rest) => later(run, wait === 15000 ? 500 : wait, ...rest);
"""
FREE = "Nothing is charged for a call that never connects."
USERNAME = "window.connections.at(-1).getConfiguration().iceServers.at(-1).username"


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    coturn = Coturn(tmp_path_factory.mktemp("coturn"))
    coturn.start()
    yield coturn
    coturn.kill()


@pytest.fixture(scope="module")
def server(start_server: StartServer, relay: Coturn) -> LiveServer:
    """A server whose calls all go by the relay."""
    server = start_server(FIT_WINDOW_SECONDS="0", TURN_SECONDS=str(TURN_SECONDS), **relay.environment)
    set_price(server)
    return server


def keep_connections(page: Page) -> None:
    page.add_init_script(KEEP_CONNECTIONS)


def ways(page: Page) -> set[str]:
    """Return the kinds of address, here and there, by which media flows to and from the page."""
    found: list[str] = page.evaluate(
        """async () => {
            const stats = await window.connections.at(-1).getStats();
            const pairs = [...stats.values()].filter((one) => one.type === "candidate-pair" && one.nominated);
            return pairs.flatMap((pair) => [pair.localCandidateId, pair.remoteCandidateId])
              .map((id) => stats.get(id).candidateType);
        }"""
    )
    return set(found)


def test_with_a_relay_alone_both_see_each_other_and_neither_learns_the_others_address(
    server: LiveServer, relay: Coturn, open_page: OpenPage
) -> None:
    with watched_call(server, open_page, "By a relay", keep_connections) as call:
        names = []
        for page in (call.customer, call.expert):
            assert ways(page) == {"relay"}
            expires, _, holder = page.evaluate(USERNAME).partition(":")
            assert holder.split(".")[0] == call.session.rstrip("/").rpartition("/")[2]
            names.append((expires, holder))
        assert names[0][1] != names[1][1]
        # The relay knew them by these names.
        assert all(f"<{expires}:{holder}>" in relay.said() for expires, holder in names)
        call.customer.reload()
        both_see_each_other(call)
        assert ways(call.customer) == {"relay"}
        end_and_check_the_bill(call)


def test_credentials_are_fresh_when_the_relay_dies_after_the_first_ones_ran_out(
    server: LiveServer, relay: Coturn, open_page: OpenPage
) -> None:
    with watched_call(server, open_page, "Relay killed", keep_connections) as call:
        first = [page.evaluate(USERNAME) for page in (call.customer, call.expert)]
        for page, name in zip((call.customer, call.expert), first, strict=True):
            page.wait_for_function(f"name => {USERNAME} !== name", arg=name)
            page.wait_for_function("expires => Date.now() / 1000 > expires", arg=int(name.partition(":")[0]))
        # The first ones are worth nothing any more, and the call has not noticed.
        both_see_each_other(call)
        relay.kill()
        for page, other in ((call.customer, ADA), (call.expert, CLEO)):
            expect(page.locator(".stage").get_by_text(f"The line to {other} is interrupted. Reconnecting.")).to_be_visible()
        relay.start()
        both_see_each_other(call)
        clocks_agree(call)
        for page in (call.customer, call.expert):
            expect(page.locator(".stage [data-status]")).to_be_hidden()
            assert ways(page) == {"relay"}
        end_and_check_the_bill(call, by=call.expert)


def test_on_another_network_the_line_and_the_path_are_new_and_the_call_goes_on(
    server: LiveServer, relay: Coturn, open_page: OpenPage
) -> None:
    with watched_call(server, open_page, "From train to office", keep_connections) as call:
        # All that went by the old address is gone at once: the line to the server, and media's path.
        relay.kill()
        relay.start()
        call.expert.evaluate("dispatchEvent(new Event('online'))")
        call.experts_line.cut()
        before = call.customer.get_by_label(f"{ADA}'s video").evaluate("video => video.currentTime")
        call.customer.wait_for_function(
            "([video, before]) => video.currentTime > before + 1",
            arg=[call.customer.get_by_label(f"{ADA}'s video").element_handle(), before],
        )
        both_see_each_other(call)
        clocks_agree(call)
        end_and_check_the_bill(call)


def test_two_who_cannot_reach_each_other_are_told_what_to_do_and_that_it_costs_nothing(
    server: LiveServer, relay: Coturn, open_page: OpenPage
) -> None:
    relay.kill()
    try:
        customer, expert = open_page(server, CUSTOMER), open_page(server, EXPERT)
        for page in (customer, expert):
            page.add_init_script(IMPATIENT)
        expert.goto("/expert/")
        call = Call(customer, expert, ask_for_help(customer, "No relay"))
        accept(expert, "No relay")
        join(expert)
        join(customer)
        for page, other in ((customer, ADA), (expert, CLEO)):
            expect(page.locator(".stage [data-status]")).to_have_text(
                f"Your browser cannot reach {other}'s yet. Try another network, or switch off a VPN; "
                f"the chat works meanwhile. {FREE}"
            )
        wait_for_clock(customer, 1)
        end_dialog_says(customer, FREE, button="End", unsaid="card is charged")
        end_dialog_says(expert, FREE, button="End for both", unsaid="is charged that")
    finally:
        relay.start()
    customer.reload()
    both_see_each_other(call)
    for page in (customer, expert):
        expect(page.locator(".stage [data-status]")).to_be_hidden()
    end_dialog_says(customer, "That is what your card is charged", button="End and pay", unsaid=FREE)
    end_dialog_says(expert, f"{CLEO} is charged that", button="End for both", unsaid=FREE)
    end_session(customer)


def end_dialog_says(page: Page, sentence: str, *, button: str, unsaid: str) -> None:
    """Check what somebody reads who wants to end the session, and does not."""
    page.get_by_role("button", name="End session").first.click()
    dialog = page.get_by_role("dialog", name="End session?")
    expect(dialog.get_by_text(sentence)).to_be_visible()
    expect(dialog.get_by_text(unsaid)).to_be_hidden()
    expect(dialog.get_by_role("button", name=button, exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Keep talking").click()
