"""What somebody sees who does something too often: a sentence that says when it works again, and nothing typed is lost."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.call import CUSTOMER, accept, ask_for_help, join
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_chat import attach, open_chat, write
from tests.browser.tools import axe_violations, light_and_dark, screenshot_path
from tests.conftest import StartServer
from tests.live import LiveServer

EXPERT = "expert@demo.test"


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LiveServer:
    """Two lines and one file an hour; four tries to sign in."""
    return start_server(LIMITS_TIMES="1", LIMIT_CHAT="2/hour", LIMIT_FILE="1/hour", LIMIT_SIGN_IN="4/hour")


def test_in_a_chat_the_words_are_back_in_the_box_and_a_file_can_be_tried_again(
    server: LiveServer, open_page: OpenPage
) -> None:
    customer, board = open_page(server, CUSTOMER, viewport=PHONE), open_page(server, EXPERT)
    board.goto("/expert/")
    ask_for_help(customer, "Written too fast")
    accept(board, "Written too fast")
    join(customer)
    chat = open_chat(customer)
    for words in ("one", "two"):
        write(customer, words)
        expect(chat.get_by_role("listitem").filter(has_text=words)).to_contain_text("You ·")
        expect(chat.get_by_role("listitem").filter(has_text=words)).not_to_contain_text("sending")

    write(customer, "three, which took a while to think of")

    alert = chat.locator("[data-chat-problem]")
    expect(alert).to_have_text(re.compile(r"^You are writing very fast\. Try again in 1 hour\.$"))
    expect(customer.locator("#chat-box")).to_have_value("three, which took a while to think of")
    expect(chat.get_by_role("listitem").filter(has_text="three")).to_have_count(0)

    for name in ("first.txt", "second.txt"):
        attach(customer, {"name": name, "mimeType": "text/plain", "buffer": b"a file"})
    second = chat.get_by_role("listitem").filter(has_text="second.txt")
    expect(second).to_contain_text("You have sent many files. Try again in 1 hour.")
    expect(second.get_by_role("button", name="Try again: second.txt")).to_be_visible()
    assert axe_violations(customer) == []
    customer.screenshot(path=screenshot_path("too-often-chat"))


def test_the_page_says_when_it_works_again(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, viewport=PHONE)
    # Two signed in above; these are the third, the fourth and one too many.
    for _ in range(3):
        page.goto("/accounts/login/")
        form = page.locator("form:has(input[name=password])")
        form.locator("input[name=login]").fill("nobody@demo.test")
        form.locator("input[name=password]").fill("a wrong password")
        form.get_by_role("button").last.click()
        page.wait_for_load_state()

    expect(page.get_by_role("heading", name="Try again in 1 hour")).to_be_visible()
    assert axe_violations(page) == []
    light_and_dark(page, "too-often-phone")
    page.set_viewport_size({"width": 1280, "height": 900})
    light_and_dark(page, "too-often-wide")
    page.get_by_role("link", name="To the front page").click()
    expect(page).to_have_url(f"{server.url}/")
