"""What stands around allauth's pages on the way to a provider and back."""

import logging
from collections.abc import Callable

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import sync_only_middleware
from django.views.defaults import page_not_found
from requests import RequestException

logger = logging.getLogger(__name__)
_LEAVES = {"google_login", "amazon_cognito_login", "openid_connect_login"}
_RETURNS = {"google_callback", "amazon_cognito_callback", "openid_connect_callback"}
# A provider that is away, one that answers what it should not (no JSON, no id), and two tabs that make one account at once.
_THEIR_FAULT = (RequestException, OAuth2Error, ImproperlyConfigured, LookupError, ValueError, TypeError, AttributeError)
_PASSES = (IntegrityError,)


@sync_only_middleware
class ProviderPages:
    """Says in a sentence when a provider is away or talks nonsense, and that one which is off is not there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for what a view did not catch."""
        if isinstance(exception, SocialApp.DoesNotExist):
            return page_not_found(request, Http404())
        if _view_of(request) in _LEAVES | _RETURNS and isinstance(exception, (*_THEIR_FAULT, *_PASSES)):
            logger.error("Sign-in with a provider failed", exc_info=exception)
            return render(request, "socialaccount/authentication_error.html", status=502)
        return None


def _view_of(request: HttpRequest) -> str:
    match = request.resolver_match
    return (match.url_name or "") if match is not None else ""
