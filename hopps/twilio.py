"""What texts and calls by Twilio share: the client, its errors in a sentence, and the signature of its webhooks."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.version import Version
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client

from hopps.http import public_url

# An error of theirs, in their old form and their new one. The SDK carries no types.
ANSWERED = (TwilioRestException, TwilioServiceException)


def make_client(*, connect_seconds: float, read_seconds: float) -> Client:
    """Return a client of our account.

    Args:
        connect_seconds: how long a connection may take.
        read_seconds: how long an answer may take.
    """
    # One connection a request: on one kept open, nobody could tell whether what was lost had been done.
    http = TwilioHttpClient(pool_connections=False)
    http.timeout = (connect_seconds, read_seconds)  # as requests takes it
    client = Client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=http)
    client.api.base_url = settings.TWILIO_API_BASE
    client.video.base_url = settings.TWILIO_VIDEO_BASE
    return client


def as_answered(problem: TwilioException) -> TwilioException:
    """Return the SDK's error of a listing, which carries Twilio's answer unread, as it tells all others."""
    answer = problem.args[1] if len(problem.args) == 2 else None
    return Version.exception("GET", "", answer, "Unable to fetch page") if isinstance(answer, Response) else problem


def sentence_of(problem: Any) -> str:
    """Return what an error of Twilio's says, in a sentence."""
    said = problem.msg if isinstance(problem, TwilioRestException) else problem.title
    return f"Twilio answered {problem.code or problem.status}: {said}"


def is_signed(request: HttpRequest) -> bool:
    """Whether a webhook's request was signed with our account's token, for the address Twilio knows us by (PUBLIC_URL)."""
    algorithm = get_signature_algorithm(request.headers.get("X-Twilio-Webhooks-Signature-Settings", ""))
    signature = request.headers.get("X-Twilio-Signature", "")
    address = public_url(request.get_full_path())
    return bool(RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(address, request.POST, signature, algorithm))
