"""Mails about money: what they say, that each goes out once, and what a crash or a silent mail server does to them."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pypdf import PdfReader
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import SentMail, Topic, User
from billing import holds
from billing.capture import BACK_OFF, capture
from billing.models import Card, DemoIntent, Payment, Posting, Refund
from billing.refund import refund
from billing.signals import payment_flagged
from hopps.http import public_url
from sessions_app import jobs, receipt_mails, sweep
from sessions_app.models import HelpSession, State
from tests.people import give_card, make_active
from tests.sessions_app.test_receipts import make_charged

pytestmark = pytest.mark.django_db

Outbox = list[EmailMessage]


@pytest.fixture(autouse=True)
def jobs_at_once() -> Iterator[None]:
    """Jobs run where they are set, as one worker would run them, and leave nothing in the queue."""
    HUEY.immediate = True
    yield
    HUEY.immediate = False


@pytest.fixture
def charged(alice: User, eve: User, topic: Topic) -> HelpSession:
    return make_charged(alice, eve, topic)


@pytest.fixture
def nobody_listens(settings: Settings) -> None:
    """A mail server that takes no connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False


def give_back(session: HelpSession, by: User, *, state: str = Refund.State.SUCCEEDED) -> Refund:
    made = refund(payment=Payment.objects.get(reference=session.pk), amount_minor=250, reason="Bad sound", by=by)
    Refund.objects.filter(pk=made.pk).update(state=state)
    return Refund.objects.select_related("payment").get(pk=made.pk)


def fail(session: HelpSession) -> Payment:
    """Leave the session's charge refused for good, its hold still standing."""
    payment = Payment.objects.get(reference=session.pk)
    payment.holds.update(state="placed", captured_minor=0)
    Payment.objects.filter(pk=payment.pk).update(
        state=Payment.State.FAILED, charged_minor=0, attempts=5, problem="Insufficient funds.", flagged_at=timezone.now()
    )
    payment.refresh_from_db()
    return payment


def pdf_text(mail: EmailMessage) -> str:
    [(name, content, kind)] = mail.attachments
    assert name.startswith("hopps-receipt-")
    assert kind == "application/pdf"
    return PdfReader(BytesIO(content)).pages[0].extract_text()


# --- what they say ---


def test_the_receipt_has_every_line_its_page_and_the_pdf(charged: HelpSession, mailoutbox: Outbox) -> None:
    Payment.objects.update(tax_name="VAT", tax_basis_points=2000)
    assert receipt_mails.mail_receipt(charged)
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (["alice@example.org"], "Receipt: $7.00 for Query is slow")
    assert mail.body.startswith("Hello Alice,\n\nthis is your receipt for “Query is slow”.")
    assert (
        "    Time you were both there: 5:30\n"
        "    First 2 min, new expert: free\n"
        "    3:30 at $2.00 a minute: $7.00\n"
        "    Total paid: $7.00\n"
        "    Includes 20 % VAT: $1.17\n"
    ) in mail.body
    assert "Visa ending 4242: $60.00 held, $7.00 charged, the rest released." in mail.body
    assert public_url(f"/sessions/{charged.pk}/") in mail.body
    assert "$7.00" in pdf_text(mail)


def test_a_refund_says_how_much_why_and_when_it_arrives(charged: HelpSession, olga: User, mailoutbox: Outbox) -> None:
    receipt_mails.mail_refund(give_back(charged, olga))
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (["alice@example.org"], "Refund: $2.50 for Query is slow")
    assert "you get $2.50 back for “Query is slow”:\n\n    Bad sound\n" in mail.body
    assert "It goes back to Visa ending 4242. Your bank may take 5–10 days to show it." in mail.body
    assert "    Total paid: $4.50\n" in mail.body
    assert "−$2.50" in pdf_text(mail)


def test_a_refund_at_the_bank_is_on_its_way(charged: HelpSession, olga: User, mailoutbox: Outbox) -> None:
    receipt_mails.mail_refund(give_back(charged, olga, state=Refund.State.PENDING))
    assert "It is on its way to Visa ending 4242. That takes 5–10 days." in mailoutbox[0].body


def test_a_refund_that_failed_meanwhile_is_not_announced(charged: HelpSession, olga: User, mailoutbox: Outbox) -> None:
    assert not receipt_mails.mail_refund(give_back(charged, olga, state=Refund.State.FAILED))
    assert mailoutbox == []


def test_a_failed_charge_says_what_happens_now_and_what_to_do(charged: HelpSession, mailoutbox: Outbox) -> None:
    fail(charged)
    receipt_mails.mail_charge_failed(charged)
    [mail] = mailoutbox
    assert mail.subject == "We could not charge your card: Query is slow"
    assert "$7.00 was due for “Query is slow” with Eve, and your bank refused it on Visa ending 4242" in mail.body
    assert "What happens now:" in mail.body
    assert public_url("/billing/") in mail.body
    assert public_url(f"/sessions/{charged.pk}/") in mail.body
    assert mail.attachments == []


def test_one_charged_meanwhile_is_not_told_it_failed(charged: HelpSession, mailoutbox: Outbox) -> None:
    assert not receipt_mails.mail_charge_failed(charged)
    assert mailoutbox == []


def test_nothing_charged_is_nothing_to_mail(alice: User, eve: User, topic: Topic, mailoutbox: Outbox) -> None:
    free = make_charged(alice, eve, topic, seconds=100, amount_minor=0)
    assert not receipt_mails.mail_receipt(free)
    sweep.send_lost_mails(now=timezone.now() + timedelta(minutes=5))
    assert mailoutbox == []


def test_names_go_out_as_they_are_and_on_one_line(alice: User, eve: User, topic: Topic, mailoutbox: Outbox) -> None:
    User.objects.filter(pk=alice.pk).update(display_name="A & <B>")
    session = make_charged(alice, eve, topic)
    HelpSession.objects.filter(pk=session.pk).update(title="Why\r\nBcc: x@example.org 'quoted' 🐘")
    receipt_mails.mail_receipt(HelpSession.objects.with_people().get(pk=session.pk))
    [mail] = mailoutbox
    assert mail.body.startswith("Hello A & <B>,")
    assert mail.subject == "Receipt: $7.00 for Why Bcc: x@example.org 'quoted' 🐘"
    assert mail.recipients() == ["alice@example.org"]


# --- charged in part, and the rest given up ---


@pytest.fixture
def charged_in_part(alice: User, eve: User, topic: Topic, olga: User, settings: Settings) -> Callable[[], HelpSession]:
    """Charge $30.00 of $40.00 from the first of two holds; the second one is refused until it is given up."""
    settings.MANAGERS = [("Operators", "olga@example.org")]

    def charge() -> HelpSession:
        session = make_active(alice, eve, topic, seconds=1320)
        payment = Payment.objects.get(reference=session.pk)
        payment.holds.update(amount_minor=3000)
        extension = holds.place_hold(
            reference=session.pk, payer=alice, amount_minor=3000, currency="USD", description="Query is slow",
            card=give_card(alice), return_url="/",
        )  # fmt: skip
        assert isinstance(extension, holds.HoldPlaced)
        assert extension.hold.card is not None
        Card.objects.filter(pk=extension.hold.card.pk).update(last4="0077")
        DemoIntent.objects.filter(pk=extension.hold.gateway_ref).update(state=DemoIntent.State.RELEASED)
        Payment.objects.update(attempts=len(BACK_OFF))
        now = timezone.now()
        HelpSession.objects.filter(pk=session.pk).update(
            state=State.ENDED, ended_at=now, settled_at=now, billable_seconds=1320, amount_minor=4000
        )
        payment = capture(reference=session.pk, payee=eve, amount_minor=4000)
        assert (payment.state, payment.charged_minor) == (Payment.State.CHARGED, 3000)
        return HelpSession.objects.with_people().get(pk=session.pk)

    return charge


def test_the_customer_and_the_operators_are_told_of_what_is_open_and_of_no_more(
    charged_in_part: Callable[[], HelpSession],
    mailoutbox: Outbox,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        charged_in_part()
    by_subject = {mail.subject: mail for mail in mailoutbox}
    assert set(by_subject) == {
        "We could not charge your card: Query is slow",
        "[Hopps] Charge failed: $10.00, Query is slow",
        "Receipt: $30.00 for Query is slow",
    }
    to_customer = by_subject["We could not charge your card: Query is slow"].body
    assert "$40.00 was due for “Query is slow” with Eve. $30.00 of it was charged; the other $10.00 your bank" in to_customer
    assert "Visa ending 0077" in to_customer
    to_operators = by_subject["[Hopps] Charge failed: $10.00, Query is slow"].body
    assert "$10.00 for “Query is slow” could not be charged to Alice" in to_operators
    assert "$30.00 of $40.00 was." in to_operators


def test_the_sweep_tells_of_a_rest_that_was_given_up(charged_in_part: Callable[[], HelpSession], mailoutbox: Outbox) -> None:
    session = charged_in_part()
    for _ in range(2):
        sweep.send_lost_mails(now=timezone.now() + timedelta(minutes=2))
    assert sorted(mail.subject for mail in mailoutbox) == [
        "Receipt: $30.00 for Query is slow",
        "We could not charge your card: Query is slow",
    ]
    assert SentMail.objects.filter(key=receipt_mails.charge_failed_key(session.pk)).count() == 1


def test_one_that_is_still_tried_is_not_told_it_failed(charged: HelpSession, mailoutbox: Outbox) -> None:
    fail(charged)
    Payment.objects.update(flagged_at=None, next_try_at=timezone.now())
    assert not receipt_mails.mail_charge_failed(charged)
    assert mailoutbox == []


def test_one_given_up_and_then_charged_in_full_is_not_told_it_failed(charged: HelpSession, mailoutbox: Outbox) -> None:
    Payment.objects.update(flagged_at=timezone.now())
    SentMail.objects.create(key=receipt_mails.receipt_key(charged.pk), to=charged.customer, subject="s")
    sweep.send_lost_mails(now=timezone.now() + timedelta(minutes=2))
    assert not receipt_mails.mail_charge_failed(charged)
    assert mailoutbox == []


# --- when they go out ---


def test_a_charge_mails_its_receipt_once(
    alice: User,
    eve: User,
    topic: Topic,
    mailoutbox: Outbox,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        session = make_charged(alice, eve, topic)
    assert [mail.subject for mail in mailoutbox] == ["Receipt: $7.00 for Query is slow"]
    jobs.mail_receipt(str(session.pk))
    assert len(mailoutbox) == 1
    assert SentMail.objects.get().key == f"receipt:{session.pk}"


def test_each_refund_mails_once(
    charged: HelpSession,
    olga: User,
    mailoutbox: Outbox,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first, second = give_back(charged, olga), give_back(charged, olga)
    assert len(mailoutbox) == 2
    jobs.mail_refund(str(first.pk))
    assert len(mailoutbox) == 2
    assert {row.key for row in SentMail.objects.all()} == {f"refund:{first.pk}", f"refund:{second.pk}"}


def test_a_charge_that_failed_for_good_reaches_customer_and_operators(
    charged: HelpSession,
    mailoutbox: Outbox,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.MANAGERS = [("Operators", "olga@example.org")]
    payment = fail(charged)
    with django_capture_on_commit_callbacks(execute=True):
        payment_flagged.send(sender=Payment, payment=payment)
    to_customer, to_operators = mailoutbox
    assert to_customer.to == ["alice@example.org"]
    assert to_operators.to == ["olga@example.org"]
    assert "Charge failed: $7.00, Query is slow" in to_operators.subject
    for told in (
        "alice@example.org",
        "tried 5 times",
        "Insufficient funds.",
        f"/admin/billing/payment/{payment.pk}/change/",
    ):
        assert told in to_operators.body


# --- what goes wrong ---


@pytest.mark.usefixtures("nobody_listens")
def test_a_mail_server_that_is_away_marks_nothing_sent_and_the_job_tries_again(charged: HelpSession) -> None:
    with pytest.raises(OSError, match="refused"):
        receipt_mails.mail_receipt(charged)
    jobs.mail_receipt(str(charged.pk))
    assert not SentMail.objects.exists()
    [again] = HUEY.scheduled()
    assert (again.args, again.retries) == ((str(charged.pk),), 1)


def test_what_a_crash_lost_the_sweep_sends_and_only_once(charged: HelpSession, olga: User, mailoutbox: Outbox) -> None:
    give_back(charged, olga)
    now = timezone.now() + timedelta(minutes=2)
    for _ in range(2):
        sweep.sweep(now=now)
    assert sorted(mail.subject for mail in mailoutbox) == [
        "Receipt: $7.00 for Query is slow",
        "Refund: $2.50 for Query is slow",
    ]


def test_the_sweep_tells_of_a_failed_charge_too(charged: HelpSession, mailoutbox: Outbox) -> None:
    fail(charged)
    sweep.send_lost_mails(now=timezone.now() + timedelta(minutes=2))
    assert [mail.subject for mail in mailoutbox] == ["We could not charge your card: Query is slow"]


@pytest.mark.parametrize("later", [timedelta(seconds=30), timedelta(days=1, minutes=1)], ids=["just now", "old news"])
def test_the_sweep_leaves_alone_what_is_underway_and_what_is_old(
    charged: HelpSession, olga: User, mailoutbox: Outbox, later: timedelta
) -> None:
    give_back(charged, olga)
    sweep.send_lost_mails(now=timezone.now() + later)
    assert mailoutbox == []


def test_a_charge_that_took_days_is_still_mailed(charged: HelpSession, mailoutbox: Outbox) -> None:
    Payment.objects.update(closed_at=timezone.now() - timedelta(days=6))
    assert Posting.objects.get().posted_at > timezone.now() - timedelta(minutes=1)
    sweep.send_lost_mails(now=timezone.now() + timedelta(minutes=2))
    assert len(mailoutbox) == 1


def test_a_refund_the_processor_has_not_taken_yet_is_not_announced_by_the_sweep(
    charged: HelpSession, olga: User, mailoutbox: Outbox
) -> None:
    made = give_back(charged, olga, state=Refund.State.PENDING)
    parts = [{**part, "ref": ""} for part in made.parts]
    Refund.objects.update(parts=parts)
    SentMail.objects.create(key=receipt_mails.receipt_key(charged.pk), to=charged.customer, subject="s")
    sweep.send_lost_mails(now=timezone.now() + timedelta(minutes=2))
    assert mailoutbox == []
    Refund.objects.update(parts=[{**part, "ref": "re_1"} for part in parts])
    sweep.send_lost_mails(now=timezone.now() + timedelta(minutes=2))
    assert len(mailoutbox) == 1


def test_one_not_settled_yet_has_no_receipt_to_mail(alice: User, eve: User, topic: Topic, mailoutbox: Outbox) -> None:
    assert not receipt_mails.mail_receipt(make_active(alice, eve, topic, seconds=5))
    assert mailoutbox == []
