"""What browsers may do with our pages: as little as possible on all of them, and a little more on a few, by name.

Two headers say it. Content-Security-Policy: what a page may load, run, ask and send forms to. Permissions-Policy: what of
the machine it may use. What a page needs on top stands in `_MORE`, under the name of its address, and nowhere else (decision
0038). `hopps.headers` sets them.

Standards: https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/permissions-policy/
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

Directives = dict[str, Any]

REPORTS = "/csp-report/"

# What browsers could let a page use, and ours do not. Those that Chromium does not know are left out: it complains of them.
FEATURES = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "clipboard-write",
    "compute-pressure", "display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid",
    "identity-credentials-get", "idle-detection", "keyboard-map", "local-fonts", "magnetometer", "microphone", "midi",
    "otp-credentials", "payment", "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get",
    "screen-wake-lock", "serial", "storage-access", "sync-xhr", "usb", "window-management",
    "xr-spatial-tracking",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class More:
    """What one page needs beyond all the others."""

    features: tuple[str, ...] = ()
    directives: Directives = field(default_factory=dict)
    twilio: bool = False
    """Whether calls by Twilio are made here, where they are made at all."""


_DEVICES = ("autoplay", "camera", "clipboard-write", "microphone")
# Older Safaris ask it for the picture of a camera.
_MEDIA = {"media-src": ("mediastream:",)}
_PASSKEYS = More(features=("publickey-credentials-create", "publickey-credentials-get"))
_MORE = {
    "session": More(
        features=(*_DEVICES, "display-capture", "fullscreen", "picture-in-picture"), directives=_MEDIA, twilio=True
    ),
    "expert_check": More(features=_DEVICES, directives=_MEDIA),
    "board": More(features=("autoplay",)),
    "account_login": _PASSKEYS,
    "account_signup": _PASSKEYS,
    "account_reauthenticate": _PASSKEYS,
    # allauth draws the code to scan into the address of the picture.
    "mfa_activate_totp": More(features=_PASSKEYS.features, directives={"img-src": ("data:",)}),
}


def more_for(name: str) -> More:
    """Return what the page at the address called `name` (`session`, `admin:index`) may do beyond the others."""
    if name in _MORE:
        return _MORE[name]
    return _PASSKEYS if name.startswith("mfa_") else More()


def content_security(*, public_url: str, https: bool) -> Directives:
    """Return the policy of every page, as django-csp takes it.

    Args:
        public_url: where people reach this site. Its socket is named, as some Safaris do not count it to 'self'.
        https: whether the site is reached by https alone.
    """
    where = urlsplit(public_url)
    return {
        "default-src": (NONE,),
        "script-src": (SELF,),
        "style-src": (SELF,),
        "img-src": (SELF,),
        "connect-src": (SELF, f"{'wss' if where.scheme == 'https' else 'ws'}://{where.netloc}"),
        "worker-src": (SELF,),
        "manifest-src": (SELF,),
        # A form of ours goes to us; what leads on to another site is `hopps.departures`.
        "form-action": (SELF,),
        "base-uri": (NONE,),
        "object-src": (NONE,),
        "frame-ancestors": (NONE,),
        "upgrade-insecure-requests": https,
        "report-uri": (REPORTS,),
    }


def permissions(*allowed: str) -> dict[str, str | list[str] | tuple[str]]:
    """Return the Permissions-Policy under which a page itself may use `allowed`, and nobody anything else."""
    return {feature: ["self"] if feature in allowed else [] for feature in FEATURES}
