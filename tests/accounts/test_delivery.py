"""What became of texts: Twilio's callbacks, in any order, twice, forged or lost; what people answer; and who is told."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import outbox, tasks
from accounts.consent import end_consent, give_consent, number_for_texts
from accounts.jobs import AGAIN_AFTER, look_into_text
from accounts.models import Message, SentMail, TextConsent, User
from tests.accounts.test_texts import NUMBER, WORDS, write
from tests.peers.twilio_stand_in import TwilioStandIn
from tests.people import give_phone

State, EndedBy = Message.State, TextConsent.EndedBy
ADDRESS = "/sessions/webhooks/twilio/"
URL = f"http://127.0.0.1:8000{ADDRESS}"
Call = tuple[str, dict[str, str], str]
Post = Callable[[Call], int]
Outbox = list[EmailMessage]


@pytest.fixture(autouse=True)
def jobs_at_once() -> Iterator[None]:
    """Jobs run where they are set; those for later are kept."""
    HUEY.immediate = True
    yield
    HUEY.immediate = False


@pytest.fixture
def sent(twilio_peer: TwilioStandIn, eve: User) -> Message:
    """A text to Eve that Twilio took."""
    give_phone(eve, NUMBER)
    return outbox.send(write(eve), WORDS)


@pytest.fixture
def post(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Post:
    """Post what Twilio calls us with, as it does: without a CSRF token. Returns the status."""

    def post(call: Call) -> int:
        _, fields, signature = call
        with django_capture_on_commit_callbacks(execute=True):
            answer = Client(enforce_csrf_checks=True).post(ADDRESS, fields, headers={"X-Twilio-Signature": signature})
        return answer.status_code

    return post


def now_is(message: Message) -> tuple[str, int | None, str]:
    """Return how a text stands: state, cost and currency."""
    message.refresh_from_db()
    return message.state, message.cost_micros, message.cost_currency


def deliver(peer: TwilioStandIn, message: Message, *, price: str | None = "-0.07250") -> None:
    """Let a text arrive at Twilio's side."""
    peer.set_text(message.gateway_ref, status="delivered", price=price, price_unit="EUR")


def refuse(peer: TwilioStandIn, message: Message, code: int, words: str = "Refused") -> None:
    """Let a carrier refuse a text."""
    peer.set_text(message.gateway_ref, status="undelivered", error_code=code, error_message=words)


# --- callbacks ---


def test_the_address_is_the_one_designed() -> None:
    assert reverse("twilio_webhook") == ADDRESS


def test_a_callback_brings_outcome_and_cost(twilio_peer: TwilioStandIn, sent: Message, post: Post) -> None:
    deliver(twilio_peer, sent)
    assert post(twilio_peer.callback(sent.gateway_ref, "delivered")) == 204
    assert now_is(sent) == (State.DELIVERED, 72_500, "EUR")


@pytest.mark.parametrize("order", list(permutations(["sending", "sent", "delivered"])))
def test_the_order_of_callbacks_changes_nothing(
    twilio_peer: TwilioStandIn, sent: Message, post: Post, order: tuple[str, ...]
) -> None:
    deliver(twilio_peer, sent)
    for status in (*order, *order):
        assert post(twilio_peer.callback(sent.gateway_ref, status)) == 204
    assert now_is(sent) == (State.DELIVERED, 72_500, "EUR")


def test_a_callback_is_not_believed_but_looked_into(twilio_peer: TwilioStandIn, sent: Message, post: Post) -> None:
    twilio_peer.set_text(sent.gateway_ref, status="sent")
    assert post(twilio_peer.callback(sent.gateway_ref, "delivered")) == 204
    assert now_is(sent)[0] == State.SENT


def test_the_first_end_is_the_end(twilio_peer: TwilioStandIn, sent: Message, post: Post) -> None:
    deliver(twilio_peer, sent)
    post(twilio_peer.callback(sent.gateway_ref, "delivered"))
    for status, code in [("sent", None), ("failed", 30008), ("undelivered", 30005)]:
        twilio_peer.set_text(sent.gateway_ref, status=status, error_code=code, price="-9")
        post(twilio_peer.callback(sent.gateway_ref, "failed"))
        assert now_is(sent) == (State.DELIVERED, 72_500, "EUR")


def test_a_price_that_comes_late_is_asked_for_again_and_not_for_ever(
    twilio_peer: TwilioStandIn, sent: Message, post: Post
) -> None:
    deliver(twilio_peer, sent, price=None)
    post(twilio_peer.callback(sent.gateway_ref, "delivered"))
    assert now_is(sent) == (State.DELIVERED, None, "")
    (later,) = HUEY.scheduled()
    assert later.args == ("twilio", sent.gateway_ref, 1)
    look_into_text.call_local("twilio", sent.gateway_ref, len(AGAIN_AFTER))
    assert len(HUEY.scheduled()) == 1
    deliver(twilio_peer, sent)
    look_into_text.call_local(*later.args)
    assert now_is(sent) == (State.DELIVERED, 72_500, "EUR")
    assert len(HUEY.scheduled()) == 1


def test_a_twilio_that_does_not_answer_is_asked_again(twilio_peer: TwilioStandIn, sent: Message, post: Post) -> None:
    deliver(twilio_peer, sent)
    twilio_peer.refuse_next(status=503)
    assert post(twilio_peer.callback(sent.gateway_ref, "delivered")) == 204
    assert now_is(sent)[0] == State.SENT
    (later,) = HUEY.scheduled()
    look_into_text.call_local(*later.args)
    assert now_is(sent)[0] == State.DELIVERED


def test_a_callback_before_our_row_knows_the_texts_name_is_looked_into_later(
    twilio_peer: TwilioStandIn, sent: Message, post: Post
) -> None:
    deliver(twilio_peer, sent)
    ref = sent.gateway_ref
    Message.objects.filter(pk=sent.pk).update(gateway_ref="")
    assert post(twilio_peer.callback(ref, "delivered")) == 204
    (later,) = HUEY.scheduled()
    Message.objects.filter(pk=sent.pk).update(gateway_ref=ref)
    look_into_text.call_local(*later.args)
    assert now_is(sent)[0] == State.DELIVERED


# --- refusals ---


@pytest.mark.parametrize(
    ("code", "state", "ends"),
    [
        (30003, State.FAILED, False),
        (30004, State.REFUSED, True),
        (30005, State.REFUSED, True),
        (30006, State.REFUSED, True),
        (30007, State.REFUSED, False),
        (30008, State.FAILED, False),
        (21610, State.REFUSED, True),
    ],
)
def test_what_a_carrier_says_decides_whether_the_number_is_texted_again(
    twilio_peer: TwilioStandIn, sent: Message, eve: User, post: Post, code: int, state: Message.State, ends: bool
) -> None:
    refuse(twilio_peer, sent, code, "So it is")
    post(twilio_peer.callback(sent.gateway_ref, "undelivered"))
    assert now_is(sent)[0] == state
    assert sent.problem == f"Twilio reports {code}: So it is"
    assert (number_for_texts(eve) is None) == ends


def test_an_old_refusal_told_again_does_not_end_a_new_consent(
    twilio_peer: TwilioStandIn, sent: Message, eve: User, post: Post
) -> None:
    refuse(twilio_peer, sent, 30005)
    post(twilio_peer.callback(sent.gateway_ref, "undelivered"))
    give_consent(user=eve, number=NUMBER, wording="Text me again.")
    post(twilio_peer.callback(sent.gateway_ref, "undelivered"))
    assert number_for_texts(eve) == NUMBER


# --- lost callbacks ---


def test_a_lost_callback_is_made_up_for_within_the_hour(twilio_peer: TwilioStandIn, sent: Message) -> None:
    deliver(twilio_peer, sent)
    tasks.ask_about_texts_hourly.call_local()
    assert now_is(sent)[0] == State.SENT  # its callback may still come
    Message.objects.filter(pk=sent.pk).update(sent_at=timezone.now() - timedelta(minutes=11))
    tasks.ask_about_texts_hourly.call_local()
    assert now_is(sent) == (State.DELIVERED, 72_500, "EUR")


def test_nothing_is_asked_about_that_is_known_or_old_or_not_twilios(
    twilio_peer: TwilioStandIn, sent: Message, eve: User, settings: Settings
) -> None:
    settings.SMS = "console"
    by_console = outbox.send(write(eve, key="two"), WORDS)
    hour_ago = timezone.now() - timedelta(hours=1)
    Message.objects.filter(pk=by_console.pk).update(sent_at=hour_ago)
    Message.objects.filter(pk=sent.pk).update(sent_at=timezone.now() - timedelta(days=2))
    tasks.ask_about_texts_hourly.call_local()
    Message.objects.filter(pk=sent.pk).update(sent_at=hour_ago, state=State.DELIVERED, cost_micros=1)
    tasks.ask_about_texts_hourly.call_local()
    assert [asked.operation for asked in twilio_peer.asked if asked.operation.startswith("GET")] == []
    assert now_is(by_console)[0] == State.SENT


def test_a_text_twilio_no_longer_has_is_left_as_it_is(twilio_peer: TwilioStandIn, sent: Message, post: Post) -> None:
    call = twilio_peer.callback(sent.gateway_ref, "delivered")
    twilio_peer.texts.clear()
    assert post(call) == 204
    assert now_is(sent)[0] == State.SENT
    assert HUEY.scheduled() == []


# --- what people answer ---


@pytest.mark.parametrize("words", ["STOP", "stop", " Stop. ", "STOP please", "UNSUBSCRIBE", "Arrêt", "opt out"])
def test_stop_ends_consent(twilio_peer: TwilioStandIn, sent: Message, eve: User, post: Post, words: str) -> None:
    assert post(twilio_peer.inbound(URL, number=NUMBER, words=words)) == 204
    assert number_for_texts(eve) is None
    assert TextConsent.objects.get().ended_by == EndedBy.STOP


@pytest.mark.parametrize("words", ["Thanks!", "I cannot stop now", "HELP", "", "The end of it", "\x00"])
def test_other_answers_end_nothing(twilio_peer: TwilioStandIn, sent: Message, eve: User, post: Post, words: str) -> None:
    assert post(twilio_peer.inbound(URL, number=NUMBER, words=words)) == 204
    assert number_for_texts(eve) == NUMBER


def test_what_twilio_made_of_the_answer_counts(twilio_peer: TwilioStandIn, sent: Message, eve: User, post: Post) -> None:
    post(twilio_peer.inbound(URL, number=NUMBER, words="Cancel", OptOutType="HELP"))
    assert number_for_texts(eve) == NUMBER
    post(twilio_peer.inbound(URL, number=NUMBER, words="Basta", OptOutType="STOP"))
    assert number_for_texts(eve) is None


def test_start_is_no_consent(twilio_peer: TwilioStandIn, sent: Message, eve: User, post: Post) -> None:
    post(twilio_peer.inbound(URL, number=NUMBER, words="STOP"))
    post(twilio_peer.inbound(URL, number=NUMBER, words="START", OptOutType="START"))
    assert number_for_texts(eve) is None


# --- who is told ---


def test_who_answered_stop_is_told_once_how_to_get_texts_again(
    twilio_peer: TwilioStandIn, sent: Message, post: Post, mailoutbox: Outbox
) -> None:
    for _ in range(2):
        post(twilio_peer.inbound(URL, number=NUMBER, words="STOP"))
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["eve@example.org"], "We do not text you any more")
    for told in (
        "Hello Eve",
        f"You answered STOP to a text of ours, so we do not text {NUMBER}",
        "/expert/settings/reach/",
        "START",
    ):
        assert told in mail.body


def test_who_is_no_expert_is_led_to_the_page_of_the_number(
    bob: User, mailoutbox: Outbox, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    give_phone(bob, NUMBER)
    with django_capture_on_commit_callbacks(execute=True):
        end_consent(number=NUMBER, by=EndedBy.STOP)
    (mail,) = mailoutbox
    assert reverse("account_change_phone") in mail.body
    assert "/expert/" not in mail.body


def test_whom_the_carrier_refuses_is_told_once(
    twilio_peer: TwilioStandIn, sent: Message, post: Post, mailoutbox: Outbox
) -> None:
    refuse(twilio_peer, sent, 30005)
    for _ in range(2):
        post(twilio_peer.callback(sent.gateway_ref, "undelivered"))
    (mail,) = mailoutbox
    assert "the carrier refuses our texts to that number" in mail.body


def test_who_switched_texts_off_is_told_nothing(
    eve: User, mailoutbox: Outbox, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    give_phone(eve, NUMBER)
    with django_capture_on_commit_callbacks(execute=True):
        assert end_consent(number=NUMBER, by=EndedBy.PERSON, user=eve)
        assert not end_consent(number=NUMBER, by=EndedBy.STOP)
    assert mailoutbox == []


def test_a_mail_whose_job_was_lost_is_sent_within_the_hour(eve: User, mailoutbox: Outbox) -> None:
    give_phone(eve, NUMBER)
    end_consent(number=NUMBER, by=EndedBy.STOP)  # and the process died before it set the job
    TextConsent.objects.update(ended_at=timezone.now() - timedelta(minutes=6))
    for _ in range(2):
        tasks.ask_about_texts_hourly.call_local()
    assert len(mailoutbox) == 1
    assert SentMail.objects.count() == 1


def test_who_switched_them_on_again_meanwhile_is_told_nothing(eve: User, mailoutbox: Outbox) -> None:
    give_phone(eve, NUMBER)
    end_consent(number=NUMBER, by=EndedBy.STOP)
    TextConsent.objects.update(ended_at=timezone.now() - timedelta(minutes=6))
    give_consent(user=eve, number=NUMBER, wording="Text me again.")
    tasks.ask_about_texts_hourly.call_local()
    assert mailoutbox == []


# --- who may call ---


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fields, signature: (fields, ""),
        lambda fields, signature: (fields, "nonsense"),
        lambda fields, signature: (fields, signature[:-3] + "é="),
        lambda fields, signature: ({**fields, "From": "+436641230009"}, signature),
        lambda fields, signature: ({**fields, "More": "x"}, signature),
        lambda fields, signature: ({}, signature),
    ],
)
def test_what_twilio_did_not_sign_is_refused(
    twilio_peer: TwilioStandIn, sent: Message, eve: User, post: Post, spoil: Callable[..., tuple[dict[str, str], str]]
) -> None:
    url, fields, signature = twilio_peer.inbound(URL, number=NUMBER, words="STOP")
    assert post((url, *spoil(fields, signature))) == 403
    assert number_for_texts(eve) == NUMBER


def test_one_signed_for_another_site_is_refused(twilio_peer: TwilioStandIn, sent: Message, eve: User, post: Post) -> None:
    call = twilio_peer.inbound("https://elsewhere.example.org" + ADDRESS, number=NUMBER, words="STOP")
    assert post(call) == 403
    assert number_for_texts(eve) == NUMBER


def test_behind_a_proxy_the_public_address_counts(
    twilio_peer: TwilioStandIn, sent: Message, eve: User, post: Post, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://hopps.example.org"
    assert post(twilio_peer.inbound("https://hopps.example.org" + ADDRESS, number=NUMBER, words="STOP")) == 204
    assert number_for_texts(eve) is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"RoomSid": "RM1", "StatusCallbackEvent": "room-created"},
        {"MessageSid": "SM1", "MessageStatus": "delivered"},
        {"MessageSid": f"SM{'0' * 32}\x00", "MessageStatus": "delivered"},
        {"MessageSid": f"SM{'0' * 32}", "MessageStatus": "unheard-of"},
        {"SmsStatus": "received"},
        {"SmsStatus": "received", "From": "\x00", "Body": "STOP"},
        {"SmsStatus": "received", "From": "whatsapp:+436641230001", "Body": "STOP"},
    ],
)
def test_what_we_do_not_know_is_ignored(twilio_peer: TwilioStandIn, db: None, post: Post, fields: dict[str, str]) -> None:
    assert post(twilio_peer.signed(URL, fields)) == 204


def test_it_is_not_there_where_texts_go_another_way(
    twilio_peer: TwilioStandIn, sent: Message, post: Post, settings: Settings
) -> None:
    settings.SMS = "sns"
    assert post(twilio_peer.inbound(URL, number=NUMBER, words="STOP")) == 404
