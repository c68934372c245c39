"""Coming back into a call: after each of these both see each other again, and are billed for the time both were there.

What the bill is compared with is a diary kept on the wire between each browser and the server (`tests/peers/cutter.py`).
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.call import ADA, CLEO, both_see_each_other, clock, clocks_agree, join, seconds_on, wait_for_clock
from tests.browser.conftest import OpenPage
from tests.browser.presence import WatchedCall, end_and_check_the_bill, set_price, watched_call
from tests.conftest import StartServer
from tests.live import LiveServer

CUTS = 10
RELOADS = 30
# Keeps all that the page says of where the call stands.
KEEP_STATUS = """() => {
    window.said = [];
    const line = document.querySelector(".stage [data-status]");
    new MutationObserver(() => window.said.push(line.textContent)).observe(line, { childList: true });
}"""


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LiveServer:
    """A server where every second costs, from the first."""
    server = start_server(FIT_WINDOW_SECONDS="0")
    set_price(server)
    return server


def stands(page: Page, sentence: str) -> None:
    """Wait until the clock of `page` stands, and the page says why."""
    expect(page.locator(".stage").get_by_text(sentence)).to_be_visible()
    expect(clock(page)).to_have_attribute("data-running", "no")


def goes_on(call: WatchedCall) -> None:
    """Wait until all is well on both sides, and for a second of it."""
    both_see_each_other(call)
    clocks_agree(call)
    for page in (call.customer, call.expert):
        expect(page.locator(".stage [data-status]")).to_be_hidden()
    wait_for_clock(call.customer, seconds_on(clock(call.customer).inner_text()) + 2)


def test_ten_cuts_of_the_line_cost_nobody_a_second_and_the_call_goes_on(server: LiveServer, open_page: OpenPage) -> None:
    with watched_call(server, open_page, "Ten cuts") as call:
        for number in range(CUTS):
            page, line = [(call.customer, call.customers_line), (call.expert, call.experts_line)][number % 2]
            stays = len(line.stays)
            line.cut()
            expect(page.locator("html")).to_have_attribute("data-socket", "lost")
            expect(page.locator("html")).to_have_attribute("data-socket", "open")
            both_see_each_other(call)
            clocks_agree(call)
            assert len(line.stays) == stays + 1
        end_and_check_the_bill(call)


def test_thirty_reloads_cost_nobody_a_second(server: LiveServer, open_page: OpenPage) -> None:
    with watched_call(server, open_page, "Thirty reloads") as call:
        for number in range(RELOADS):
            (call.customer, call.expert)[number % 2].reload()
            both_see_each_other(call)
        clocks_agree(call)
        assert len(call.customers_line.stays) == len(call.experts_line.stays) == 1 + RELOADS // 2
        end_and_check_the_bill(call, by=call.expert)


def test_a_killed_server_comes_back_into_the_same_call(start_server: StartServer, open_page: OpenPage) -> None:
    server = start_server(FIT_WINDOW_SECONDS="0")
    set_price(server)
    with watched_call(server, open_page, "Server killed") as call:
        clocks_agree(call)
        wait_for_clock(call.customer, 3)
        server.kill()
        for page in (call.customer, call.expert):
            stands(page, "Reconnecting to Hopps… The call goes on, the clock stands still.")
        both_see_each_other(call)
        server.start_again()
        goes_on(call)
        end_and_check_the_bill(call)


def test_a_line_gone_silent_is_noticed_on_both_sides(server: LiveServer, open_page: OpenPage) -> None:
    with watched_call(server, open_page, "Silent line") as call:
        clocks_agree(call)
        call.experts_line.freeze()
        stands(call.expert, "Reconnecting to Hopps… The call goes on, the clock stands still.")
        stands(call.customer, f"The clock stands still: {ADA} is cut off from Hopps. The call goes on.")
        call.experts_line.thaw()
        goes_on(call)
        end_and_check_the_bill(call)


def test_a_laptop_that_slept_wakes_up_in_the_call(server: LiveServer, open_page: OpenPage) -> None:
    with watched_call(server, open_page, "Slept") as call:
        clocks_agree(call)
        # The page runs no line of its script, as in sleep; its line to the server stays open.
        browser = call.customer.context.new_cdp_session(call.customer)
        asleep: list[object] = []
        browser.on("Debugger.paused", lambda event: asleep.append(event))  # noqa: PLW0108  Playwright takes no built-in
        browser.send("Debugger.enable")
        browser.send("Debugger.pause")
        while not asleep:
            call.expert.evaluate("0")
        call.customers_line.fall_asleep()
        stands(call.expert, f"The clock stands still: {CLEO} is cut off from Hopps. The call goes on.")
        call.customers_line.wake_up()
        browser.send("Debugger.resume")
        goes_on(call)
        end_and_check_the_bill(call)


def test_who_closes_the_page_is_missed_and_can_come_back(server: LiveServer, open_page: OpenPage) -> None:
    with watched_call(server, open_page, "Closed") as call:
        address = call.expert.url
        call.customer.evaluate(KEEP_STATUS)
        call.expert.goto("about:blank")
        stands(call.customer, f"The clock stands still: {ADA} left. If that lasts 2 min, the session ends by itself.")
        # While WebRTC takes the other for connected, too.
        assert not [said for said in call.customer.evaluate("window.said") if "cut off" in said]
        call.expert.goto(address)
        goes_on(call)
        end_and_check_the_bill(call)


def test_a_second_tab_takes_the_call_and_gives_it_back(server: LiveServer, open_page: OpenPage) -> None:
    with watched_call(server, open_page, "Two tabs") as call:
        first = call.customer
        second = first.context.new_page()
        second.goto(call.session)
        join(second)
        expect(first.get_by_role("heading", name="This call moved to another tab")).to_be_visible()
        call.customer = second
        goes_on(call)
        first.get_by_role("button", name="Take the call back here").click()
        expect(second.get_by_role("heading", name="This call moved to another tab")).to_be_visible()
        call.customer = first
        goes_on(call)
        end_and_check_the_bill(call)
