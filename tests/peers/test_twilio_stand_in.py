"""The stand-in for Twilio allows what Twilio's own description allows, and signs as Twilio does."""

from urllib.parse import urlencode

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.peers.openapi import SpecError
from tests.peers.openapi_answers import check_answer
from tests.peers.twilio_stand_in import ACCOUNT, CREATE, FETCH, FROM, SERVICE, TOKEN, TwilioStandIn, load_spec

TO, CALLBACK = "+436641230001", "http://127.0.0.1:8000/back/"
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
TEXT = {"To": TO, "From": FROM, "Body": "Hello", "StatusCallback": CALLBACK}


@pytest.fixture
def client(twilio_peer: TwilioStandIn) -> Client:
    """The real SDK, talking to the stand-in."""
    client = Client(ACCOUNT, TOKEN)
    client.api.base_url = twilio_peer.url
    return client


def test_a_text_is_kept_and_shown_as_it_stands(client: Client, twilio_peer: TwilioStandIn) -> None:
    made = client.messages.create(to=TO, from_=FROM, body="Hello", status_callback=CALLBACK)
    assert made.status == "queued"
    twilio_peer.set_text(made.sid or "", status="undelivered", error_code=30005, price="-0.0075")
    seen = client.messages(made.sid or "").fetch()
    assert (seen.status, seen.error_code, seen.price, seen.price_unit) == ("undelivered", 30005, "-0.0075", "USD")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"StatusCallBack": CALLBACK}, "the parameter StatusCallBack is unknown"),
        ({"MessagingServiceSid": "MG1"}, "takes what looks like"),
        ({"ValidityPeriod": "soon"}, "ValidityPeriod takes an integer"),
        ({"RiskCheck": "perhaps"}, "RiskCheck takes one of 'enable', 'disable'"),
        ({"To": ""}, None),
    ],
)
def test_the_description_is_what_is_checked(change: dict[str, str], sentence: str | None) -> None:
    body = {**TEXT, **change}
    if sentence is None:
        del body["To"]
        sentence = "the parameter To is missing"
    with pytest.raises(SpecError, match=sentence):
        load_spec().check("POST", PATH, "", urlencode(body))


@pytest.mark.parametrize("path", [PATH.replace(ACCOUNT, "AC1"), PATH.replace("Messages", "Letters")])
def test_an_address_that_is_not_described_is_wrong(path: str) -> None:
    with pytest.raises(SpecError):
        load_spec().check("POST", path, "", urlencode(TEXT))


def test_the_names_in_an_address_are_read() -> None:
    checked = load_spec().check("GET", PATH.replace(".json", f"/SM{'a' * 32}.json"))
    assert checked.operation == FETCH
    assert checked.names == {"AccountSid": ACCOUNT, "Sid": f"SM{'a' * 32}"}


def test_a_text_of_nobody_is_a_violation(client: Client, twilio_peer: TwilioStandIn) -> None:
    with pytest.raises(TwilioRestException, match="needs From or MessagingServiceSid"):
        client.messages.create(to=TO, body="Hello", status_callback=CALLBACK)
    assert twilio_peer.violations == ["A text needs From or MessagingServiceSid."]
    twilio_peer.reset()


def test_a_service_may_send(client: Client) -> None:
    made = client.messages.create(to=TO, messaging_service_sid=SERVICE, body="Hello", status_callback=CALLBACK)
    assert made.messaging_service_sid == SERVICE


def test_an_answer_of_its_own_making_is_found(client: Client, twilio_peer: TwilioStandIn) -> None:
    made = client.messages.create(to=TO, from_=FROM, body="Hello", status_callback=CALLBACK)
    text = twilio_peer.texts[made.sid or ""]
    check_answer(load_spec(), CREATE, text)
    with pytest.raises(SpecError, match="a field Twilio does not have"):
        check_answer(load_spec(), CREATE, {**text, "cost": "1"})
    with pytest.raises(SpecError, match="status"):
        check_answer(load_spec(), CREATE, {**text, "status": "arrived"})


def test_callbacks_are_signed(client: Client, twilio_peer: TwilioStandIn) -> None:
    made = client.messages.create(to=TO, from_=FROM, body="Hello", status_callback=CALLBACK)
    url, fields, signature = twilio_peer.callback(made.sid or "", "delivered")
    assert url == CALLBACK
    assert fields["MessageStatus"] == "delivered"
    assert RequestValidator(TOKEN).validate(url, fields, signature)
