"""Web push (RFC 8030, VAPID by RFC 8292): a notification to one browser, through its maker's push service."""

import hashlib
import http.client
import ipaddress
import json
import re
import socket
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings
from http_ece import ECEException  # type: ignore[import-untyped]
from py_vapid import Vapid02
from pywebpush import WebPusher, WebPushException

from hopps.sending import NotTaken, Taken, TurnedDown

GATEWAY = "webpush"
# For the whole of it, the connection included.
TIMEOUT_SECONDS = 8
# A push service keeps 4096 bytes of a message, after encryption. So long, it fits in any alphabet.
TITLE_LENGTH, BODY_LENGTH = 150, 300
# How long a signature holds; a push service refuses one of more than a day.
SIGNED_SECONDS = 12 * 60 * 60
# Names that lead inside a network and nowhere else (RFC 2606, RFC 6762 and their like).
INSIDE = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home.arpa", ".test", ".invalid", ".onion")

# IPv6 addresses that stand for IPv4 ones (the old compatible and the mapped ones, NAT64, Teredo, 6to4), and old local ones.
_WRAPPED = [
    ipaddress.ip_network(net)
    for net in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")
]


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

    A push service that does not reach the browser keeps only the newest of each tag: what was taken back meanwhile is
    never shown.

    Args:
        endpoint: the address of the browser's push service.
        keys: the browser's `p256dh` and `auth`, base64url.
        notification: what to show or to take back; cut where it is too long.

    Returns:
        TurnedDown where it will never be taken: `unsubscribed` where the browser is gone for good.

    Raises:
        NotTaken: the push service does not answer or cannot take it now. Sent twice, it replaces itself by its tag.
    """
    if not settings.VAPID_PRIVATE_KEY:
        return TurnedDown(GATEWAY, "Notifications are not set up: there is no VAPID_PRIVATE_KEY.")
    at = _public_address_of(endpoint) if not settings.DEVELOPMENT else urlsplit(endpoint).hostname
    if at is None:
        return TurnedDown(GATEWAY, "The push service is inside our own network.", unsubscribed=True)
    try:
        body = WebPusher({"endpoint": endpoint, "keys": keys}).encode(_payload(notification))["body"]
    except (WebPushException, ECEException, ValueError) as problem:
        return TurnedDown(GATEWAY, f"The browser's keys are no keys: {problem}", unsubscribed=True)
    headers = {
        "TTL": str(notification.ttl),
        "Urgency": "high",
        "Topic": _topic(notification.tag),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        **_signature(endpoint),
    }
    return _meaning(_post(endpoint, body, headers, at=at))


def endpoint_problem(endpoint: str) -> str | None:
    """Return what is wrong with the address of a push service that a browser named, as a sentence; None if nothing is.

    Outside development it is https and a public name, so that nobody has us write to machines of our own network.
    """
    try:
        address = urlsplit(endpoint)
        host, named = address.hostname or "", address.username or address.password
        _ = address.port
    except ValueError:
        return "The push service's address is no address."
    if settings.DEVELOPMENT and address.scheme == "http" and host == "127.0.0.1":
        return None
    if address.scheme != "https" or not host or named or not endpoint.isascii() or not endpoint.isprintable():
        return "The push service's address must be an https address."
    if not settings.DEVELOPMENT and (_is_address(host) or "." not in host.strip(".") or host.rstrip(".").endswith(INSIDE)):
        return "The push service's address must be a public name."
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # 127.1, 0x7f.1 and 2130706433 are addresses too, to whoever connects: no public name ends in a number.
        return re.search(r"(^|\.)(\d+|0x[0-9a-f]*)\.?$", host) is not None
    return True


def _public_address_of(endpoint: str) -> str | None:
    """Return an address its name leads to, or None where one of them is not public.

    Raises:
        NotTaken: the name leads nowhere now.
    """
    address = urlsplit(endpoint)
    try:
        found = socket.getaddrinfo(address.hostname, address.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise NotTaken(f"The push service's name was not found: {problem}") from problem
    places = [str(place[0]).split("%")[0] for *_, place in found]
    return places[0] if all(map(is_public, places)) else None


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public Internet, and stands for no other inside it."""
    place = ipaddress.ip_address(address)
    if place.version == 6 and any(place in network for network in _WRAPPED):
        return False
    return place.is_global and not place.is_multicast


def _payload(notification: Notification) -> bytes:
    cut = replace(
        notification, title=_shortened(notification.title, TITLE_LENGTH), body=_shortened(notification.body, BODY_LENGTH)
    )
    return json.dumps(asdict(cut), ensure_ascii=False).encode()


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _topic(tag: str) -> str:
    """A push service's own name for a tag: at most 32 letters, digits, - and _ (RFC 8030, 5.4)."""
    return urlsafe_b64encode(hashlib.sha256(tag.encode()).digest()).decode()[:32]


def _signature(endpoint: str) -> dict[str, str]:
    address = urlsplit(endpoint)
    claims = {
        "aud": f"{address.scheme}://{address.netloc}",
        "exp": int(time.time()) + SIGNED_SECONDS,
        "sub": settings.VAPID_SUBJECT,
    }
    signed: dict[str, str] = Vapid02.from_string(settings.VAPID_PRIVATE_KEY).sign(claims)
    return signed


def _post(endpoint: str, body: bytes, headers: dict[str, str], *, at: str) -> int:
    """Return the status the push service answers. Nothing of the answer is read but that, and no redirect is followed.

    Args:
        at: the very address to connect to: a name may lead elsewhere when it is asked again.
    """
    address = urlsplit(endpoint)
    secure = address.scheme == "https"
    host, port = address.hostname or "", address.port or (443 if secure else 80)
    connection = http.client.HTTPSConnection(host, port) if secure else http.client.HTTPConnection(host, port)
    try:
        line = socket.create_connection((at, port), timeout=TIMEOUT_SECONDS)
        # Each read has a time-out of its own; one that drips is cut off when the whole has taken too long. The cutter has a
        # handle of its own, as TLS takes the first one over.
        handle = line.dup()
        cutter = threading.Timer(TIMEOUT_SECONDS, _cut, [handle])
        cutter.start()
        try:
            connection.sock = ssl.create_default_context().wrap_socket(line, server_hostname=host) if secure else line
            path = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            cutter.cancel()
            line.close()
            handle.close()
    except (OSError, http.client.HTTPException) as problem:
        raise NotTaken(f"The push service did not answer: {type(problem).__name__}.") from problem
    finally:
        connection.close()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _meaning(status: int) -> Taken | TurnedDown:
    if 200 <= status < 300:
        return Taken(GATEWAY)
    if status in (404, 410):
        return TurnedDown(GATEWAY, "The browser takes no notifications any more.", unsubscribed=True)
    if status == 429 or status >= 500:
        raise NotTaken(f"The push service answered {status}.")
    # Our mistake, or a key of ours it does not know: the browser is not to blame, and asking again changes nothing.
    return TurnedDown(GATEWAY, f"The push service answered {status}.")
