"""The main job, end to end: asked, chimed, accepted, talked, charged, kept, refunded."""

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.call import (
    ADA,
    CLEO,
    CUSTOMER,
    EXPERT,
    OPERATOR,
    Call,
    accept,
    ask_for_help,
    billed_seconds,
    both_see_each_other,
    clock,
    clocks_agree,
    end_session,
    join,
    money_in,
    shows_movement,
    wait_for_clock,
)
from tests.browser.conftest import OpenPage
from tests.conftest import StartServer
from tests.live import LiveServer

TITLE = "My query got slow overnight"
# A price at which seconds are dollars: $60.00 a minute, so that a short call is above the processor's minimum.
PRICE_PER_MINUTE = 6000
FREE_SECONDS = 2
# How long the server stays away, so that billing for it would show.
GONE_SECONDS = 6


def set_price(page: Page, topic: str, minor: int) -> None:
    """Change a topic's price as an operator does, in the admin."""
    page.goto("/admin/accounts/topic/")
    page.get_by_role("link", name=topic, exact=True).click()
    page.get_by_label("Price per minute").fill(str(minor))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()


def refund(page: Page, title: str, amount: str, reason: str) -> None:
    """Give money back as an operator does, from the payment's page."""
    page.goto("/admin/billing/payment/")
    page.get_by_role("link", name=title).first.click()
    page.get_by_role("link", name="Refund…").click()
    page.get_by_label("Amount").fill(amount)
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Give the money back").click()


def test_from_the_question_to_the_refund(start_server: StartServer, open_page: OpenPage) -> None:
    server: LiveServer = start_server(FIT_WINDOW_SECONDS=str(FREE_SECONDS))
    operator = open_page(server, OPERATOR)
    set_price(operator, "Python", PRICE_PER_MINUTE)
    customer, expert = open_page(server, CUSTOMER), open_page(server, EXPERT)
    expert.goto("/expert/")
    expect(expert.get_by_text("Nobody is stuck right now")).to_be_visible()

    # Asked: the expert's open board has it without a reload.
    session = ask_for_help(customer, TITLE)
    expect(customer.get_by_text("1 expert alerted")).to_be_visible()
    accept(expert, TITLE)
    # Accepted: the customer's page knows without a reload.
    expect(customer.get_by_text(f"{ADA} accepted.")).to_be_visible()

    # Talking: moving pictures both ways, a shared screen, a chat.
    join(expert)
    join(customer)
    call = Call(customer=customer, expert=expert, session=session)
    both_see_each_other(call)
    expert.get_by_role("button", name="Share screen").click()
    shows_movement(customer.get_by_label(f"{ADA}'s screen"))
    customer.get_by_label(f"Write to {ADA}").fill("EXPLAIN ANALYZE says:\n```\nSeq Scan on orders\n```")
    customer.get_by_role("button", name="Send").click()
    expect(expert.get_by_text("Seq Scan on orders")).to_be_visible()

    # The clock: the same on both sides, stopped by either, seen by both.
    clocks_agree(call)
    customer.get_by_role("button", name="Pause clock").click()
    for page in (customer, expert):
        expect(clock(page)).to_have_attribute("data-running", "no")
    expect(expert.get_by_text(f"{CLEO} paused", exact=False)).to_be_visible()
    expert.get_by_role("button", name="Resume clock").click()
    clocks_agree(call)
    wait_for_clock(customer, FREE_SECONDS + 3)

    # Ended: both have the receipt, and the charge is what the clock says.
    end_session(customer)
    expect(expert.get_by_text("Receipt", exact=True)).to_be_visible()
    seconds = billed_seconds(customer)
    assert seconds == billed_seconds(expert)
    assert seconds >= FREE_SECONDS + 3
    due = (seconds - FREE_SECONDS) * PRICE_PER_MINUTE // 60
    total = customer.locator(".bill-total dd")
    assert money_in(total) == money_in(expert.locator(".bill-total dd")) == due
    expect(customer.get_by_text("Seq Scan on orders")).to_be_visible()

    # Rated, kept, earned.
    customer.get_by_label("5 stars").check(force=True)
    customer.get_by_label("Yes", exact=True).check(force=True)
    customer.get_by_role("button", name=re.compile("Send|Rate|Save")).first.click()
    expect(customer.get_by_text("Thank you for the rating.")).to_be_visible()
    for page in (customer, expert):
        page.goto("/sessions/")
        expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    expert.goto("/expert/earnings/")
    earned = due - due * 20 // 100
    assert money_in(expert.locator(".big-num").first) == earned

    # Refunded in part: on the customer's receipt, with the reason, and never more than is left.
    refund(operator, TITLE, "1.00", "The first minute was silent")
    expect(operator.get_by_text("$1.00 went back to")).to_be_visible()
    customer.goto(session)
    expect(customer.get_by_text("The first minute was silent").first).to_be_visible()
    assert money_in(customer.locator(".bill-total dd")) == due - 100
    refund(operator, TITLE, f"{due / 100:.2f}", "All of it")
    expect(operator.get_by_text("Nothing was given back.")).to_be_visible()


def test_killed_and_restarted_mid_call_the_call_goes_on_and_the_gap_is_free(
    start_server: StartServer, open_page: OpenPage
) -> None:
    server: LiveServer = start_server(FIT_WINDOW_SECONDS="0")
    set_price(open_page(server, OPERATOR), "Python", PRICE_PER_MINUTE)
    customer, expert = open_page(server, CUSTOMER), open_page(server, EXPERT)
    expert.goto("/expert/")
    session = ask_for_help(customer, TITLE)
    accept(expert, TITLE)
    join(expert)
    joining = time.monotonic()
    join(customer)
    call = Call(customer=customer, expert=expert, session=session)
    both_see_each_other(call)
    clocks_agree(call)
    wait_for_clock(customer, 3)

    server.kill()
    killed = time.monotonic()
    # Without any server the two still see each other, for a good while.
    while time.monotonic() < killed + GONE_SECONDS:
        both_see_each_other(call)
    starting = time.monotonic()
    server.start_again()
    clocks_agree(call)
    both_see_each_other(call)
    wait_for_clock(customer, 8)

    end_session(expert)
    expect(customer.get_by_text("Receipt", exact=True)).to_be_visible()
    seconds = billed_seconds(customer)
    # From the second joining to the end, less the time there was no server: not a second more is charged.
    assert 8 <= seconds <= (time.monotonic() - joining) - (starting - killed)
    assert money_in(customer.locator(".bill-total dd")) == seconds * PRICE_PER_MINUTE // 60


# What a network does that lets websockets through and no media: with a relay only, and none there, nothing connects.
NO_MEDIA = """
    const Real = RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(configuration) { super({ ...configuration, iceTransportPolicy: "relay" }); }
      setConfiguration(configuration) { super.setConfiguration({ ...configuration, iceTransportPolicy: "relay" }); }
    };
"""


def test_a_call_that_never_connects_is_free_and_both_are_told(start_server: StartServer, open_page: OpenPage) -> None:
    server: LiveServer = start_server(FIT_WINDOW_SECONDS="0")
    set_price(open_page(server, OPERATOR), "Python", PRICE_PER_MINUTE)
    customer, expert = open_page(server, CUSTOMER), open_page(server, EXPERT)
    customer.add_init_script(NO_MEDIA)
    expert.goto("/expert/")
    ask_for_help(customer, TITLE)
    accept(expert, TITLE)
    join(expert)
    join(customer)
    wait_for_clock(customer, 3)
    end_session(customer)
    assert billed_seconds(customer) >= 3
    for page in (customer, expert):
        expect(page.get_by_text("The call never connected, so nothing is charged").first).to_be_visible()
        assert money_in(page.locator(".bill-total dd")) == 0
