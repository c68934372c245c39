"""What a call survives: a reload by either side, a second tab, and only its two people."""

import pytest
from playwright.sync_api import expect

from tests.browser.call import (
    ADA,
    CLEO,
    CUSTOMER,
    PATIENCE,
    Call,
    both_see_each_other,
    clocks_agree,
    end_session,
    join,
    shows_movement,
    start_call,
)
from tests.browser.conftest import OpenPage
from tests.conftest import StartServer


@pytest.mark.parametrize("who", ["customer", "expert"])
def test_a_reload_comes_back_into_the_call_by_itself(start_server: StartServer, open_page: OpenPage, who: str) -> None:
    call = start_call(start_server(), open_page, "Reloaded")
    page = call.customer if who == "customer" else call.expert
    page.reload()
    both_see_each_other(call)
    clocks_agree(call)


def test_a_second_tab_takes_the_call_and_the_first_can_take_it_back(start_server: StartServer, open_page: OpenPage) -> None:
    call = start_call(start_server(), open_page, "Two tabs")
    first = call.customer
    second = first.context.new_page()
    second.goto(call.session)
    join(second)
    expect(first.get_by_role("heading", name="You moved to another tab")).to_be_visible(timeout=PATIENCE)
    both_see_each_other(Call(customer=second, expert=call.expert, session=call.session))

    first.get_by_role("button", name="Take the call back here").click()
    expect(second.get_by_role("heading", name="You moved to another tab")).to_be_visible(timeout=PATIENCE)
    both_see_each_other(call)
    clocks_agree(call)


def test_both_share_their_screens_at_once_and_stop(start_server: StartServer, open_page: OpenPage) -> None:
    call = start_call(start_server(), open_page, "Two screens")
    for page in (call.customer, call.expert):
        page.get_by_role("button", name="Share screen").click()
    shows_movement(call.customer.get_by_label(f"{ADA}'s screen"))
    shows_movement(call.expert.get_by_label(f"{CLEO}'s screen"))
    call.expert.get_by_role("button", name="Stop sharing").click()
    expect(call.customer.get_by_label(f"{ADA}'s screen")).to_be_hidden(timeout=PATIENCE)
    both_see_each_other(call)


def test_without_camera_and_microphone_one_can_still_join_and_write(start_server: StartServer, open_page: OpenPage) -> None:
    server = start_server()
    call = start_call(server, open_page, "No devices")
    call.customer.close()
    bare = open_page(server, CUSTOMER, permissions=[])
    bare.add_init_script("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') }")
    bare.goto(call.session)
    join(bare)
    bare.get_by_label(f"Write to {ADA}").fill("I can only write")
    bare.get_by_role("button", name="Send").click()
    expect(call.expert.get_by_text("I can only write")).to_be_visible(timeout=PATIENCE)
    shows_movement(bare.get_by_label(f"{ADA}'s video"))


def test_after_the_end_nobody_sends_anything(start_server: StartServer, open_page: OpenPage) -> None:
    call = start_call(start_server(), open_page, "Over")
    end_session(call.expert)
    expect(call.customer.get_by_text("Receipt", exact=True)).to_be_visible(timeout=PATIENCE)
    for page in (call.customer, call.expert):
        expect(page.locator("video")).to_have_count(0)
