"""What a call survives: a reload by either side, a second tab, and only its two people."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.call import (
    ADA,
    CLEO,
    CUSTOMER,
    Call,
    both_see_each_other,
    clocks_agree,
    end_session,
    join,
    let_pass,
    shows_movement,
    start_call,
)
from tests.browser.conftest import OpenPage
from tests.live import LiveServer


@pytest.mark.parametrize("who", ["customer", "expert"])
def test_a_reload_comes_back_into_the_call_by_itself(server: LiveServer, open_page: OpenPage, who: str) -> None:
    call = start_call(server, open_page, "Reloaded")
    page = call.customer if who == "customer" else call.expert
    page.reload()
    both_see_each_other(call)
    clocks_agree(call)
    end_session(call.expert)


def test_a_second_tab_takes_the_call_and_the_first_can_take_it_back(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Two tabs")
    first = call.customer
    second = first.context.new_page()
    second.goto(call.session)
    join(second)
    expect(first.get_by_role("heading", name="This call moved to another tab")).to_be_visible()
    both_see_each_other(Call(customer=second, expert=call.expert, session=call.session))

    first.get_by_role("button", name="Take the call back here").click()
    expect(second.get_by_role("heading", name="This call moved to another tab")).to_be_visible()
    both_see_each_other(call)
    clocks_agree(call)
    end_session(call.expert)


def test_both_share_their_screens_at_once_and_stop(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Two screens")
    for page in (call.customer, call.expert):
        page.get_by_role("button", name="Share screen").click()
    shows_movement(call.customer.get_by_label(f"{ADA}'s screen"))
    shows_movement(call.expert.get_by_label(f"{CLEO}'s screen"))
    call.expert.get_by_role("button", name="Stop sharing").click()
    expect(call.customer.get_by_label(f"{ADA}'s screen")).to_be_hidden()
    both_see_each_other(call)
    end_session(call.expert)


def test_without_camera_and_microphone_one_can_still_join_and_write(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "No devices")
    call.customer.close()
    bare = open_page(server, CUSTOMER, permissions=[])
    bare.add_init_script("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') }")
    bare.goto(call.session)
    join(bare)
    bare.get_by_label(f"Write to {ADA}").fill("I can only write")
    bare.get_by_role("button", name="Send").click()
    expect(call.expert.get_by_text("I can only write")).to_be_visible()
    shows_movement(bare.get_by_label(f"{ADA}'s video"))
    end_session(call.expert)


def test_near_the_cap_both_are_warned_and_the_customer_can_get_more_time(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Nearly there")
    let_pass(server, minutes=27)  # of 30, and 2 free ones
    for page in (call.customer, call.expert):
        page.reload()
        expect(page.get_by_text("until the cap")).to_be_visible()
    call.customer.get_by_role("button", name="Get more time").click()
    call.customer.get_by_label(re.compile("15 min more")).check(force=True)
    call.customer.get_by_role("button", name="Extend").click()
    for page in (call.customer, call.expert):
        expect(page.get_by_text("until the cap")).to_be_hidden()
    expect(call.customer.get_by_text("of at most $90.00")).to_be_visible()
    # The form knows the new cap, so that it can be used again.
    expect(call.customer.locator("input[name=seen_cap_minutes]")).to_have_value("45")
    end_session(call.expert)


def test_after_the_end_nobody_sends_anything(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Over")
    end_session(call.expert)
    expect(call.customer.get_by_text("Receipt", exact=True)).to_be_visible()
    for page in (call.customer, call.expert):
        expect(page.locator("video")).to_have_count(0)


def test_who_signs_out_in_another_tab_is_out_of_the_call(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Borrowed laptop")
    other_tab = call.customer.context.new_page()
    other_tab.goto(f"{server.url}/accounts/logout/")
    other_tab.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(call.customer).to_have_url(re.compile("/accounts/login/"))
    expect(call.expert.get_by_text(f"The clock stands still: {CLEO} is not here.").first).to_be_visible()
    end_session(call.expert)
