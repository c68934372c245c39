"""Signing in by a provider as people see it: from a stranger's first words to a connected account, and each page between."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_asking import TITLE, words_are_there, write_request
from tests.browser.test_pages import check
from tests.conftest import StartServer
from tests.live import LiveServer
from tests.peers.sign_in_providers import SignInProviders

GOOGLE = re.compile("Continue with Google")


@pytest.fixture(scope="module")
def server(start_server: StartServer, sign_in_providers: SignInProviders) -> LiveServer:
    return start_server(**sign_in_providers.environment)


def say_who_at_google(page: Page, login: str) -> None:
    page.locator("input[name=sub]").fill(login)
    page.get_by_role("button", name="Authorize").click()


def test_a_stranger_signs_up_with_google_and_goes_on_where_they_were(
    server: LiveServer, open_page: OpenPage, sign_in_providers: SignInProviders
) -> None:
    sign_in_providers.knows("uma", email="uma@example.org", email_verified=True, given_name="Uma", family_name="Unknown")
    page = open_page(server, viewport=PHONE, timezone_id="Asia/Tokyo")
    page.goto("/")
    write_request(page)
    page.get_by_role("button", name="Ask for help").first.click()

    # The page's script has filled it in.
    expect(page.locator("[data-time-zone]").first).to_have_value("Asia/Tokyo")
    page.get_by_role("button", name=GOOGLE).click()
    say_who_at_google(page, "uma")

    expect(page).to_have_url(re.compile("/ask/$"))
    words_are_there(page)
    expect(page.get_by_label("What are you stuck on?")).to_have_value(TITLE)
    page.goto("/settings/")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Uma Unknown")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")


def test_the_pages_on_the_way_have_nothing_axe_would_mind(
    server: LiveServer, open_page: OpenPage, sign_in_providers: SignInProviders
) -> None:
    sign_in_providers.knows("carl", email="customer@demo.test", email_verified=True, given_name="Carl")
    sign_in_providers.knows("nameless", email="nameless@example.org", email_verified=True)
    page = open_page(server)
    wrong = []
    for address, name in (
        ("/accounts/login/", "login"),
        ("/accounts/signup/?next=/ask/", "signup"),
        ("/accounts/login/code/", "code"),
        ("/accounts/google/login/", "leave"),
        ("/accounts/3rdparty/login/cancelled/?next=/ask/", "cancelled"),
        ("/accounts/3rdparty/login/error/", "error"),
    ):
        page.goto(address)
        wrong += check(page, name)

    page.goto("/accounts/login/code/")
    page.get_by_label("Email").fill("customer@demo.test")
    page.get_by_role("button", name="Mail me a code").click()
    expect(page.get_by_label("Code")).to_be_visible()
    wrong += check(page, "code-sent")
    page.get_by_role("button", name="Cancel").click()

    page.goto("/accounts/login/")
    page.get_by_role("button", name=GOOGLE).click()
    say_who_at_google(page, "nameless")
    expect(page.get_by_role("heading", name="Almost there")).to_be_visible()
    wrong += check(page, "almost")

    page.goto("/accounts/login/")
    page.get_by_role("button", name=GOOGLE).click()
    say_who_at_google(page, "carl")
    expect(page.get_by_text("You have an account with customer@demo.test already.")).to_be_visible()
    wrong += check(page, "known")
    form = page.locator("form:has(input[name=password])")
    form.get_by_label("Email").fill("customer@demo.test")
    form.get_by_label("Password").fill("demo-hopps-1")
    form.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("From now on you can sign in with Google too.")).to_be_visible()
    page.goto("/accounts/3rdparty/")
    expect(page.get_by_role("button", name="Remove Google, customer@demo.test")).to_be_visible()
    wrong += check(page, "connected")
    assert not wrong, "\n".join(wrong)
