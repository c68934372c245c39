"""Real money's journey in a real browser: Stripe's pages (as its stand-in shows them), webhooks on the wire, and ours."""

import re

from playwright.sync_api import Page, expect

from tests.browser.call import (
    CUSTOMER,
    EXPERT,
    OPERATOR,
    Call,
    accept,
    billed_seconds,
    both_see_each_other,
    clocks_agree,
    end_session,
    join,
    money_in,
    wait_for_clock,
)
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_journey import refund, set_price
from tests.browser.tools import axe_violations
from tests.conftest import StartServer
from tests.live import LiveServer
from tests.peers.stripe_stand_in import APPROVED, DECLINED, NEEDS_AUTHENTICATION, StripeStandIn

PRICE_PER_MINUTE = 6000


def start(start_server: StartServer, peer: StripeStandIn, **environment: str) -> LiveServer:
    """Start a server that pays with Stripe, and have Stripe tell it everything as it happens."""
    server = start_server(FIT_WINDOW_SECONDS="0", **peer.environment, **environment)
    peer.send_webhooks_to(f"{server.url}/billing/webhooks/stripe/")
    return server


def write_request(page: Page, title: str) -> None:
    page.goto("/ask/")
    page.get_by_label("What are you stuck on?").fill(title)
    topics = page.get_by_label("Topic")
    topics.select_option(topics.locator("option", has_text="Python").get_attribute("value"))


def pay(page: Page, number: str) -> None:
    """Type a card on Stripe's page."""
    page.get_by_label("Card").select_option(number)
    page.get_by_role("button", name=re.compile("^(Pay|Save card)$")).click()


def waits_for_an_expert(page: Page) -> None:
    expect(page.get_by_role("heading", name="Looking for an expert")).to_be_visible()


def test_the_first_session_from_stripes_page_to_the_refund_and_the_next_with_the_saved_card(
    start_server: StartServer, open_page: OpenPage, stripe_peer: StripeStandIn
) -> None:
    server = start(start_server, stripe_peer)
    operator = open_page(server, OPERATOR)
    set_price(operator, "Python", PRICE_PER_MINUTE)
    customer, expert = open_page(server, CUSTOMER), open_page(server, EXPERT)
    expert.goto("/expert/")

    # The first time: the card is typed on Stripe's page, which holds the cap and saves the card.
    write_request(customer, "My query got slow")
    expect(customer.get_by_text("we never see its number")).to_be_visible()
    customer.get_by_role("button", name="Ask for help").click()
    expect(customer).to_have_url(re.compile(re.escape(stripe_peer.url)))
    expect(customer.get_by_text("1,800.00").or_(customer.get_by_text("1800")).first).to_be_visible()
    pay(customer, DECLINED)
    expect(customer.get_by_text("Your card was declined.")).to_be_visible()
    pay(customer, APPROVED)
    waits_for_an_expert(customer)
    expect(customer.get_by_text("is held. Nothing is charged.")).to_be_visible()
    session = customer.url

    accept(expert, "My query got slow")
    join(expert)
    join(customer)
    call = Call(customer=customer, expert=expert, session=session)
    both_see_each_other(call)
    clocks_agree(call)
    wait_for_clock(customer, 3)
    end_session(customer)
    due = billed_seconds(customer) * PRICE_PER_MINUTE // 60
    total = customer.locator(".bill-total dd")
    assert money_in(total) == due
    expect(customer.get_by_text("Demo payments")).to_have_count(0)
    assert [(intent["status"], intent["amount_received"]) for intent in stripe_peer.books()["payment_intent"]] == [
        ("succeeded", due)
    ]

    refund(operator, "My query got slow", "1.00", "The first minute was silent")
    expect(operator.get_by_text("$1.00 went back to Visa ending 4242")).to_be_visible()
    customer.goto(session)
    expect(customer.get_by_text("The first minute was silent").first).to_be_visible()
    assert money_in(total) == due - 100
    assert [made["amount"] for made in stripe_peer.books()["refund"]] == [100]

    # The next time the saved card is confirmed at once; called off, all of it goes back.
    write_request(customer, "And another one")
    expect(customer.get_by_label(re.compile("Visa ending 4242"))).to_be_checked()
    customer.get_by_role("button", name="Ask for help").click()
    waits_for_an_expert(customer)
    customer.get_by_role("button", name="Cancel request").click()
    expect(customer.get_by_text("The hold on your card is released")).to_be_visible()
    assert stripe_peer.books()["payment_intent"][-1]["status"] == "canceled"


def test_the_tab_is_closed_on_stripes_page_and_the_request_goes_live_all_the_same(
    start_server: StartServer, open_page: OpenPage, stripe_peer: StripeStandIn
) -> None:
    server = start(start_server, stripe_peer)
    customer = open_page(server, CUSTOMER, viewport=PHONE)
    write_request(customer, "Closed the tab")
    customer.get_by_role("button", name="Ask for help").click()
    expect(customer).to_have_url(re.compile(re.escape(stripe_peer.url)))
    page = customer.url

    # Back without paying: nothing is lost, and the way on is there.
    customer.get_by_role("button", name="Back").click()
    expect(customer.get_by_text("Your card comes next.")).to_be_visible()
    assert axe_violations(customer) == []
    customer.get_by_role("link", name="Enter your card").click()
    expect(customer).to_have_url(page)

    # Paid, and the browser never comes back: the webhook alone brings the request in front of experts.
    assert stripe_peer.pay(page).location is not None
    board = open_page(server, EXPERT)
    board.goto("/expert/")
    expect(board.get_by_role("link", name="Closed the tab")).to_be_visible()
    customer.goto(f"{server.url}/sessions/")
    customer.get_by_role("link", name="Closed the tab").click()
    waits_for_an_expert(customer)


def test_a_bank_that_asks_sends_the_customer_back_and_cards_can_be_managed(
    start_server: StartServer, open_page: OpenPage, stripe_peer: StripeStandIn
) -> None:
    server = start(start_server, stripe_peer)
    customer = open_page(server, CUSTOMER, color_scheme="dark")
    for number in (APPROVED, NEEDS_AUTHENTICATION):
        customer.goto("/billing/")
        customer.get_by_role("button", name="Add card").click()
        pay(customer, number)
        approve = customer.get_by_role("button", name="Approve")
        expect(approve.or_(customer.get_by_role("heading", name="Billing"))).to_be_visible()
        if approve.is_visible():
            approve.click()
        expect(customer.get_by_text(f"ending {number[-4:]} is saved.")).to_be_visible()
    customer.get_by_role("button", name=re.compile("Pay with this one.*3155")).click()
    expect(customer.get_by_text("You now pay with")).to_be_visible()
    assert axe_violations(customer) == []

    write_request(customer, "The bank asks")
    expect(customer.get_by_label(re.compile("3155"))).to_be_checked()
    customer.get_by_role("button", name="Ask for help").click()
    expect(customer).to_have_url(re.compile(re.escape(stripe_peer.url)))
    customer.get_by_role("button", name="Approve").click()
    waits_for_an_expert(customer)
    customer.get_by_role("button", name="Cancel request").click()
    customer.goto("/billing/")
    customer.get_by_role("button", name=re.compile("Remove.*3155")).click()
    expect(customer.get_by_text("ending 3155 is removed.")).to_be_visible()


def test_an_expert_sets_up_payouts_on_stripes_pages(
    start_server: StartServer, open_page: OpenPage, stripe_peer: StripeStandIn
) -> None:
    server = start(start_server, stripe_peer)
    expert = open_page(server, EXPERT)
    expert.goto("/expert/earnings/")
    expert.get_by_role("button", name=re.compile("Set up payouts")).click()
    expect(expert).to_have_url(re.compile(re.escape(stripe_peer.url)))
    expert.get_by_role("button", name="Finish").click()
    expect(expert).to_have_url(re.compile("/expert/earnings/"))
    expect(expert.get_by_text(re.compile("payouts", re.IGNORECASE)).first).to_be_visible()
    assert axe_violations(expert) == []
