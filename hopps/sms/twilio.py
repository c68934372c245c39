"""Texts by Twilio: taken by its Messages API, their outcome and price asked for when a callback says that there is news."""

from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from django.conf import settings
from django.urls import reverse
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioException
from urllib3.exceptions import MaxRetryError, NewConnectionError

from hopps.http import public_url
from hopps.sending import InDoubt, NotTaken, Taken, TurnedDown
from hopps.sms.base import CONNECT_SECONDS, READ_SECONDS, Report, answered_too_late
from hopps.twilio import ANSWERED, make_client, sentence_of

# A text about a request, or a code, is worth nothing later, and might come in the night.
VALID_SECONDS = 600

# Twilio's codes (its "error and warning dictionary"). The person answered STOP; the number is no mobile phone.
STOPPED = 21610
NO_PHONE = (21614, 21635)
# These are about the text or its number; others are about our account, and pass when an operator mends it.
ABOUT_THE_TEXT = range(21000, 22000)
# But for these: our number's queue is full, our number or service is wrong.
ABOUT_US = (21212, 21603, 21606, 21611, 21659, 21660, 21701, 21703, 21704, 21705)
# What a carrier reports afterwards. For good: blocked by the carrier or the person; no such number; a landline.
# Spam (30007) is the carrier's word on this text alone; no phone reached (30003) and no reason given (30008) pass.
REFUSED_FOR_GOOD = (STOPPED, *NO_PHONE, 30004, 30005, 30006)
FILTERED = 30007

# What a status callback says while nothing is decided.
UNDERWAY = ("accepted", "scheduled", "queued", "sending", "sent")


class TwilioSender:
    """Sends texts by Twilio."""

    name = "twilio"

    def __init__(self, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS) -> None:
        """Describe it.

        Args:
            connect_seconds: how long a connection may take.
            read_seconds: how long an answer may take.
        """
        self._client = make_client(connect_seconds=connect_seconds, read_seconds=read_seconds)

    def send(self, *, to: str, text: str) -> Taken | TurnedDown:
        """See `SmsSender.send`."""
        by_service = settings.TWILIO_FROM.startswith("MG")
        sender = {"messaging_service_sid" if by_service else "from_": settings.TWILIO_FROM}
        callback = public_url(reverse("twilio_webhook"))
        try:
            message = self._client.messages.create(
                to=to, body=text, status_callback=callback, validity_period=VALID_SECONDS, **sender
            )
        except ANSWERED as problem:
            return self._refused(problem)
        except RequestException as problem:
            if _never_connected(problem):
                raise NotTaken(f"No connection to Twilio: {problem}") from problem
            raise InDoubt(f"Twilio was asked and did not answer: {problem}") from problem
        except (TwilioException, ValueError) as problem:  # an answer nobody can read
            raise InDoubt(f"Twilio's answer could not be read: {problem}") from problem
        assert message.sid is not None
        return Taken(self.name, message.sid)

    def report(self, ref: str) -> Report | None:
        """See `SmsSender.report`."""
        try:
            message = self._client.messages(ref).fetch()
        except ANSWERED as problem:
            if problem.status == 404:  # deleted there, or another account's
                return None
            raise NotTaken(sentence_of(problem)) from problem
        except (RequestException, TwilioException, ValueError) as problem:
            raise NotTaken(f"Twilio does not say what became of a text: {problem}") from problem
        code = message.error_code or 0
        state = _state(str(message.status), code)
        return Report(
            state=state,
            problem=f"Twilio reports {code}: {message.error_message or 'no reason given'}" if code else "",
            unsubscribed=state == "refused" and code in REFUSED_FOR_GOOD,
            cost_micros=_micros(message.price),
            cost_currency=(message.price_unit or "").upper() if message.price else "",
        )

    def _refused(self, problem: Any) -> TurnedDown:
        """Say what an error of Twilio's means. Raises NotTaken, InDoubt."""
        code, status = problem.code or 0, problem.status
        if answered_too_late(status):
            raise InDoubt(sentence_of(problem)) from problem
        if status == 429 or status >= 500 or code not in ABOUT_THE_TEXT or code in ABOUT_US:
            raise NotTaken(sentence_of(problem)) from problem
        return TurnedDown(self.name, sentence_of(problem), unsubscribed=code in (STOPPED, *NO_PHONE))


def _never_connected(problem: RequestException) -> bool:
    """Whether there was no connection at all, and so nothing was asked."""
    if isinstance(problem, ConnectTimeout):
        return True
    cause = problem.args[0] if isinstance(problem, NoConnection) and problem.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _state(status: str, code: int) -> Literal["underway", "delivered", "refused", "failed"]:
    match status:
        case "delivered" | "read" | "partially_delivered":
            return "delivered"
        case "undelivered" | "failed":
            return "refused" if code == FILTERED or code in REFUSED_FOR_GOOD else "failed"
        case "canceled":
            return "failed"
        case _:
            return "underway"


def _micros(price: str | None) -> int | None:
    """Return what a text cost, in millionths: Twilio writes what it takes as a negative decimal."""
    if not price:
        return None
    try:
        return abs(int(Decimal(price) * 1_000_000))
    except InvalidOperation:
        return None
