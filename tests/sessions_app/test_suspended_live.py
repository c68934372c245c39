"""Out at once: the sockets and sign-ins of a suspended person, at real servers, whichever process they are open at."""

from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from accounts.models import User
from billing.pricing import amount_due
from hopps.realtime.sockets import NOT_YOURS_ANY_MORE
from sessions_app.models import HelpSession
from tests.live import DEMO_PASSWORD, LiveCluster
from tests.sessions_app.test_two_processes import a_session
from tests.sessions_app.wire import SECONDS, Door, Person, WirePage

pytestmark = pytest.mark.whole_machine

CUSTOMER, EXPERT, OPERATOR = "customer@demo.test", "expert@demo.test", "operator@demo.test"


def read_on(page: WirePage) -> None:
    """Read whatever comes, for as long as something does."""
    while True:
        page.socket.recv(timeout=SECONDS)


def closed_with(page: WirePage) -> int | None:
    """Return the code with which the server closes a page's socket."""
    with pytest.raises(ConnectionClosed):
        read_on(page)
    return page.socket.close_code


def test_a_suspended_expert_is_out_of_the_call_at_another_process_and_the_customer_pays_for_the_time_used(
    live_cluster: LiveCluster,
) -> None:
    one, two = (Door(web.address) for web in live_cluster.cluster.webs)
    customer, expert, operator = (Person(live_cluster, email) for email in (CUSTOMER, EXPERT, OPERATOR))
    session = a_session(customer, expert)
    with live_cluster.rows() as its:
        eve = User.objects.using(its).get(email=EXPERT).pk
    with ExitStack() as open_pages:
        eves = open_pages.enter_context(expert.open(session, two))
        caros = open_pages.enter_context(customer.open(session, one))
        eves.join()
        caros.join()
        caros.talk(3, beside=eves)
        operator.get(f"/admin/accounts/user/{eve}/suspend/")
        answer = operator.post(f"/admin/accounts/user/{eve}/suspend/", reason="Threatened the customer")
        assert answer.status_code == 302
        assert closed_with(eves) == NOT_YOURS_ANY_MORE
        caros.hear("session_changed", where=lambda event: event["state"] == "ended")
        caros.hear("session_changed", where=lambda event: bool(event["settled"]))
    # Signed out, and without a way back.
    answer = expert.post("/expert/quiet/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")
    again = expert.post("/accounts/login/", login=EXPERT, password=DEMO_PASSWORD)
    assert again.headers["Location"] == "/accounts/inactive/"
    page = customer.get(f"/sessions/{session}/")
    assert "This session was ended by Hopps." in page
    with live_cluster.rows() as its:
        ended = HelpSession.objects.using(its).get(pk=session)
    assert ended.end_reason == HelpSession.EndReason.HOPPS
    assert 0 < ended.billable_seconds < SECONDS
    assert ended.amount_minor == amount_due(ended.billable_seconds, ended.price)
