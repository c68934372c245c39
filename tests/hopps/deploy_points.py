"""What `check --deploy` says of a site, and says when each of its points is undone: `python -m tests.hopps.deploy_points`.

Prints {"as it is": [ids], "security.W001": [ids of the site with that point undone], …} as JSON.
"""

import json
import os
from typing import Any

import django
from django.conf import settings
from django.core import checks
from django.test import override_settings


def without(listed: str, name: str) -> dict[str, Any]:
    """Return the setting `listed` without `name`; it is there today."""
    assert name in getattr(settings, listed)
    return {listed: [one for one in getattr(settings, listed) if one != name]}


def points() -> dict[str, dict[str, Any]]:
    """Return each of Django's points with the settings that undo it."""
    sessions = "django.contrib.sessions.middleware.SessionMiddleware"
    return {
        "security.W001": without("MIDDLEWARE", "django.middleware.security.SecurityMiddleware"),
        "security.W002": without("MIDDLEWARE", "django.middleware.clickjacking.XFrameOptionsMiddleware"),
        "security.W003": without("MIDDLEWARE", "django.middleware.csrf.CsrfViewMiddleware"),
        "security.W004": {"SECURE_HSTS_SECONDS": 0},
        "security.W005": {"SECURE_HSTS_INCLUDE_SUBDOMAINS": False},
        "security.W006": {"SECURE_CONTENT_TYPE_NOSNIFF": False},
        "security.W008": {"SECURE_SSL_REDIRECT": False},
        "security.W009": {"SECRET_KEY": "short"},
        "security.W010": without("MIDDLEWARE", sessions) | {"SESSION_COOKIE_SECURE": False},
        "security.W011": without("INSTALLED_APPS", "django.contrib.sessions") | {"SESSION_COOKIE_SECURE": False},
        "security.W012": {"SESSION_COOKIE_SECURE": False},
        "security.W013": without("MIDDLEWARE", sessions) | {"SESSION_COOKIE_HTTPONLY": False},
        "security.W014": without("INSTALLED_APPS", "django.contrib.sessions") | {"SESSION_COOKIE_HTTPONLY": False},
        "security.W015": {"SESSION_COOKIE_HTTPONLY": False},
        "security.W016": {"CSRF_COOKIE_SECURE": False},
        "security.W018": {"DEBUG": True},
        "security.W019": {"X_FRAME_OPTIONS": "SAMEORIGIN"},
        "security.W020": {"ALLOWED_HOSTS": []},
        "security.W021": {"SECURE_HSTS_PRELOAD": False},
        "security.W022": {"SECURE_REFERRER_POLICY": None},
        "security.E023": {"SECURE_REFERRER_POLICY": "to everybody"},
        "security.E024": {"SECURE_CROSS_ORIGIN_OPENER_POLICY": "to everybody"},
        "security.W025": {"SECRET_KEY_FALLBACKS": ["short"]},
        "security.E101": {"CSRF_FAILURE_VIEW": "hopps.money.format_money"},
        "security.E102": {"CSRF_FAILURE_VIEW": "nowhere"},
    }


def found(tags: list[str] | None, **undone: Any) -> list[str]:
    """Return the ids of what is said with the settings `undone` in place of the site's."""
    # The settings are changed where they are read: no app is set up anew.
    with override_settings():
        for name, value in undone.items():
            setattr(settings, name, value)
        return sorted({message.id or "" for message in checks.run_checks(tags=tags, include_deployment_checks=True)})


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
    django.setup()
    said = {"as it is": found(None)}
    print(json.dumps(said | {point: found([checks.Tags.security], **undone) for point, undone in points().items()}))
