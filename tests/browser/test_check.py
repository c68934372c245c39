"""The expert's sound and device test: this tab hears the chime itself, and devices are tried for real."""

import re

from playwright.sync_api import expect

from tests.browser.call import EXPERT
from tests.browser.conftest import OpenPage
from tests.live import LiveServer


def test_the_chime_is_heard_by_the_page_and_the_devices_come_on(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, EXPERT)
    page.goto("/expert/check/")
    page.get_by_role("button", name="Play the chime").click()
    expect(page.get_by_text("The chime came out of this page")).to_be_visible()
    page.wait_for_function("() => document.querySelector('[data-preview]').videoWidth > 0")
    expect(page.get_by_text("Camera not on")).to_be_hidden()
    page.get_by_role("button", name="It works").click()
    expect(page).to_have_url(re.compile("/expert/$"))
    expect(page.get_by_text("Noted: you say that sound and devices work.")).to_be_visible()
