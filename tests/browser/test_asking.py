"""From a stranger's first words to a live request: nothing typed is ever lost."""

import re

from playwright.sync_api import Page, expect

from sessions_app.models import HelpSession, State
from tests.browser.call import CUSTOMER
from tests.browser.conftest import PHONE, OpenPage
from tests.live import LiveServer

TITLE = "Deploy fails with exit code 137"
DETAILS = "Only on Tuesdays. <script>alert(1)</script> & “quotes”"


def write_request(page: Page) -> None:
    page.get_by_label("What are you stuck on?").fill(TITLE)
    topics = page.get_by_label("Topic")
    topics.select_option(topics.locator("option", has_text="DevOps").get_attribute("value"))
    page.get_by_label("Details").fill(DETAILS)


def words_are_there(page: Page) -> None:
    expect(page.get_by_label("What are you stuck on?")).to_have_value(TITLE)
    expect(page.get_by_label("Details")).to_have_value(DETAILS)
    expect(page.get_by_label("Topic").locator("option:checked")).to_contain_text("DevOps")


def add_card(page: Page, behaviour: str) -> None:
    page.goto("/billing/cards/add/")
    page.get_by_label(re.compile(behaviour)).check(force=True)
    page.get_by_role("button", name="Add card").click()


def test_a_strangers_words_are_kept_through_sign_up_and_the_first_card(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, viewport=PHONE)
    page.goto("/")
    write_request(page)
    page.get_by_role("button", name="Ask for help").first.click()

    expect(page).to_have_url(re.compile("/accounts/signup/"))
    page.get_by_label("Your name").fill("Nora New")
    page.get_by_label("Email").fill("nora@example.org")
    page.get_by_label("Password").first.fill("a-long-enough-one-7")
    page.locator("form:has(input[name=email])").get_by_role("button").last.click()
    expect(page.locator("input[name=code]")).to_be_visible()
    code = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", server.mails()[-1].get_content(), re.MULTILINE)
    assert code is not None, server.mails()[-1].get_content()
    page.locator("input[name=code]").fill(code.group(1))
    page.locator("form:has(input[name=code])").get_by_role("button").first.click()

    expect(page).to_have_url(re.compile("/ask/$"))
    words_are_there(page)
    page.get_by_role("button", name="Ask for help").click()
    page.get_by_label(re.compile("always approved")).check(force=True)
    page.get_by_role("button", name="Add card").click()
    expect(page).to_have_url(re.compile("/ask/$"))
    words_are_there(page)
    page.get_by_role("button", name="Ask for help").click()
    expect(page.get_by_role("heading", name="Looking for an expert")).to_be_visible()
    page.get_by_role("button", name="Cancel request").click()
    expect(page.get_by_text("You called this request off.")).to_be_visible()


def test_a_declined_card_says_so_and_keeps_every_word(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, CUSTOMER)
    add_card(page, "always declined")
    page.goto("/ask/")
    write_request(page)
    page.get_by_label(re.compile("0002")).check(force=True)
    page.get_by_role("button", name="Ask for help").click()
    expect(page.get_by_text("The bank declined this card.")).to_be_visible()
    words_are_there(page)
    # Another day, another tab: still there.
    page.goto("/ask/")
    words_are_there(page)


def test_a_bank_that_wants_to_see_the_customer_sends_them_back_to_a_live_request(
    server: LiveServer, open_page: OpenPage
) -> None:
    page = open_page(server, CUSTOMER)
    add_card(page, "is this you")
    page.goto("/ask/")
    write_request(page)
    page.get_by_label(re.compile("3155")).check(force=True)
    page.get_by_role("button", name="Ask for help").click()
    expect(page.get_by_role("heading", name="Is this you?")).to_be_visible()
    # Another tab shows what is missing, and by itself that it is there: so may the page the bank leads back to, that second.
    with server.rows() as its:
        draft = HelpSession.objects.using(its).get(state=State.DRAFT, customer__email=CUSTOMER)
    other = page.context.new_page()
    other.goto(draft.get_absolute_url())
    expect(other.get_by_text("Your bank wants to see that it is you.")).to_be_visible()
    expect(other.locator("html")).to_have_attribute("data-socket", "open")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Looking for an expert")).to_be_visible()
    expect(other.get_by_role("heading", name="Looking for an expert")).to_be_visible()
    page.get_by_role("button", name="Cancel request").click()
    expect(page.get_by_role("link", name="Ask again")).to_be_visible()
