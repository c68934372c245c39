"""Web push (RFC 8030, VAPID by RFC 8292): a notification to one browser, through its maker's push service."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

import requests
from django.conf import settings
from pywebpush import WebPushException, webpush

from hopps.sending import NotTaken, Taken, TurnedDown

GATEWAY = "webpush"
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Notification:
    """What static/js/service_worker.js shows, or takes back."""

    kind: Literal["show", "close"]
    tag: str
    """Names the notification: one of the same tag replaces it, and `close` takes it back."""
    title: str = ""
    body: str = ""
    url: str = ""
    """Opened by a click."""
    ttl: int = 600
    """Seconds after which it is not worth bringing any more."""


def push(*, endpoint: str, keys: dict[str, str], notification: Notification) -> Taken | TurnedDown:
    """Send `notification` to one browser.

    Args:
        endpoint: the address of the browser's push service.
        keys: the browser's `p256dh` and `auth`, base64url.
        notification: what to show or to take back.

    Returns:
        TurnedDown where the browser is gone for good.

    Raises:
        NotTaken: the push service does not answer or cannot take it now. Sent twice, it replaces itself by its tag.
    """
    try:
        webpush(
            {"endpoint": endpoint, "keys": keys},
            json.dumps(asdict(notification)),
            vapid_private_key=settings.VAPID_PRIVATE_KEY,
            vapid_claims={"sub": settings.VAPID_SUBJECT},
            ttl=notification.ttl,
            headers={"Urgency": "high"},
            timeout=TIMEOUT_SECONDS,
        )
    except WebPushException as problem:
        status = problem.response.status_code if problem.response is not None else 0
        if status in (404, 410):
            return TurnedDown(GATEWAY, "The browser takes no notifications any more.", unsubscribed=True)
        raise NotTaken(f"The push service answered {status}.") from problem
    except requests.RequestException as problem:
        raise NotTaken(f"The push service did not answer: {type(problem).__name__}.") from problem
    return Taken(GATEWAY)
