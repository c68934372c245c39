"""Where allauth asks us about sign-ins by a provider."""

import logging
from typing import Any

from allauth.account.internal.userkit import filter_users_by_email
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import add_query_params
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from allauth.socialaccount.providers.base.provider import Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.forms.people import known_time_zone
from accounts.models import User
from accounts.sign_in import providers

logger = logging.getLogger(__name__)
NAME_LENGTH = User._meta.get_field("display_name").max_length


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Providers come from the settings alone, and of what they tell, only what is needed stays."""

    error_messages = {  # allauth's own is a plain dict too
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": "Set a password first: without it and without this, only codes by mail would let you in.",
        "no_verified_email": "Confirm your email address first, or you could not get in any more.",
        "connected_other": "That account is connected with another person here.",
    }

    # --- Which there are ---

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """Return the providers of the settings, and none that somebody wrote into the database."""
        return [app for app in super().list_apps(request, provider=provider, client_id=client_id) if app.pk is None]

    def list_providers(self, request: HttpRequest) -> list[Provider]:
        """Return the providers in use, each by the name the settings give it."""
        return [_named(provider) for provider in super().list_providers(request)]

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        """Return the provider called so. Raises SocialApp.DoesNotExist where the settings have none."""
        return _named(super().get_provider(request, provider, client_id))

    # --- On the way there and back ---

    def generate_state_param(self, state: dict[str, Any]) -> str:
        """Remember the browser's time zone until the person is back: the account that is made then has it."""
        if context.request is not None:
            state["time_zone"] = context.request.POST.get("time_zone", "")[:64]
        return str(super().generate_state_param(state))

    def on_authentication_error(
        self, request: HttpRequest, provider: Provider, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Log what went wrong; whoever changed their mind keeps what they came for."""
        state = (extra_context or {}).get("state")
        # Some forget to send the state along when a person says no (RFC 6749, 4.1.2.1). It only says where to go next.
        if state is None and request.GET.get("error") == OAuth2Adapter.login_cancelled_error:
            error = AuthError.CANCELLED
            state = statekit.unstash_last_state(request, provider_id=provider.sub_id)
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(_to("socialaccount_login_cancelled", (state or {}).get("next")))
        logger.warning("Sign-in with %s failed: %s", provider.sub_id, exception or error)

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Ask whoever has an account here with the same address to sign in to it once (decision 0030)."""
        providers.forget_waiting(request)
        # We ask the provider nothing more: not even a browser session keeps its token.
        sociallogin.token = None
        # Any other word for what is to become of it is a sign-in to allauth.
        if sociallogin.is_existing or sociallogin.state.get("process") in {AuthProcess.CONNECT, AuthProcess.REDIRECT}:
            return
        for address in sociallogin.email_addresses:
            if address.verified and filter_users_by_email(address.email):
                providers.put_by(
                    request, provider=sociallogin.provider, uid=sociallogin.account.uid, email=address.email.lower()
                )
                raise ImmediateHttpResponse(_to("account_login", sociallogin.get_redirect_url(request)))

    # --- What of it is kept ---

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Take the address and the name. The account at the provider keeps the address alone, to be known by."""
        user: User = super().populate_user(request, sociallogin, data)
        user.display_name = _name_in(data)
        sociallogin.account.extra_data = {"email": data["email"]} if data.get("email") else {}
        return user

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever comes without a name is asked for it first."""
        return bool(sociallogin.user.display_name) and super().is_auto_signup_allowed(request, sociallogin)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Make the account, in the time zone of the browser it is made from."""
        sociallogin.user.time_zone = known_time_zone(sociallogin.state.get("time_zone", ""))
        user: User = super().save_user(request, sociallogin, form)
        return user

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, Any]:
        """Fill in what the provider told."""
        return {
            **super().get_signup_form_initial_data(sociallogin),
            "display_name": sociallogin.user.display_name,
            "time_zone": sociallogin.state.get("time_zone", ""),
        }

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: SocialAccount) -> str:
        """Connected in the settings: back there."""
        return reverse("socialaccount_connections")


def _named(provider: Provider) -> Provider:
    if provider.app.name:
        provider.name = provider.app.name
    return provider


def _to(page: str, next_url: str | None) -> HttpResponse:
    """Send on to a page of ours, and from there to what the person came for."""
    address = reverse(page)
    return redirect(add_query_params(address, {"next": next_url}) if next_url else address)


def _name_in(data: dict[str, Any]) -> str:
    """Return the person's name in what a provider told; empty where there is none we can show."""
    parts = (data.get("name") or "", " ".join(filter(None, (data.get("first_name"), data.get("last_name")))))
    name = next((part for part in map(str, parts) if part.strip()), "")
    shown = "".join(character for character in name if character.isprintable())
    return " ".join(shown.split())[:NAME_LENGTH].strip()
