"""Waiting: an expert one knows is asked first, and where nobody answers the page offers a choice by itself."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.call import ADA, CUSTOMER, EXPERT
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.tools import axe_violations, screenshot_path
from tests.conftest import StartServer
from tests.live import LiveServer

OTHER_EXPERT = "expert2@demo.test"
TITLE = "Imports fail again"
PAST_SESSION = """
from django.utils import timezone
from accounts.models import Topic, User
from sessions_app.models import HelpSession
people = {user.email: user for user in User.objects.all()}
topic, now = Topic.objects.get(name="Python"), timezone.now()
HelpSession.objects.create(
    customer=people["customer@demo.test"], expert=people["expert@demo.test"], topic=topic, title="Imports fail",
    state="ended", currency=topic.currency, price_per_minute=topic.price_per_minute, cap_minutes=30, requested_at=now,
    active_at=now, ended_at=now, settled_at=now, billable_seconds=600, amount_minor=1000,
)
"""


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LiveServer:
    """A server that offers the choice soon, whose customer has had a session with Ada."""
    server = start_server(NOBODY_AFTER_SECONDS="5")
    server.manage("shell", "-c", PAST_SESSION)
    return server


def fits(page: Page, name: str) -> None:
    """Fail unless `page` is whole on a phone and axe finds nothing; take its picture."""
    page.set_viewport_size(PHONE)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), name
    page.screenshot(path=screenshot_path(name), full_page=True)
    assert axe_violations(page) == [], name


def test_first_the_expert_one_knows_then_everybody_and_a_choice_where_nobody_comes(
    server: LiveServer, open_page: OpenPage
) -> None:
    adas, others = open_page(server, EXPERT), open_page(server, OTHER_EXPERT)
    for board in (adas, others):
        board.goto("/expert/")
        expect(board.get_by_text("Nobody is stuck right now")).to_be_visible()
    customer = open_page(server, CUSTOMER)
    customer.goto("/sessions/")
    customer.get_by_role("link", name=f"Ask {ADA} first").click()
    expect(customer.get_by_label(f"{ADA} first")).to_be_checked()
    fits(customer, "ask-first")
    customer.get_by_label("What are you stuck on?").fill(TITLE)
    customer.get_by_role("button", name="Ask for help").click()

    expect(customer.get_by_text(f"{ADA} is asked first.")).to_be_visible()
    expect(adas.get_by_text("Asks for you first")).to_be_visible()
    assert axe_violations(adas) == []
    expect(others.get_by_role("link", name=TITLE)).to_have_count(0)
    adas.get_by_role("button", name="Not now").click()
    expect(others.get_by_role("link", name=TITLE)).to_be_visible()
    expect(adas.get_by_role("link", name=TITLE)).to_have_count(0)
    expect(customer.get_by_text(f"{ADA} cannot come now")).to_be_visible()

    # Nothing was pressed or loaded: the page comes to it by itself.
    expect(customer.get_by_role("heading", name="What would you like to do?")).to_be_visible()
    fits(customer, "waiting-choice")
    with customer.expect_response("**/wait/"):
        customer.get_by_role("button", name="Keep waiting").click()
    customer.get_by_role("button", name=re.compile("mail me when someone is on")).click()
    expect(customer.get_by_role("button", name="Stop telling me")).to_be_visible()
    expect(customer.get_by_text("goes on waiting")).to_be_visible()
    expect(others.get_by_role("link", name=TITLE)).to_have_count(0)
    fits(customer, "closed-later")

    others.goto(customer.url)
    expect(others.get_by_role("heading", name=re.compile("This request was cancelled"))).to_be_visible()
    fits(others, "late")
