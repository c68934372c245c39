"""No page asks the database more often because there is more in it."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Topic, User
from billing.models import Card, Hold, Payment, Posting
from sessions_app.models import HelpSession, State, TimelineEntry
from tests.databases import MongoDatabases, databases
from tests.people import give_card

pytestmark = pytest.mark.django_db

# What plays MongoDB for the tests looks at a hundred for longer than a question may take (hopps/mongodb/address.py), and
# takes four times as long for twice as many. More than any page shows are enough.
FEW, MANY = 10, 60 if isinstance(databases, MongoDatabases) else 10_000


def add_sessions(customer: User, expert: User, topic: Topic, card: Card, count: int) -> None:
    """Give both a past of `count` sessions, with payments, postings and a timeline."""
    now = timezone.now()
    sessions = [
        HelpSession(
            customer=customer, expert=expert, topic=topic, title=f"Session {n}", state=State.ENDED, currency="USD",
            price_per_minute=200, cap_minutes=30, created_at=now - timedelta(hours=n), requested_at=now - timedelta(hours=n),
            accepted_at=now - timedelta(hours=n), settled_at=now, billable_seconds=600, amount_minor=2000,
        )
        for n in range(count)
    ]  # fmt: skip
    HelpSession.objects.bulk_create(sessions, batch_size=500)
    payments = [
        Payment(
            reference=session.pk, payer=customer, payee=expert, currency="USD", state=Payment.State.CHARGED,
            charged_minor=2000, description=session.title,
        )
        for session in sessions
    ]  # fmt: skip
    Payment.objects.bulk_create(payments, batch_size=500)
    Hold.objects.bulk_create(
        [
            Hold(payment=payment, sequence=1, card=card, amount_minor=6000, captured_minor=2000, state=Hold.State.CAPTURED)
            for payment in payments
        ],
        batch_size=500,
    )
    Posting.objects.bulk_create(
        [
            Posting(
                key=str(uuid4()), kind=Posting.Kind.CHARGE, payment=payment, customer_user=customer, expert_user=expert,
                currency="USD", customer=-2000, expert=1600, platform=400, processor=0,
            )
            for payment in payments
        ],
        batch_size=500,
    )  # fmt: skip
    TimelineEntry.objects.bulk_create(
        [TimelineEntry(session=session, kind="requested", by=customer) for session in sessions], batch_size=500
    )


def test_no_page_makes_more_queries_with_ten_thousand_sessions_than_with_ten(
    alice: User, eve: User, olga: User, topic: Topic
) -> None:
    card = give_card(alice)
    pages: list[tuple[User | None, str]] = [
        (None, "/"),
        (alice, "/"),
        (alice, "/ask/"),
        (alice, "/sessions/"),
        (alice, "/sessions/?q=Session&role=customer&state=ended"),
        (alice, "/sessions/export.csv?q=Session+3&state=ended"),
        (alice, "/billing/"),
        (eve, "/sessions/"),
        (eve, "/sessions/export.csv?q=Session"),
        (eve, "/expert/"),
        (eve, "/expert/earnings/"),
        (eve, "/expert/numbers/"),
        (eve, "/expert/settings/"),
        (olga, "/admin/"),
        (olga, "/admin/sessions_app/helpsession/"),
        (olga, "/admin/sessions_app/helpsession/demand/"),
        (olga, "/admin/billing/payment/"),
        (olga, "/admin/billing/posting/"),
        (olga, "/admin/billing/hold/"),
        (olga, "/admin/accounts/user/"),
        (olga, "/admin/accounts/expertprofile/"),
    ]
    clients: dict[User | None, Client] = {None: Client()}
    for person in (alice, eve, olga):
        clients[person] = Client()
        clients[person].force_login(person)

    def queries(add: Callable[[], None]) -> dict[str, int]:
        add()
        counted = {}
        one = HelpSession.objects.earliest("created_at")
        for person, address in [*pages, (alice, one.get_absolute_url()), (eve, one.get_absolute_url())]:
            name = f"{address if 'sessions/' not in address or '?' in address else '/sessions/…'} as {person}"
            client = clients[person]
            client.get(address)  # what is cached on the first visit is no query of the page's
            with CaptureQueriesContext(
                connection,
            ) as captured:
                answer = client.get(address)
            assert answer.status_code in (200, 404), name
            if answer.status_code == 200:
                counted[name] = len(captured)
        return counted

    few = queries(lambda: add_sessions(alice, eve, topic, card, FEW))
    many = queries(lambda: add_sessions(alice, eve, topic, card, MANY - FEW))
    assert len(few) >= len(pages) - 1
    assert {name: many[name] for name in few if many[name] > few[name]} == {}
