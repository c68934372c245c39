"""Twilio's texts for the tests: a server on loopback that the real SDK talks to, driven by Twilio's own OpenAPI description.

Every request of ours and every answer of the stand-in is checked against the description. It keeps the texts, signs
callbacks and sends them when a test says so, in any order, twice or not at all, and fails as told.
"""

import functools
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

from django.utils import timezone

from tests.peers.openapi import Checked, Spec, SpecError
from tests.peers.twilio_api import (
    ACCOUNT,
    JSON,
    SPECS,
    TOKEN,
    Call,
    TwilioApi,
    check_address,
    check_range,
    error,
    error_of,
    read_spec,
)

__all__ = ["ACCOUNT", "CREATE", "FETCH", "TOKEN", "TwilioStandIn", "load_spec"]

SPEC_FILE = SPECS / "twilio_api_v2010.json"
SERVICE = f"MG{'0' * 32}"
FROM = "+15005550006"
CREATE = "POST /2010-04-01/Accounts/{AccountSid}/Messages.json"
FETCH = "GET /2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json"

# Numbers that Twilio's API refuses, with its code and words.
STOPPED, INVALID, LANDLINE, FORBIDDEN = "+436641230010", "+436641230011", "+436641230014", "+436641230008"
REFUSED = {
    STOPPED: (21610, "Attempt to send to unsubscribed recipient"),
    INVALID: (21211, "Invalid 'To' Phone Number"),
    LANDLINE: (21614, "'To' number is not a valid mobile number"),
    FORBIDDEN: (21408, "Permission to send an SMS has not been enabled for the region"),
}


@functools.cache
def load_spec() -> Spec:
    """Return Twilio's description. Raises FileNotFoundError when `ensure_peers` did not run."""
    return read_spec(SPEC_FILE)


class TwilioStandIn(TwilioApi):
    """Twilio."""

    def __init__(self) -> None:
        """Listen at once."""
        super().__init__(load_spec())

    def reset_books(self) -> None:
        """Forget the texts and what was wrong."""
        super().reset_books()
        self.texts: dict[str, JSON] = {}
        """The texts, by SID, as its API shows them."""
        self._callbacks: dict[str, str] = {}

    @property
    def settings(self) -> dict[str, str]:
        """What Hopps needs to use it, as settings and as environment."""
        return {
            "SMS": "twilio",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": FROM,
            "TWILIO_API_BASE": self.url,
        }

    def sent(self) -> list[tuple[str, str]]:
        """Return the texts it took: number and words, oldest first."""
        return [(text["to"], text["body"]) for text in self.texts.values()]

    def refuse_next(self, *, status: int, code: int = 20500, message: str = "Internal error", times: int = 1) -> None:
        """Answer the next requests with an error, doing nothing."""
        self.fail("/Messages", status, error(status, code, message), times=times)

    # --- what becomes of texts ---------------------------------------------------------------------------------------------

    def set_text(self, ref: str, **values: Any) -> None:
        """Say how a text stands, such as status="delivered", price="-0.00750", price_unit="USD", error_code=30005."""
        with self.books:
            self.texts[ref].update(values)

    def callback(self, ref: str, status: str) -> Call:
        """Return a status callback, to be sent or not: address, fields and signature."""
        text = self.texts[ref]
        fields = {
            "MessageSid": ref, "SmsSid": ref, "AccountSid": ACCOUNT, "From": FROM, "To": text["to"],
            "MessageStatus": status, "SmsStatus": status, "ApiVersion": "2010-04-01",
        }  # fmt: skip
        return self.signed(self._callbacks[ref], fields)

    def inbound(self, url: str, *, number: str, words: str, **others: str) -> Call:
        """Return the call by which Twilio brings what somebody texted to our number: address, fields and signature."""
        ref = f"SM{uuid4().hex}"
        fields = {
            "MessageSid": ref, "SmsSid": ref, "SmsMessageSid": ref, "AccountSid": ACCOUNT, "From": number, "To": FROM,
            "Body": words, "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received", "ApiVersion": "2010-04-01",
            **others,
        }  # fmt: skip
        return self.signed(url, fields)

    # --- the API -----------------------------------------------------------------------------------------------------------

    def do(self, checked: Checked) -> tuple[int, JSON]:
        """See `TwilioApi.do`."""
        if checked.operation == CREATE:
            return self._create(checked.body)
        if checked.operation == FETCH:
            text = self.texts.get(checked.names["Sid"])
            return (200, text) if text else (404, error_of(404, 20404, "The requested resource was not found"))
        raise SpecError(f"{checked.operation}: the stand-in does not play this one.")

    def _create(self, body: JSON) -> tuple[int, JSON]:
        to = body["To"]
        if to in REFUSED:
            return 400, error_of(400, *REFUSED[to])
        ref, now = f"SM{uuid4().hex}", format_datetime(timezone.now())
        uri = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{ref}"
        text = {
            "sid": ref, "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": body["Body"], "to": to,
            "from": body.get("From"), "messaging_service_sid": body.get("MessagingServiceSid"), "direction": "outbound-api",
            "status": "queued", "error_code": None, "error_message": None, "price": None, "price_unit": "USD",
            "num_media": "0", "num_segments": "1", "date_created": now, "date_updated": now, "date_sent": None,
            "uri": f"{uri}.json", "subresource_uris": {"media": f"{uri}/Media.json"},
        }  # fmt: skip
        self.texts[ref] = text
        self._callbacks[ref] = body["StatusCallback"]
        return 201, text

    def check_values(self, checked: Checked) -> None:
        """See `TwilioApi.check_values`."""
        if checked.operation != CREATE:
            return
        body = checked.body
        if not body.get("From") and not body.get("MessagingServiceSid"):
            raise SpecError("A text needs From or MessagingServiceSid.")
        if not 0 < len(body.get("Body", "")) <= 1600:
            raise SpecError("Body takes 1 to 1600 characters.")
        check_address("StatusCallback", body.get("StatusCallback"))
        check_range(body, "ValidityPeriod", 1, 36000, "seconds")
