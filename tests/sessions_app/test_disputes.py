"""A dispute at the bank, as customer, expert and operators see it."""

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Topic, User
from billing import disputes
from billing.evidence import evidence_for
from billing.gateways.base import GatewayDispute
from billing.models import Hold, Payment
from tests.sessions_app.test_never_worked import ended

pytestmark = pytest.mark.django_db


def test_both_sides_read_that_and_how_it_stands_and_only_operators_why(
    client: Client,
    alice: User,
    eve: User,
    topic: Topic,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    session = ended(alice, eve, topic, media=True)
    hold = Hold.objects.get(payment__reference=session.pk)
    settings.MANAGERS = [("Operators", "ops@example.org")]
    monkeypatch.setattr(HUEY, "_immediate", True)
    with django_capture_on_commit_callbacks(execute=True):
        disputes.write_down(
            seen=GatewayDispute(
                ref="dp_1", hold_ref=hold.gateway_ref, amount_minor=400, reason="fraudulent", state="needs_answer",
                opened_at=timezone.now(),
            ),
            gateway_name="demo",
        )  # fmt: skip
    for person in (alice, eve):
        client.force_login(person)
        page = client.get(session.get_absolute_url()).content.decode()
        assert "The bank disputes the charge: $4.00, " in page
        assert "fraudulent" not in page
    assert "fraudulent" in mail.outbox[-1].body
    lines = evidence_for(Payment.objects.get(reference=session.pk))
    assert any("fraudulent" in line.what for line in lines)
