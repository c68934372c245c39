"""Texts from the row to the outcome: what is written down, who pays for a lost answer, and whose consent ends by it."""

import pytest
from pytest_django import Settings

from accounts import outbox
from accounts.consent import number_for_texts
from accounts.models import Message, TextConsent, User
from hopps.sending import NotTaken
from tests.peers import sns, twilio_stand_in
from tests.peers.sns import SnsStandIn
from tests.peers.twilio_stand_in import TwilioStandIn
from tests.people import give_phone

State, EndedBy = Message.State, TextConsent.EndedBy
NUMBER = "+436641230001"
WORDS = outbox.Words(title="", text="A request for you.", url="", tag="")


def write(to: User, number: str = NUMBER, key: str = "one") -> Message:
    """Return a text that waits to be sent."""
    message = outbox.write(key=key, to=to, way=Message.Way.TEXT, purpose=Message.Purpose.REQUEST, address=number)
    assert message is not None
    return message


def test_a_text_by_twilio_is_kept_with_its_name_there(twilio_peer: TwilioStandIn, eve: User) -> None:
    message = outbox.send(write(eve), WORDS)
    assert (message.state, message.gateway, message.text) == (State.SENT, "twilio", "A request for you.")
    assert list(twilio_peer.texts) == [message.gateway_ref]
    assert message.sent_at is not None


def test_what_twilio_is_asked(twilio_peer: TwilioStandIn, eve: User) -> None:
    outbox.send(write(eve), WORDS)
    (asked,) = twilio_peer.asked
    assert asked.body == {
        "To": NUMBER,
        "Body": "A request for you.",
        "From": twilio_stand_in.FROM,
        "StatusCallback": "http://127.0.0.1:8000/sessions/webhooks/twilio/",
        "ValidityPeriod": 600,
    }


def test_a_messaging_service_may_choose_the_number(twilio_peer: TwilioStandIn, eve: User, settings: Settings) -> None:
    settings.TWILIO_FROM = twilio_stand_in.SERVICE
    outbox.send(write(eve), WORDS)
    (asked,) = twilio_peer.asked
    assert asked.body["MessagingServiceSid"] == twilio_stand_in.SERVICE
    assert "From" not in asked.body


def test_a_text_by_sns_says_who_sends_what_it_is_and_what_it_may_cost(
    sns_peer: SnsStandIn, eve: User, settings: Settings
) -> None:
    settings.SMS_MAX_PRICE_USD = "0.15"
    message = outbox.send(write(eve), WORDS)
    assert (message.state, message.gateway) == (State.SENT, "sns")
    assert message.gateway_ref
    assert sns_peer.texts() == [(NUMBER, "A request for you.")]
    assert sns_peer.last_attributes() == {
        "AWS.SNS.SMS.SMSType": ("String", "Transactional"),
        "AWS.SNS.SMS.SenderID": ("String", "Hopps"),
        "AWS.SNS.SMS.MaxPrice": ("Number", "0.15"),
    }


def test_nobody_is_texted_twice_when_the_answer_is_lost(twilio_peer: TwilioStandIn, eve: User) -> None:
    message = write(eve)
    twilio_peer.lose_answer("/Messages")
    outbox.send(message, WORDS)
    message.refresh_from_db()
    assert message.state == State.IN_DOUBT
    for _ in range(3):
        outbox.send(message, WORDS)
    assert twilio_peer.sent() == [(NUMBER, "A request for you.")]


def test_the_same_with_sns(sns_peer: SnsStandIn, eve: User) -> None:
    message = write(eve)
    sns_peer.front.lose_answer("Action=Publish")
    for _ in range(3):
        outbox.send(message, WORDS)
    message.refresh_from_db()
    assert message.state == State.IN_DOUBT
    assert sns_peer.texts() == [(NUMBER, "A request for you.")]


def test_one_that_was_throttled_waits_and_goes_out_once(twilio_peer: TwilioStandIn, eve: User) -> None:
    message = write(eve)
    twilio_peer.refuse_next(status=429, code=20429, message="Too many requests", times=2)
    for _ in range(2):
        with pytest.raises(NotTaken):
            outbox.send(message, WORDS)
        message.refresh_from_db()
        assert message.state == State.WAITING
    assert outbox.send(message, WORDS).state == State.SENT
    assert len(twilio_peer.texts) == 1


def test_a_number_that_said_stop_is_refused_and_its_consent_ends(twilio_peer: TwilioStandIn, eve: User) -> None:
    give_phone(eve, twilio_stand_in.STOPPED)
    message = outbox.send(write(eve, twilio_stand_in.STOPPED), WORDS)
    assert message.state == State.REFUSED
    assert "21610" in message.problem
    assert number_for_texts(eve) is None
    assert TextConsent.objects.get().ended_by == EndedBy.CARRIER


def test_a_number_that_opted_out_at_sns_is_refused_and_its_consent_ends(sns_peer: SnsStandIn, eve: User) -> None:
    give_phone(eve, sns.OPTED_OUT)
    message = outbox.send(write(eve, sns.OPTED_OUT), WORDS)
    assert message.state == State.REFUSED
    assert sns_peer.texts() == []
    assert number_for_texts(eve) is None


def test_a_landline_ends_consent_and_a_closed_country_does_not(twilio_peer: TwilioStandIn, eve: User, erin: User) -> None:
    give_phone(eve, twilio_stand_in.LANDLINE)
    give_phone(erin, twilio_stand_in.FORBIDDEN)
    assert outbox.send(write(eve, twilio_stand_in.LANDLINE, "a"), WORDS).state == State.REFUSED
    assert outbox.send(write(erin, twilio_stand_in.FORBIDDEN, "b"), WORDS).state == State.REFUSED
    assert number_for_texts(eve) is None
    assert number_for_texts(erin) == twilio_stand_in.FORBIDDEN


def test_a_wrong_key_of_ours_is_nobodys_refusal(twilio_peer: TwilioStandIn, eve: User, settings: Settings) -> None:
    give_phone(eve, NUMBER)
    settings.TWILIO_AUTH_TOKEN = "wrong"
    message = write(eve)
    with pytest.raises(NotTaken, match="20003"):
        outbox.send(message, WORDS)
    message.refresh_from_db()
    assert message.state == State.WAITING
    assert number_for_texts(eve) == NUMBER
