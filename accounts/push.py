"""Notifications to a person's browsers, open or closed."""

import binascii
import logging
import re
import time
from base64 import urlsafe_b64decode
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import PushSubscription, User
from hopps.errors import Refused
from hopps.push import Notification, endpoint_problem, push
from hopps.sending import InDoubt, NotTaken, Taken, TurnedDown

logger = logging.getLogger(__name__)

# More browsers than anybody uses: the oldest gives way. Each is asked in turn, so they must not be without end.
MOST_BROWSERS = 10
# No other browser is asked after so long: the sweep believes that a sender who is alive has answered by then.
LONGEST_SECONDS = 25.0
_ENDPOINT_LENGTH: int = PushSubscription._meta.get_field("endpoint").max_length or 0
_AUTH_BYTES = 16
# How a browser names itself, the most particular first: most say that they are Chrome and Safari too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def subscribe(
    *, user: User, endpoint: str, p256dh: str, auth: str, device: str = "", replaces: str = ""
) -> PushSubscription:
    """Keep a browser that takes notifications for `user` from now on.

    A browser somebody else was subscribed with is `user`'s now: they sit at it. Told twice, it is kept once.

    Args:
        endpoint: the address of its push service.
        p256dh: its public key, a point of 65 bytes in base64url.
        auth: its secret, 16 bytes in base64url.
        device: what to call it, such as “Chrome on Android”.
        replaces: the address that this one took the place of, where the push service gave the browser another.

    Raises:
        Refused: the address or a key cannot be one.
    """
    problem = endpoint_problem(endpoint)
    if problem is None and len(endpoint) > _ENDPOINT_LENGTH:
        problem = f"The push service's address is longer than {_ENDPOINT_LENGTH} letters."
    if problem is None and not _is_point(p256dh):
        problem = "The browser's key (p256dh) must be a point of 65 bytes, in base64url."
    if problem is None and len(_bytes_of(auth)) != _AUTH_BYTES:
        problem = f"The browser's secret (auth) must be {_AUTH_BYTES} bytes, in base64url."
    if problem is not None:
        raise Refused(problem)
    values = {"user": user, "p256dh": p256dh, "auth": auth, "device": device[:80]}
    if not PushSubscription.objects.filter(endpoint=endpoint).update(**values):
        try:
            with transaction.atomic():
                PushSubscription.objects.create(endpoint=endpoint, created_at=timezone.now(), **values)
        except IntegrityError:  # sent twice at once
            PushSubscription.objects.filter(endpoint=endpoint).update(**values)
    browsers = PushSubscription.objects.filter(user=user)
    if endpoint_problem(replaces) is None:
        browsers.filter(endpoint=replaces).exclude(endpoint=endpoint).delete()
    newest = list(browsers.order_by("-created_at", "-pk").values_list("pk", flat=True)[:MOST_BROWSERS])
    kept = PushSubscription.objects.get(endpoint=endpoint)
    browsers.exclude(pk__in=[*newest, kept.pk]).delete()
    return kept


def forget(*, user: User, browser: UUID) -> bool:
    """Send no notifications to a browser of `user` any more; return whether it was one."""
    deleted, _ = PushSubscription.objects.filter(user=user, pk=browser).delete()
    return bool(deleted)


def forget_elsewhere(*, user: User, browser: UUID | None = None) -> None:
    """Send no notifications to any browser of `user` any more, but to `browser`: they are signed out there."""
    theirs = PushSubscription.objects.filter(user=user)
    (theirs if browser is None else theirs.exclude(pk=browser)).delete()


def forget_others(*, user: User, browser: UUID) -> None:
    """`user` sits at `browser` now: whoever had it before is told of nothing there any more."""
    PushSubscription.objects.filter(pk=browser).exclude(user=user).delete()


def device_name(user_agent: str) -> str:
    """Return what a person would call the browser with this User-Agent header, such as “Chrome on Android”."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return f"{browser} on {system}" if system else browser


def push_to(user: User, notification: Notification) -> Taken | TurnedDown:
    """Send a notification to every browser of `user` that takes them; those that are gone are forgotten.

    Returns:
        Taken where at least one browser's push service has it.

    Raises:
        NotTaken: none has it now, and it may be tried again.
    """
    taken: Taken | None = None
    problems: list[str] = []
    refusals: list[str] = []
    until = time.monotonic() + LONGEST_SECONDS
    for subscription in PushSubscription.objects.filter(user=user):
        if time.monotonic() > until:
            problems.append("The other browsers' push services took too long.")
            break
        keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
        try:
            outcome = push(endpoint=subscription.endpoint, keys=keys, notification=notification)
        except (NotTaken, InDoubt) as problem:
            problems.append(str(problem))
            continue
        if isinstance(outcome, Taken):
            taken = outcome
            continue
        refusals.append(outcome.reason)
        if outcome.unsubscribed:
            # Unless it subscribed anew, with other keys, while it was asked.
            PushSubscription.objects.filter(pk=subscription.pk, **keys).delete()
        else:
            logger.error("A notification to %s was refused: %s", subscription, outcome.reason)
    if taken:
        return taken
    if problems:
        raise NotTaken("; ".join(problems))
    return TurnedDown("webpush", "; ".join(refusals) or "No browser of this person takes notifications any more.")


def _bytes_of(text: str) -> bytes:
    """What base64url `text` holds, with or without its padding; nothing where it is none."""
    try:
        return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)) if _is_base64url(text) else b""
    except (binascii.Error, ValueError):
        return b""


def _is_base64url(text: str) -> bool:
    return re.fullmatch("[A-Za-z0-9_-]*={0,2}", text) is not None


def _is_point(text: str) -> bool:
    point = _bytes_of(text)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return len(point) == 65
