"""An expert's board: it chimes, it shows, and it lets go of what is taken."""

import re

from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.call import CUSTOMER, EXPERT, accept, ask_for_help
from tests.browser.conftest import PATIENCE, OpenPage
from tests.browser.tools import sign_in
from tests.live import LiveServer

OTHER_EXPERT = "expert2@demo.test"
TITLE = "Imports fail in production only"


def test_a_request_sounds_and_flashes_until_somebody_takes_it(server: LiveServer, open_page: OpenPage) -> None:
    board, others = open_page(server, EXPERT), open_page(server, OTHER_EXPERT)
    for page in (board, others):
        page.goto("/expert/")
    expect(board.get_by_text("Sound off in this tab")).to_be_visible()
    board.get_by_role("button", name="Turn sound on").click()
    expect(board.get_by_text("Sound on", exact=True)).to_be_visible()
    quiet_title = board.title()

    customer = open_page(server, CUSTOMER)
    ask_for_help(customer, TITLE)
    expect(customer.get_by_text("2 experts alerted")).to_be_visible()
    expect(board.get_by_role("link", name=TITLE)).to_be_visible()
    board.wait_for_function("() => window.hopps.soundEnergy() > 0")
    board.wait_for_function("quiet => document.title !== quiet", arg=quiet_title)

    accept(others, TITLE)
    expect(board.get_by_role("link", name=TITLE)).to_have_count(0)
    expect(board.get_by_text("Nobody is stuck right now")).to_be_visible()
    board.wait_for_function("quiet => document.title === quiet", arg=quiet_title)

    # Given back: it is on the first board again, and not on the one it was given back from.
    others.get_by_role("button", name="Give back", exact=True).first.click()
    others.get_by_role("button", name="Give it back").click()
    expect(board.get_by_role("link", name=TITLE)).to_be_visible()
    expect(others).to_have_url(re.compile("/expert/$"))
    expect(others.get_by_text("Nobody is stuck right now")).to_be_visible()

    # The lobby has a button of that name too: the customer's page must be past it.
    expect(customer.get_by_text("gave the request back")).to_be_visible()
    customer.get_by_role("button", name="Cancel request").click()
    expect(board.get_by_role("link", name=TITLE)).to_have_count(0)


def test_who_gives_a_request_back_comes_to_the_board_though_the_page_is_closed_to_them_before_the_answer(
    server: LiveServer, open_page: OpenPage
) -> None:
    board, customer = open_page(server, EXPERT), open_page(server, CUSTOMER)
    board.goto("/expert/")
    ask_for_help(customer, TITLE)
    with board.expect_websocket() as opened:
        accept(board, TITLE)

    def answer_late(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        if not opened.value.is_closed():
            opened.value.wait_for_event("close")
        route.fulfill(response=answer)

    board.route("**/release/", answer_late)
    board.get_by_role("button", name="Give back", exact=True).first.click()
    board.get_by_role("button", name="Give it back").click()
    expect(board).to_have_url(re.compile("/expert/$"))
    expect(board.get_by_text("The request is back with the other experts.")).to_be_visible()
    call_off(customer)


def test_a_request_given_back_before_the_customer_saw_it_taken_is_told_all_the_same(
    server: LiveServer, open_page: OpenPage
) -> None:
    board, customer = open_page(server, EXPERT), open_page(server, CUSTOMER)
    board.goto("/expert/")
    address = ask_for_help(customer, TITLE)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    customer.route(address, hold, times=1)
    with customer.expect_request(address):
        accept(board, TITLE)
    board.get_by_role("button", name="Give back", exact=True).first.click()
    board.get_by_role("button", name="Give it back").click()
    expect(board).to_have_url(re.compile("/expert/$"))
    held[0].continue_()
    expect(customer.get_by_text("gave the request back")).to_be_visible()
    call_off(customer)


def call_off(customer: Page) -> None:
    """Cancel the request that waits."""
    customer.get_by_role("button", name="Cancel request").click()
    expect(customer.get_by_text("You called this request off.")).to_be_visible()


def test_a_hidden_tab_sounds_after_one_click_and_not_before(
    server: LiveServer, window: BrowserContext, open_page: OpenPage
) -> None:
    front = window.pages[0]
    sign_in(front, server, EXPERT)
    # Opened, not clicked to: no hand has touched this tab.
    board = window.new_page()
    board.goto(f"{server.url}/expert/")
    wait_until(board, "document.hasFocus() && !document.hidden && !document.querySelector('[data-sound-off]').hidden")
    wait_until(board, "window.quietTitle = document.title")

    # A script presses the button: the browser keeps the sound locked, and the badge does not say otherwise.
    wait_until(board, "(document.querySelector('[data-turn-sound-on]').click(), true)")
    wait_until(board, "document.querySelector('[data-sound-said]').textContent.startsWith('No sound came out.')")
    put_behind(board, front)
    customer, others = open_page(server, CUSTOMER), open_page(server, OTHER_EXPERT)
    ask_for_help(customer, "Nobody hears this")
    wait_until(board, "document.title !== window.quietTitle")
    # For as long as a chime takes, and longer.
    wait_until(board, "performance.now() > (window.since ??= performance.now()) + 1_500 || window.hopps.soundEnergy() > 0")
    wait_until(board, "window.hopps.soundEnergy() === 0 && document.querySelector('[data-sound-on]').hidden")
    customer.get_by_role("button", name="Cancel request").click()
    wait_until(board, "!document.querySelector('[data-request]')")

    board.bring_to_front()
    # What is heard at the moment the badge changes.
    board.evaluate(
        """() => new MutationObserver(() => { window.heardThen ??= window.hopps.soundEnergy(); })
            .observe(document.querySelector("[data-sound-on]"), { attributes: true })"""
    )
    board.get_by_role("button", name="Turn sound on").click()
    expect(board.get_by_text("Sound on", exact=True)).to_be_visible()
    assert board.evaluate("window.heardThen") > 0
    wait_until(board, "window.hopps.soundEnergy() === 0")

    put_behind(board, front)
    ask_for_help(customer, TITLE)
    wait_until(board, "window.hopps.soundEnergy() > 0.01")
    wait_until(board, "document.title !== window.quietTitle")
    others.goto("/expert/")
    accept(others, TITLE)
    wait_until(board, "!document.querySelector('[data-request]')")
    wait_until(board, "document.title === window.quietTitle && window.hopps.soundEnergy() === 0")
    wait_until(board, "document.hidden")
    others.get_by_role("button", name="Give back", exact=True).first.click()
    others.get_by_role("button", name="Give it back").click()
    expect(customer.get_by_text("gave the request back")).to_be_visible()
    call_off(customer)


def put_behind(page: Page, front: Page) -> None:
    """Put another tab of its window before `page`, and wait until the browser has told it."""
    front.bring_to_front()
    wait_until(page, "document.hidden && document.visibilityState === 'hidden'")


def wait_until(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression holds in `page`, touching nothing.

    To the browser, Playwright's own ways to look into a page are a hand on it, which unlocks its sound; and they wait for
    frames, which a page that stands behind another one does not paint.
    """
    promise = f"""new Promise((resolve) => {{
        const end = performance.now() + {PATIENCE};
        const timer = setInterval(() => {{
            const holds = Boolean({condition});
            if (!holds && performance.now() < end) return;
            clearInterval(timer);
            resolve(holds);
        }}, 50);
    }})"""
    tab = page.context.new_cdp_session(page)
    answer = tab.send("Runtime.evaluate", {"expression": promise, "awaitPromise": True, "userGesture": False})
    tab.detach()
    assert answer["result"].get("value") is True, f"Never so: {condition} {answer}"


def test_who_is_not_available_is_left_in_peace(server: LiveServer, open_page: OpenPage) -> None:
    board = open_page(server, EXPERT)
    board.goto("/expert/")
    switch = board.get_by_role("switch", name="Available for requests")
    switch.click()
    expect(board.get_by_role("heading", name="You are not available")).to_be_visible()
    customer = open_page(server, CUSTOMER)
    ask_for_help(customer, "Quiet please")
    expect(board.get_by_role("link", name="Quiet please")).to_have_count(0)
    switch.click()
    expect(board.get_by_role("link", name="Quiet please")).to_be_visible()
    call_off(customer)


def test_do_not_disturb_hushes_the_board_in_place(server: LiveServer, open_page: OpenPage) -> None:
    board = open_page(server, EXPERT)
    board.goto("/expert/")
    board.get_by_role("button", name="Turn sound on").click()
    expect(board.get_by_text("Sound on", exact=True)).to_be_visible()
    board.get_by_text("Do not disturb", exact=True).click()
    board.get_by_role("button", name="For 1 hour").click()
    # The script writes it as the templates do.
    expect(board.get_by_text("Do not disturb until")).to_have_text(re.compile(r"until (\w+ )?([01]\d|2[0-3]):[0-5]\d\.$"))
    expect(board.get_by_role("heading", name="You asked not to be disturbed")).to_be_visible()
    expect(board.get_by_role("switch", name="Available for requests")).to_be_checked()

    customer = open_page(server, CUSTOMER)
    ask_for_help(customer, "Not now")
    expect(board.get_by_role("link", name="Not now")).to_have_count(0)
    board.get_by_role("button", name="End it now").click()
    expect(board.get_by_role("link", name="Not now")).to_be_visible()
    # A page that was loaded anew would have lost its sound.
    expect(board.get_by_text("Sound on", exact=True)).to_be_visible()
    call_off(customer)
