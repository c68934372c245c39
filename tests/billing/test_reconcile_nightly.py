"""Reconcile by hand and by night: what the command says, and what operators and old rows get of it."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import Settings

from accounts.models import User
from billing.models import Dispute, GatewayEvent, Hold
from billing.tasks import forget_nightly, reconcile_nightly
from tests.billing.at_stripe import at_the_page, charged, deliver
from tests.peers.stripe_stand_in import StripeStandIn


def run(*arguments: str) -> tuple[int, str]:
    """Return exit status and output of `manage.py reconcile`."""
    out = StringIO()
    try:
        call_command("reconcile", *arguments, stdout=out)
    except SystemExit as left:
        return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_commands_exit_status_says_whether_all_agreed(at_stripe: StripeStandIn, alice: User) -> None:
    assert run() == (0, "All agree.\n")
    at_stripe.pay(at_the_page(alice).url)
    Hold.objects.update(created_at=timezone.now() - timedelta(hours=1))
    status, said = run("--dry-run")
    assert status == 1
    assert "Needs a person." in said
    status, said = run()
    assert status == 1
    assert "Repaired." in said
    assert "1 differences, 0 of them for a person" in said
    assert run() == (0, "All agree.\n")


def test_stripe_out_of_reach_is_another_status(at_stripe: StripeStandIn) -> None:
    at_stripe.fail("GET", "/v1/payment_intents", status=503, times=2)
    with pytest.raises(CommandError, match="does not answer") as failed:
        call_command("reconcile", stdout=StringIO())
    assert failed.value.returncode == 2


@pytest.mark.parametrize("days", ["0", "-5", "3651", "9" * 12, "9" * 400])
def test_days_nobody_has_are_refused_in_a_sentence(days: str) -> None:
    with pytest.raises(CommandError, match=r"^--days must be from 1 to 3650\.$"):
        call_command("reconcile", f"--days={days}", stdout=StringIO())


def test_operators_are_mailed_what_the_night_found(
    at_stripe: StripeStandIn, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HUEY, "immediate", True)
    reconcile_nightly.call_local()
    assert not mail.outbox
    at_stripe.pay(at_the_page(alice).url)
    Hold.objects.update(created_at=timezone.now() - timedelta(hours=1))
    reconcile_nightly.call_local()
    assert [message.subject for message in mail.outbox] == ["[Hopps] Reconcile found 1 differences"]
    assert "is pending here and held there. Repaired." in mail.outbox[0].body


def test_operators_are_mailed_when_the_night_could_not_compare(
    at_stripe: StripeStandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(HUEY, "immediate", True)
    at_stripe.fail("GET", "/v1/payment_intents", status=503, times=2)
    reconcile_nightly.call_local()
    assert [message.subject for message in mail.outbox] == ["[Hopps] Reconcile could not run"]
    assert "The payment service does not answer." in mail.outbox[0].body
    assert any(record.exc_info for record in caplog.records if "Reconcile could not run" in record.getMessage())


def test_operators_are_mailed_when_a_mistake_of_ours_ended_the_night(
    at_stripe: StripeStandIn, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(HUEY, "immediate", True)
    settings.PAYMENTS = "nobody"
    reconcile_nightly.call_local()
    assert [message.subject for message in mail.outbox] == ["[Hopps] Reconcile could not run"]
    assert "PAYMENTS must be demo or stripe, not 'nobody'." in mail.outbox[0].body


def test_what_an_event_carried_is_forgotten_after_ninety_days_and_its_row_is_not(
    at_stripe: StripeStandIn, alice: User, eve: User
) -> None:
    """It has names and addresses of people; that it came is all that makes a repeat harmless."""
    at_stripe.open_dispute(charged(at_stripe, alice, eve, 1000).holds.get().gateway_ref)
    (event,) = at_stripe.events("charge.dispute.created")
    deliver(at_stripe, event)
    kept = GatewayEvent.objects.get()
    for days, is_forgotten in ((89, False), (91, True)):
        GatewayEvent.objects.update(received_at=timezone.now() - timedelta(days=days))
        forget_nightly.call_local()
        kept.refresh_from_db()
        assert (kept.payload == {}) is is_forgotten
    deliver(at_stripe, event)
    assert list(GatewayEvent.objects.all()) == [kept]
    assert Dispute.objects.count() == 1
