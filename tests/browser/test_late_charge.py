"""A charge that comes late reaches the open page, and disturbs nobody who is writing there."""

import re

from playwright.sync_api import expect

from tests.browser.call import CUSTOMER, EXPERT, OPERATOR
from tests.browser.conftest import OpenPage
from tests.live import LiveServer

# A session of five minutes with an expert new to the customer, ended; the bank does not let the charge through.
REFUSED = f"""
from django.utils import timezone
from accounts.models import Topic, User
from billing.models import Hold
from sessions_app.end import end
from sessions_app.models import Attendance, HelpSession
from sessions_app.settle import settle
from tests.people import make_active
customer, expert = (User.objects.get(email=email) for email in ("{CUSTOMER}", "{EXPERT}"))
session = make_active(customer, expert, Topic.objects.get(name="Python"), seconds=300)
hold = Hold.objects.get(payment__reference=session.pk)
Hold.objects.filter(pk=hold.pk).update(gateway_ref="unknown")
end(session=session, by=customer)
Attendance.objects.filter(session=session).update(left_at=timezone.now())
settle(HelpSession.objects.get(pk=session.pk))
print(session.get_absolute_url(), hold.payment_id, hold.pk, hold.gateway_ref)
"""


def test_the_receipt_appears_by_itself_when_the_charge_gets_through(server: LiveServer, open_page: OpenPage) -> None:
    customer, operator = open_page(server, CUSTOMER), open_page(server, OPERATOR)
    address, payment, hold, ref = server.manage("shell", "-c", REFUSED).split()[-4:]
    customer.goto(address)
    expect(customer.get_by_role("heading", name="Amount due")).to_be_visible()
    expect(customer.get_by_text("Your bank did not let the charge through.")).to_be_visible()
    box = customer.locator("textarea[name=comment]")
    box.press_sequentially("It was goo")

    knows_it = f"from billing.models import Hold; Hold.objects.filter(pk='{hold}').update(gateway_ref='{ref}')"
    server.manage("shell", "-c", knows_it)
    operator.goto(f"/admin/billing/payment/{payment}/change/")
    operator.get_by_role("button", name="Try to charge again").click()
    expect(operator.get_by_text(re.compile(r"is charged\.|nothing to try again"))).to_be_visible()

    expect(customer.get_by_role("heading", name="You paid")).to_be_visible()
    expect(box).to_be_focused()
    customer.keyboard.type("d")
    expect(box).to_have_value("It was good")
