"""Where a person is signed in: each browser with its sign-in, when it was last used, and ending it from afar."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from accounts import push
from accounts.http import browser_of
from accounts.models import User
from hopps.realtime.sockets import signed_out

# Seconds. “Last used” need not be known better, and every page would cost a write.
NOTED_EVERY = 5 * 60.0
# Sign-ins this process remembers to have noted: some 100 bytes each.
_MOST = 20_000


@dataclass(frozen=True)
class Device:
    """A browser a person is signed in with."""

    pk: int
    name: str
    ip: str
    since: datetime
    last_seen_at: datetime
    is_this: bool


class _Noted:
    """Which sign-ins this process noted lately: most requests ask the database nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: OrderedDict[str, float] = OrderedDict()

    def is_due(self, key: str) -> bool:
        """Return whether `key` was not asked about for NOTED_EVERY; it counts as noted from now on."""
        now = time.monotonic()
        with self._lock:
            if now - self._at.get(key, -NOTED_EVERY) < NOTED_EVERY:
                return False
            self._at[key] = now
            self._at.move_to_end(key)
            while len(self._at) > _MOST:
                self._at.popitem(last=False)
            return True


_noted = _Noted()


def seen(request: HttpRequest) -> None:
    """Note that the sign-in of this request is in use, from where and with what, once in NOTED_EVERY."""
    key = request.session.session_key
    if not isinstance(request.user, User) or key is None or not _noted.is_due(key):
        return
    try:
        ip = get_adapter().get_client_ip(request)
    except PermissionDenied:  # nobody knows from where: a socket of the same machine, for one
        return
    browser = browser_of(request)
    found = UserSession.objects.filter(session_key=key, user=request.user).update(
        last_seen_at=timezone.now(),
        ip=ip,
        user_agent=request.headers.get("User-Agent", "")[: UserSession._meta.get_field("user_agent").max_length],
        # Which push subscription is this browser's: it goes with the sign-in.
        data={"browser": str(browser)} if browser is not None else {},
    )
    if not found:
        UserSession.objects.create_from_request(request)


def devices_of(user: User, *, this: str | None) -> list[Device]:
    """Return where `user` is signed in, this browser first, then the last used; what ended by itself is tidied up.

    Args:
        user: the person.
        this: the session key of the browser that asks.
    """
    devices = [
        Device(
            pk=row.pk,
            name=push.device_name(row.user_agent),
            ip=row.ip,
            since=row.created_at,
            last_seen_at=row.last_seen_at,
            is_this=row.session_key == this,
        )
        for row in UserSession.objects.purge_and_list(user)
    ]
    return sorted(devices, key=lambda device: (not device.is_this, -device.last_seen_at.timestamp()))


def sign_out(*, user: User, device: int) -> bool:
    """End one of the person's sign-ins; return whether there was one."""
    row = UserSession.objects.filter(user=user, pk=device).first()
    if row is not None:
        _end(row)
    return row is not None


def sign_out_others(*, user: User, keep: str | None, browser: UUID | None) -> int:
    """End all sign-ins of `user` but the one with the session key `keep`; return how many.

    Args:
        user: the person.
        keep: of the browser that asks; None where it is not theirs.
        browser: its push subscription, if it has one: the only one that stays.
    """
    rows = list(UserSession.objects.filter(user=user).exclude(session_key=keep or ""))
    for row in rows:
        _end(row)
    push.forget_elsewhere(user=user, browser=browser)
    return len(rows)


def has_notifications(request: HttpRequest, *, browser: UUID) -> None:
    """Note that the sign-in of this request has a push subscription from now on, which is to go with it."""
    mine = UserSession.objects.filter(session_key=request.session.session_key, user=request.user)
    mine.update(data={"browser": str(browser)})


def forget(session_key: str) -> None:
    """The sign-in with this key has ended: it is in no list any more."""
    UserSession.objects.filter(session_key=session_key).delete()


def _end(row: UserSession) -> None:
    """End a sign-in: its cookie opens nothing any more, its open pages are closed, and it is told of no request."""
    import_module(settings.SESSION_ENGINE).SessionStore().delete(row.session_key)
    signed_out(person_id=row.user_id, session_key=row.session_key)
    browser = row.data.get("browser")
    if browser is not None:
        push.forget(user=row.user, browser=UUID(browser))
    row.delete()
