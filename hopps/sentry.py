"""Errors to Sentry, where SENTRY_DSN is set; otherwise its library is not even imported.

What goes out is the error and where it happened, with the request's id to find it in the log by: no bodies, cookies, headers
or addresses, no local variables, and of people their id.
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from hopps import logs
from hopps.redaction import without_secrets


def start(dsn: str, *, release: str, environment: str) -> None:
    """Have errors that are logged sent to `dsn`. Raises ImproperlyConfigured where that is no address of Sentry's."""
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration
    from sentry_sdk.utils import BadDsn, Dsn

    try:
        Dsn(dsn)
    except BadDsn as problem:
        raise ImproperlyConfigured(f"SENTRY_DSN is not an address Sentry gives out: {problem}.") from None
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        environment=environment,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        server_name="hopps",
        # All that fails is logged, by Django, huey and ourselves: an integration for each would tell it twice.
        default_integrations=False,
        integrations=[LoggingIntegration(level=None), DedupeIntegration(), AtexitIntegration(lambda pending, timeout: None)],
        before_send=scrubbed,  # type: ignore[arg-type]  # Sentry's Event is a TypedDict of its own
    )


def scrubbed(event: dict[str, Any], hint: Mapping[str, Any]) -> dict[str, Any]:
    """Return `event` without what nobody must read, and with what is known of whatever failed."""
    known = logs.known()
    event.pop("request", None)
    event.pop("extra", None)
    event["user"] = {"id": known.pop("person")} if "person" in known else {}
    event["tags"] = known
    cleaned: dict[str, Any] = _without_secrets(event)
    return cleaned


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    return value
