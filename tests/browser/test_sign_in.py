"""The browser's fixtures at work: a person signs in through the real form."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, OpenPage
from tests.live import LiveServer


def test_a_customer_signs_in_and_stays_signed_in(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, "customer@demo.test")

    page.goto("/settings/")

    expect(page).to_have_url(re.compile("/settings/$"))


def test_a_visitor_is_asked_to_sign_in_first(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, viewport=PHONE)

    page.goto("/sessions/")

    expect(page).to_have_url(re.compile("/accounts/login/"))
