"""By whom people may sign in beside their password and a mailed code: what the environment says, in allauth's words."""

import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from hopps import env

GOOGLE = "google"
COGNITO = "amazon_cognito"
OPENID_CONNECT = "openid_connect"
# Names nobody may give an OpenID Connect provider: accounts at a provider are known by its name.
_TAKEN = {GOOGLE, COGNITO, OPENID_CONNECT}
_GOOGLES_ISSUER = "https://accounts.google.com"
_SCOPE = ["openid", "profile", "email"]


def from_environment(*, development: bool) -> dict[str, Any]:
    """Return SOCIALACCOUNT_PROVIDERS: each provider whose settings are there, all with PKCE (RFC 7636).

    Args:
        development: whether addresses may be http, on one's own machine.

    Raises ImproperlyConfigured for half of a provider's settings, or a wrong one.
    """
    found = {
        GOOGLE: _google(development=development),
        COGNITO: _cognito(development=development),
        OPENID_CONNECT: _openid_connect(development=development),
    }
    return {provider: its for provider, its in found.items() if its}


def _google(*, development: bool) -> dict[str, Any] | None:
    its = _all_or_none(
        GOOGLE_CLIENT_ID=env.text("GOOGLE_CLIENT_ID"),
        GOOGLE_CLIENT_SECRET=env.secret("GOOGLE_CLIENT_SECRET"),
    )
    if its is None:
        return None
    found: dict[str, Any] = {
        "APPS": [{"client_id": its["GOOGLE_CLIENT_ID"], "secret": its["GOOGLE_CLIENT_SECRET"]}],
        "SCOPE": _SCOPE,
        "OAUTH_PKCE_ENABLED": True,
        # Whoever has several accounts there chooses; and the next person at a shared computer is not signed in as the last.
        "AUTH_PARAMS": {"prompt": "select_account"},
    }
    if stand_in := env.text("GOOGLE_BASE"):
        if not development:
            raise ImproperlyConfigured("GOOGLE_BASE is for tests: whoever runs it could sign in as anybody.")
        base = _address("GOOGLE_BASE", stand_in, development=development)
        found |= {
            "AUTHORIZE_URL": f"{base}/oauth2/authorize",
            "ACCESS_TOKEN_URL": f"{base}/oauth2/token",
            "IDENTITY_URL": f"{base}/userinfo",
            "ID_TOKEN_ISSUER": base,
        }
    return found


def _cognito(*, development: bool) -> dict[str, Any] | None:
    its = _all_or_none(
        COGNITO_DOMAIN=env.text("COGNITO_DOMAIN"),
        COGNITO_CLIENT_ID=env.text("COGNITO_CLIENT_ID"),
        COGNITO_CLIENT_SECRET=env.secret("COGNITO_CLIENT_SECRET"),
    )
    if its is None:
        return None
    return {
        "APPS": [
            {"name": env.text("COGNITO_NAME"), "client_id": its["COGNITO_CLIENT_ID"], "secret": its["COGNITO_CLIENT_SECRET"]}
        ],
        "DOMAIN": _address("COGNITO_DOMAIN", its["COGNITO_DOMAIN"], development=development),
        "SCOPE": _SCOPE,
        "OAUTH_PKCE_ENABLED": True,
    }


def _openid_connect(*, development: bool) -> dict[str, Any] | None:
    names = env.words("OIDC_PROVIDERS")
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name) or name in _TAKEN or names.count(name) > 1:
            raise ImproperlyConfigured(
                "OIDC_PROVIDERS takes names of your own in small letters, each once, such as acme or acme,globex; "
                f"{name!r} is none."
            )
    apps = [_openid_connect_app(name, development=development) for name in names]
    clients = [app["client_id"] for app in apps]
    for name, client in zip(names, clients, strict=True):
        # Half-way through signing up, allauth knows a provider again by the client's id.
        if clients.count(client) > 1:
            raise ImproperlyConfigured(
                f"{_prefix(name)}_CLIENT_ID must differ from that of every other OpenID Connect provider."
            )
    return {"APPS": apps} if apps else None


def _openid_connect_app(name: str, *, development: bool) -> dict[str, Any]:
    prefix = _prefix(name)
    its = _all_or_none(
        **{f"{prefix}_{part}": env.text(f"{prefix}_{part}") for part in ("SERVER_URL", "CLIENT_ID")},
        **{f"{prefix}_CLIENT_SECRET": env.secret(f"{prefix}_CLIENT_SECRET")},
    )
    if its is None:
        raise ImproperlyConfigured(
            f"OIDC_PROVIDERS names {name}: set {prefix}_SERVER_URL, {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET."
        )
    return {
        "provider_id": name,
        "name": env.text(f"{prefix}_NAME", name.capitalize()),
        "client_id": its[f"{prefix}_CLIENT_ID"],
        "secret": its[f"{prefix}_CLIENT_SECRET"],
        "settings": {
            "server_url": _address(f"{prefix}_SERVER_URL", its[f"{prefix}_SERVER_URL"], development=development),
            "oauth_pkce_enabled": True,
        },
    }


def _prefix(name: str) -> str:
    return f"OIDC_{name.upper().replace('-', '_')}"


def _all_or_none(**its: str) -> dict[str, str] | None:
    """Return the settings of one provider, None where none is set. Raises ImproperlyConfigured for some of them."""
    missing = [name for name, value in its.items() if not value]
    if len(missing) == len(its):
        return None
    if missing:
        raise ImproperlyConfigured(f"{' and '.join(missing)} missing: set all of {', '.join(its)}, or none of them.")
    return its


def _address(name: str, value: str, *, development: bool) -> str:
    """Return an address without a slash at its end. Raises ImproperlyConfigured where it is none, or not https."""
    schemes = "https?" if development else "https"
    if not re.fullmatch(rf"{schemes}://[A-Za-z0-9.-]+(:[0-9]{{1,5}})?(/[^\s?#]*)?", value):
        raise ImproperlyConfigured(f"{name} must be an address such as https://sign-in.example.org, not {value!r}.")
    return value.rstrip("/")
