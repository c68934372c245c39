"""What every sender of texts does, whoever brings them: one contract.

The console takes all; what may go wrong is tried with Amazon SNS, played by moto, and with Twilio, played by a server that
Twilio's own description drives.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from pytest_django import Settings

from hopps import sms
from hopps.sending import InDoubt, NotTaken, Taken, TurnedDown
from hopps.sms.base import SmsSender
from hopps.sms.console import ConsoleSender
from hopps.sms.sns import SnsSender
from hopps.sms.twilio import TwilioSender
from tests.peers import sns, twilio_stand_in
from tests.peers.sns import SnsStandIn
from tests.peers.twilio_stand_in import TwilioStandIn

EVE = "+436641230001"
WORDS = "A request for you: “Query is slow”. https://hopps.example.org/sessions/1/"
# Time enough for loopback, and no test waits.
QUICK = 0.25
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Provider:
    """A provider, and what a test may have it do."""

    sender: SmsSender
    quick: SmsSender
    """The same, with little patience."""
    texts: Callable[[], list[tuple[str, str]]]
    opted_out: str
    """A number whose owner wants no texts."""
    refused: str
    """A number it will never text."""
    throttle: Callable[[], None]
    break_down: Callable[[int], None]
    """Answer the next text with this status, and do nothing."""
    lose_answer: Callable[[], None]
    be_silent: Callable[[], None]
    leave: Callable[[], SmsSender]
    """Return a sender that finds nobody there."""


@pytest.fixture
def by_sns(sns_peer: SnsStandIn, monkeypatch: pytest.MonkeyPatch) -> Provider:
    def leave() -> SmsSender:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", NOWHERE)
        return SnsSender()

    return Provider(
        sender=SnsSender(),
        quick=SnsSender(read_seconds=QUICK),
        texts=sns_peer.texts,
        opted_out=sns.OPTED_OUT,
        refused="0664123",
        throttle=lambda: sns_peer.fail("Publish", "Throttled", status=429, message="Rate exceeded"),
        break_down=lambda status: sns_peer.fail("Publish", "InternalError", status=status),
        lose_answer=lambda: sns_peer.front.lose_answer("Action=Publish"),
        be_silent=lambda: sns_peer.front.be_silent("Action=Publish"),
        leave=leave,
    )


@pytest.fixture
def by_twilio(twilio_peer: TwilioStandIn, settings: Settings) -> Provider:
    def leave() -> SmsSender:
        settings.TWILIO_API_BASE = NOWHERE
        return TwilioSender()

    return Provider(
        sender=TwilioSender(),
        quick=TwilioSender(read_seconds=QUICK),
        texts=twilio_peer.sent,
        opted_out=twilio_stand_in.STOPPED,
        refused=twilio_stand_in.INVALID,
        throttle=lambda: twilio_peer.refuse_next(status=429, code=20429, message="Too many requests"),
        break_down=lambda status: twilio_peer.refuse_next(status=status),
        lose_answer=lambda: twilio_peer.lose_answer("/Messages"),
        be_silent=lambda: twilio_peer.be_silent("/Messages"),
        leave=leave,
    )


@pytest.fixture(params=["sns", "twilio"])
def provider(request: pytest.FixtureRequest) -> Provider:
    chosen: Provider = request.getfixturevalue(f"by_{request.param}")
    return chosen


def test_a_text_is_taken_and_gets_a_name(provider: Provider) -> None:
    taken = provider.sender.send(to=EVE, text=WORDS)
    assert isinstance(taken, Taken)
    assert taken.gateway == provider.sender.name
    assert taken.ref
    assert provider.texts() == [(EVE, WORDS)]


def test_the_console_takes_every_text_and_shows_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hopps.sms"):
        taken = ConsoleSender().send(to=EVE, text=WORDS)
    assert isinstance(taken, Taken)
    assert taken.ref
    assert f"Text to {EVE}: {WORDS}" in caplog.text
    report = ConsoleSender().report(taken.ref)
    assert report is not None
    assert report.state == "delivered"


def test_a_number_that_opted_out_is_not_texted_and_not_to_be_texted_again(provider: Provider) -> None:
    answer = provider.sender.send(to=provider.opted_out, text=WORDS)
    assert isinstance(answer, TurnedDown)
    assert answer.unsubscribed
    assert provider.texts() == []


def test_a_refused_number_is_turned_down_with_a_sentence(provider: Provider) -> None:
    answer = provider.sender.send(to=provider.refused, text=WORDS)
    assert isinstance(answer, TurnedDown)
    assert not answer.unsubscribed
    assert "answered" in answer.reason
    assert provider.texts() == []


def test_one_that_is_throttled_may_be_tried_again(provider: Provider) -> None:
    provider.throttle()
    with pytest.raises(NotTaken):
        provider.sender.send(to=EVE, text=WORDS)
    assert provider.texts() == []
    assert isinstance(provider.sender.send(to=EVE, text=WORDS), Taken)


@pytest.mark.parametrize("status", [500, 503])
def test_a_fault_of_theirs_may_be_tried_again(provider: Provider, status: int) -> None:
    provider.break_down(status)
    with pytest.raises(NotTaken):
        provider.sender.send(to=EVE, text=WORDS)
    # Asked once: a library that asks again by itself would have sent it.
    assert provider.texts() == []


@pytest.mark.parametrize("status", [502, 504])
def test_one_whose_gateway_got_no_answer_is_in_doubt(provider: Provider, status: int) -> None:
    provider.break_down(status)
    with pytest.raises(InDoubt):
        provider.sender.send(to=EVE, text=WORDS)


def test_a_lost_answer_is_in_doubt_and_asked_once(provider: Provider) -> None:
    provider.lose_answer()
    with pytest.raises(InDoubt):
        provider.sender.send(to=EVE, text=WORDS)
    assert provider.texts() == [(EVE, WORDS)]


def test_silence_is_in_doubt_soon(provider: Provider) -> None:
    provider.be_silent()
    with pytest.raises(InDoubt):
        provider.quick.send(to=EVE, text=WORDS)
    assert provider.texts() == []


def test_no_connection_may_be_tried_again(provider: Provider) -> None:
    with pytest.raises(NotTaken):
        provider.leave().send(to=EVE, text=WORDS)


def test_a_worker_waits_less_than_ten_seconds_for_a_text() -> None:
    # SNS is asked twice; each connection and each answer may take so long.
    assert 2 * (sms.base.CONNECT_SECONDS + sms.base.READ_SECONDS) < 10


@pytest.mark.parametrize(("name", "kind"), [("console", ConsoleSender), ("sns", SnsSender), ("twilio", TwilioSender)])
def test_the_settings_choose_the_sender(settings: Settings, name: str, kind: type, twilio_peer: TwilioStandIn) -> None:
    settings.SMS = name
    assert isinstance(sms.sender(), kind)
    assert sms.sender().name == name


def test_an_unknown_sender_is_said_so() -> None:
    with pytest.raises(ValueError, match="'pigeon'"):
        sms.sender("pigeon")
