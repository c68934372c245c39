"""Two web processes on Redis, customer and expert on different ones: what becomes of a call when one of them is killed, when
they are replaced one after the other, and when Redis is away."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from sessions_app.models import HelpSession
from tests.browser.call import (
    ADA,
    CLEO,
    OPERATOR,
    accept,
    ask_for_help,
    both_see_each_other,
    clock,
    clocks_agree,
    end_session,
    join,
    seconds_on,
    wait_for_clock,
)
from tests.browser.conftest import OpenPage
from tests.browser.presence import WatchedCall, diary, end_and_check_the_bill, set_price, watched_call
from tests.browser.test_notes import is_saved, open_notes
from tests.live import LiveCluster

pytestmark = pytest.mark.whole_machine

REDIS_AWAY_SECONDS = 20
# Keeps all that the page says of its connection and of where the call stands.
KEEP_TROUBLE = """() => {
    window.trouble = [];
    const keep = (what) => what && window.trouble.push(`${new Date().toISOString()} ${what}`);
    const status = document.querySelector(".stage [data-status]");
    new MutationObserver(() => keep(status.textContent)).observe(status, { childList: true });
    const root = document.documentElement;
    new MutationObserver(() => root.dataset.socket !== "open" && keep(root.dataset.socket))
        .observe(root, { attributeFilter: ["data-socket"] });
    const clock = document.querySelector("[role=timer]");
    new MutationObserver(() => clock.dataset.running !== "yes" && keep("The clock stands still"))
        .observe(clock, { attributeFilter: ["data-running"] });
}"""


@pytest.fixture(scope="module")
def server(live_cluster: LiveCluster) -> LiveCluster:
    """The cluster, where seconds are dollars."""
    set_price(live_cluster)
    return live_cluster


@contextmanager
def call_by_two_processes(server: LiveCluster, open_page: OpenPage, title: str) -> Iterator[WatchedCall]:
    """The customer's page is at the first process, the expert's at the second, while that is up."""
    ports = (server.cluster.proxy.port_by(0), server.cluster.proxy.port_by(1))
    with watched_call(server, open_page, title, ports=ports) as call:
        clocks_agree(call)
        yield call


def say(page: Page, other: str, words: str) -> None:
    page.get_by_label(f"Write to {other}").fill(words)
    page.get_by_role("button", name="Send").click()


def hears_once(page: Page, words: str) -> None:
    expect(page.locator("[data-chat-lines]").get_by_text(words, exact=True)).to_have_count(1)


def goes_on(call: WatchedCall) -> None:
    """Wait until all is well on both sides, and for two seconds of it."""
    both_see_each_other(call)
    clocks_agree(call)
    for page in (call.customer, call.expert):
        expect(page.locator("html")).to_have_attribute("data-socket", "open")
        expect(page.locator(".stage [data-status]")).to_be_hidden()
    wait_for_clock(call.customer, seconds_on(clock(call.customer).inner_text()) + 2)


def test_a_process_killed_in_mid_call_costs_nobody_anything(server: LiveCluster, open_page: OpenPage) -> None:
    with call_by_two_processes(server, open_page, "One of two is killed") as call:
        # Each word goes from one process to the other.
        say(call.customer, ADA, "Can you see my screen?")
        hears_once(call.expert, "Can you see my screen?")
        cleos, adas = open_notes(call)
        cleos.fill("first: ")
        expect(adas).to_have_value("first: ")
        call.customer.get_by_role("button", name="Pause clock").click()
        expect(clock(call.expert)).to_have_attribute("data-running", "no")
        call.expert.get_by_role("button", name="Resume clock").click()
        clocks_agree(call)

        server.cluster.webs[1].kill()
        expect(call.expert.locator("html")).to_have_attribute("data-socket", "lost")
        # It comes back by the process that is left; the customer's line was never gone.
        goes_on(call)
        assert len(call.customers_line.stays) == 1
        assert len(call.experts_line.stays) == 2

        server.cluster.webs[1].start()
        adas.press("End")
        adas.press_sequentially("the index")
        expect(cleos).to_have_value("first: the index")
        is_saved(adas)
        end_and_check_the_bill(call)
        for page in (call.customer, call.expert):
            hears_once_on_receipt(page, "Can you see my screen?")


def hears_once_on_receipt(page: Page, words: str) -> None:
    expect(page.get_by_text(words, exact=True)).to_have_count(1)


def test_a_rolling_restart_in_mid_call_is_noticed_by_nobody(server: LiveCluster, open_page: OpenPage) -> None:
    with call_by_two_processes(server, open_page, "Rolling restart") as call:
        for page in (call.customer, call.expert):
            page.evaluate(KEEP_TROUBLE)
        before = [web.pid for web in server.cluster.webs]
        server.cluster.roll()
        assert not {web.pid for web in server.cluster.webs} & set(before)

        say(call.expert, CLEO, "Still here?")
        hears_once(call.customer, "Still here?")
        for page in (call.customer, call.expert):
            assert page.evaluate("window.trouble") == [], diary(call)
        goes_on(call)
        end_and_check_the_bill(call)


def test_redis_away_for_twenty_seconds_loses_nothing_and_doubles_nothing(server: LiveCluster, open_page: OpenPage) -> None:
    with call_by_two_processes(server, open_page, "Redis away") as call:
        operator = open_page(server, OPERATOR)
        adas, cleos = (page.locator("[data-chat-lines]") for page in (call.expert, call.customer))
        say(call.customer, ADA, "before")
        hears_once(call.expert, "before")

        server.cluster.redis.kill()
        away_since = time.monotonic()
        # Pages and forms work as ever.
        call.customer.get_by_role("button", name="Pause clock").click()
        expect(clock(call.customer)).to_have_attribute("data-running", "no")
        call.customer.get_by_role("button", name="Resume clock").click()
        expect(clock(call.customer)).to_have_attribute("data-running", "yes")
        said: list[str] = []
        while time.monotonic() - away_since < REDIS_AWAY_SECONDS:
            said.append(f"said without Redis: {len(said)}")
            say(call.customer, ADA, said[-1])
            # Kept, and shown as kept to the one who said it.
            hears_once(call.customer, said[-1])
            operator.goto("/")
            expect(operator.get_by_role("heading", level=1)).to_be_visible()
        both_see_each_other(call)

        server.cluster.redis.start_again()
        for words in ["before", *said]:
            hears_once(call.expert, words)
            hears_once(call.customer, words)
        assert adas.inner_text().count("said without Redis") == len(said) == cleos.inner_text().count("said without Redis")
        say(call.expert, CLEO, "heard all of it")
        hears_once(call.customer, "heard all of it")
        goes_on(call)
        end_and_check_the_bill(call)


def test_a_request_asked_while_redis_is_away_is_on_the_boards_when_it_is_back(
    server: LiveCluster, open_page: OpenPage
) -> None:
    board = open_page(server, "expert@demo.test", base_url=server.cluster.url_by(1))
    board.goto("/expert/")
    expect(board.locator("html")).to_have_attribute("data-socket", "open")
    customer = open_page(server, "customer@demo.test", base_url=server.cluster.url_by(0))
    server.cluster.redis.kill()
    ask_for_help(customer, "Asked without Redis")
    server.cluster.redis.start_again()

    accept(board, "Asked without Redis")
    # The job that would have found the time-out was not lost either.
    join(board)
    join(customer)
    end_session(customer)
    with server.rows() as its:
        assert HelpSession.objects.using(its).filter(title="Asked without Redis").count() == 1
