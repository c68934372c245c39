"""Every page as people see it: axe finds nothing on it, light and dark, wide and on a phone.

`SCREENSHOTS=docs/images script/test --only-pytest tests/browser/test_pages.py` makes the README's pictures anew.
"""

import re
from io import BytesIO

from playwright.sync_api import Page, ViewportSize, expect
from pypdf import PdfReader

from tests.browser.call import (
    CUSTOMER,
    EXPERT,
    OPERATOR,
    accept,
    ask_for_help,
    clocks_agree,
    end_session,
    join,
    let_pass,
    shows_movement,
    start_call,
)
from tests.browser.conftest import PHONE, WIDE, OpenPage
from tests.browser.tools import axe_violations, screenshot_path
from tests.conftest import StartServer
from tests.live import LiveServer

VISITORS_PAGES = [
    "/", "/ask/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/password/reset/done/",
    "/accounts/password/reset/key/done/", "/accounts/inactive/", "/no/such/page/", "/accounts/password/reset/key/1-wrong/",
]  # fmt: skip
CUSTOMERS_PAGES = [
    "/", "/ask/", "/sessions/", "/sessions/?q=nothing-like-this", "/billing/", "/billing/cards/add/", "/settings/",
    "/settings/blocked/",
    "/expert/apply/", "/accounts/email/", "/accounts/password/change/", "/accounts/logout/", "/accounts/reauthenticate/",
    "/accounts/sign-in/", "/accounts/sign-in/again/", "/accounts/2fa/recovery-codes/generate/", "/expert/",
]  # fmt: skip
EXPERTS_PAGES = [
    "/expert/", "/expert/earnings/", "/expert/numbers/", "/expert/settings/", "/expert/settings/hours/",
    "/expert/settings/reach/", "/expert/check/", "/sessions/",
]  # fmt: skip


def check(page: Page, what: str) -> list[str]:
    """Return what is wrong with the page: axe's findings, light and dark, and sideways scrolling on a phone."""
    wrong = []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    # The dark has other colours, and else the same page.
    wrong += [f"{what}, dark: {violation}" for violation in axe_violations(page, "color-contrast")]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    wrong += [f"{what}: {violation}" for violation in axe_violations(page)]
    for width in (320, PHONE["width"]):
        page.set_viewport_size(ViewportSize(width=width, height=PHONE["height"]))
        over = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wrong.append(f"{what}: scrolls {over} px sideways at {width} px")
    page.set_viewport_size(WIDE)
    return wrong


def picture(page: Page, name: str) -> None:
    """Take one of the README's pictures."""
    page.emulate_media(color_scheme="light")
    page.screenshot(path=screenshot_path(name))


def write(page: Page, line: str) -> None:
    """Write a line of chat."""
    page.get_by_role("textbox", name=re.compile("^Write to ")).fill(line)
    page.get_by_role("button", name="Send").click()


def test_pages_outside_a_session_have_nothing_axe_would_mind(server: LiveServer, open_page: OpenPage) -> None:
    wrong = []
    for person, addresses in ((None, VISITORS_PAGES), (CUSTOMER, CUSTOMERS_PAGES), (EXPERT, EXPERTS_PAGES)):
        page = open_page(server, person)
        for address in addresses:
            page.goto(address)
            wrong += check(page, f"{address} as {person}")
    assert not wrong, "\n".join(wrong)


def test_a_form_with_errors_has_nothing_axe_would_mind(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server)
    page.goto("/ask/")
    page.locator("form[data-ask]").evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Ask for help").click()
    expect(page.get_by_text("Write one line about what you are stuck on.")).to_be_visible()
    assert not (wrong := check(page, "/ask/ with errors")), "\n".join(wrong)


def test_every_state_of_a_session_has_nothing_axe_would_mind(start_server: StartServer, open_page: OpenPage) -> None:
    server = start_server(FIT_WINDOW_SECONDS="0")
    customer, board = open_page(server, CUSTOMER), open_page(server, EXPERT)
    customer.goto("/")
    picture(customer, "landing")
    board.goto("/expert/")

    title = "Postgres query slow after adding an index"
    ask_for_help(customer, title)
    wrong = check(customer, "waiting")
    expect(board.get_by_role("link", name=title)).to_be_visible()
    wrong += check(board, "the board with a request")
    picture(board, "board")
    accept(board, title)
    wrong += check(board, "the lobby")
    join(board)
    join(customer)
    shows_movement(customer.get_by_label("Ada Demo's video"))
    let_pass(server, minutes=23)
    customer.reload()
    shows_movement(customer.get_by_label("Ada Demo's video"))
    write(customer, "It was fast until Monday. The index is there: I checked.")
    write(
        board,
        "Let us look at the plan:\n```\nEXPLAIN (ANALYZE, BUFFERS)\nSELECT * FROM orders WHERE paid_at > '2026-11-22'\n```",
    )
    expect(customer.get_by_text("Let us look at the plan")).to_be_visible()
    picture(customer, "room")
    for _ in range(3):
        write(customer, "Seq Scan on orders\n" * 40)
    write(board, "x" * 600)  # one long word breaks no page: `check` looks for sideways scrolling
    board.get_by_role("button", name="Share screen").click()
    shows_movement(customer.get_by_label("Ada Demo's screen"))
    wrong += check(customer, "the call")
    customer.set_viewport_size(PHONE)
    expect(customer.get_by_role("textbox", name=re.compile("^Write to "))).to_be_visible()
    customer.get_by_role("button", name="Mute microphone").click(trial=True)  # the open chat covers no control
    customer.set_viewport_size(WIDE)
    end_session(customer)
    wrong += check(customer, "the receipt")
    picture(customer, "receipt")
    # On paper it is one page, however much was said; the PDF is there beside it.
    assert len(PdfReader(BytesIO(customer.pdf(format="A4"))).pages) == 1
    file = customer.get_by_role("link", name="Download receipt (PDF)").get_attribute("href")
    assert file is not None
    assert title in PdfReader(BytesIO(customer.request.get(f"{server.url}{file}").body())).pages[0].extract_text()
    expect(board.get_by_text("Receipt", exact=True)).to_be_visible()
    wrong += check(board, "the expert's receipt")
    for address in ("/sessions/", "/billing/"):
        customer.goto(address)
        wrong += check(customer, f"{address} with something on it")
    board.goto("/expert/earnings/")
    wrong += check(board, "earnings")

    ask_for_help(customer, "Never mind")
    customer.get_by_role("button", name="Cancel request").click()
    expect(customer.get_by_role("link", name="Ask again")).to_be_visible()
    wrong += check(customer, "cancelled")
    assert not wrong, "\n".join(wrong)


def test_what_waits_for_the_bank_has_nothing_axe_would_mind(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, CUSTOMER)
    page.goto("/billing/cards/add/")
    page.get_by_label(re.compile("is this you")).check(force=True)
    page.get_by_role("button", name="Add card").click()
    page.goto("/ask/")
    page.get_by_label("What are you stuck on?").fill("Asks the bank")
    topics = page.get_by_label("Topic")
    topics.select_option(topics.locator("option", has_text="SEO").get_attribute("value"))
    page.get_by_label(re.compile("3155")).check(force=True)
    page.get_by_role("button", name="Ask for help").click()
    expect(page.get_by_role("heading", name="Is this you?")).to_be_visible()
    wrong = check(page, "the demo bank")
    page.get_by_role("button", name="Refuse").click()
    wrong += check(page, "refused by the bank")
    assert not wrong, "\n".join(wrong)


def test_the_refund_page_has_nothing_axe_would_mind(start_server: StartServer, open_page: OpenPage) -> None:
    server = start_server(FIT_WINDOW_SECONDS="0")
    operator = open_page(server, OPERATOR)
    operator.goto("/admin/")
    wrong = [f"admin: {violation}" for violation in axe_violations(operator)]
    call = start_call(server, open_page, "To be refunded")
    clocks_agree(call)
    end_session(call.customer)
    operator.goto("/admin/sessions_app/helpsession/")
    operator.get_by_role("link", name="To be refunded").click()
    expect(operator.get_by_text("asked for help").first).to_be_visible()
    wrong += [f"the session in the admin: {violation}" for violation in axe_violations(operator)]
    assert not wrong, "\n".join(wrong)
