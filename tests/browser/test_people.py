"""Blocking and reporting the other person: in the call, which goes on, and on the receipt, on a phone."""

from playwright.sync_api import expect

from tests.browser.call import ADA, CLEO, CUSTOMER, EXPERT, meet
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.tools import axe_violations, light_and_dark
from tests.live import LiveServer


def test_one_reports_and_blocks_in_the_call_and_the_other_on_the_receipt(server: LiveServer, open_page: OpenPage) -> None:
    customer = open_page(server, CUSTOMER, viewport=PHONE)
    expert = open_page(server, EXPERT)
    call = meet(customer, expert, "Somebody is rude")

    # In the call: what is missing is said in the dialog, and then that it is done. The call goes on.
    light_and_dark(customer, "person-room-phone")
    customer.get_by_role("button", name=f"Block or report {ADA}").click()
    dialog = customer.get_by_role("dialog", name=f"Block or report {ADA}")
    dialog.get_by_label("Rude, insulting or threatening").check()
    light_and_dark(customer, "person-dialog-phone")
    customer.set_viewport_size({"width": 320, "height": 640})
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    assert axe_violations(customer) == []
    dialog.get_by_label("In your words").fill("Shouted at me")
    dialog.get_by_role("button", name=f"Report {ADA}").click()
    expect(dialog.get_by_role("status").filter(has_text="Thank you.")).to_contain_text(f"{ADA} is blocked.")
    expect(dialog.get_by_role("button", name=f"Block {ADA}")).to_be_hidden()
    light_and_dark(customer, "person-dialog-done-phone")
    dialog.get_by_role("button", name="Back to the call").click()
    expect(customer.get_by_role("button", name="Mute microphone")).to_be_visible()
    expert.get_by_role("button", name=f"Block or report {CLEO}").click()
    light_and_dark(expert, "person-dialog-wide")
    expert.get_by_role("dialog").get_by_role("button", name="End session").click()
    expert.get_by_role("button", name="End for both").click()

    # On the receipts: what the customer did, and the same for the expert, who knows nothing of it.
    expect(customer.get_by_text(f"You blocked {ADA}.")).to_be_visible()
    expect(customer.get_by_text(f"You reported {ADA}.")).to_be_visible()
    assert customer.evaluate("document.documentElement.scrollWidth") <= 320
    assert axe_violations(customer) == []
    customer.set_viewport_size(PHONE)
    customer.get_by_text(f"You blocked {ADA}.").scroll_into_view_if_needed()
    light_and_dark(customer, "person-receipt-blocked-phone")
    expect(expert.get_by_text(f"You blocked {CLEO}.")).to_have_count(0)
    expert.get_by_text(f"Block or report {CLEO}").click()
    expert.get_by_role("button", name=f"Report {CLEO}").scroll_into_view_if_needed()
    light_and_dark(expert, "person-receipt-wide")
    assert axe_violations(expert) == []
    expert.get_by_role("button", name=f"Block {CLEO}").click()
    expect(expert.get_by_text(f"{CLEO} is blocked, and is not told.")).to_be_visible()
    expect(expert.get_by_text(f"You blocked {CLEO}.")).to_be_visible()

    # And back, in the settings.
    customer.goto("/settings/")
    customer.get_by_role("link", name="People you blocked").click()
    light_and_dark(customer, "person-blocked-phone")
    assert axe_violations(customer) == []
    customer.get_by_role("button", name=f"Unblock {ADA}").click()
    expect(customer.get_by_text(f"{ADA} is not blocked any more.")).to_be_visible()
    light_and_dark(customer, "person-blocked-nobody-phone")
    customer.goto(call.session)
    expect(customer.get_by_text(f"You blocked {ADA}.")).to_have_count(0)
