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
    """Leaves for a provider by a page of ours, and says in a sentence when one is away or talks nonsense."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and response.status_code == 302 and _view_of(request) in _LEAVES:
            # Browsers hold every address that a submitted form is redirected to against form-action, and a provider may send
            # people on to wherever it likes. So the form ends here, and a page goes on.
            return render(request, "socialaccount/leaving.html", {"address": response["Location"]})
        return response

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
