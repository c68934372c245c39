"""What holds for every page: times are the reader's own, sign-ins are noted, and who needs a second step has one."""

import zoneinfo
from collections.abc import Awaitable, Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import sync_only_middleware

from accounts.http import ask_who_it_is, is_recently_signed_in
from accounts.models import User
from accounts.sign_in import devices
from accounts.sign_in.second_factor import lacks_second_factor
from hopps.http import wants_json

SET_ONE_UP = "Set up a second step of signing in first, then you go on where you were."
# In the browser session: the page that waits for it.
WAITING_PAGE = "second_factor_for"
# Pages about signing in that allauth brings along; POST: looking is free. Ours are `recently_signed_in`.
SENSITIVE = {
    "account_change_password": ("GET", "POST"),
    "account_set_password": ("GET", "POST"),
    "account_email": ("POST",),
    "account_change_phone": ("POST",),
    "account_remove_phone": ("POST",),
    "socialaccount_connections": ("POST",),
    # What an operator makes of somebody's account.
    "admin:accounts_user_add": ("GET", "POST"),
    "admin:accounts_user_change": ("POST",),
    "admin:auth_user_password_change": ("GET", "POST"),
    "admin:auth_group_add": ("POST",),
    "admin:auth_group_change": ("POST",),
    "admin:auth_group_delete": ("POST",),
    "mfa_activate_totp": ("GET", "POST"),
    "mfa_deactivate_totp": ("GET", "POST"),
    "mfa_add_webauthn": ("GET", "POST"),
    "mfa_edit_webauthn": ("GET", "POST"),
    "mfa_remove_webauthn": ("GET", "POST"),
    "mfa_view_recovery_codes": ("GET",),
    "mfa_download_recovery_codes": ("GET",),
    "mfa_generate_recovery_codes": ("GET", "POST"),
}
# What is posted there is in no session, where it could be read.
WITH_PASSWORDS = (
    "account_change_password", "account_set_password", "admin:accounts_user_add", "admin:auth_user_password_change",
)  # fmt: skip
# Of the admin, what whoever lacks a second step may still ask for.
_FREE_IN_ADMIN = ("login", "logout", "jsi18n")


@sync_only_middleware
class TimeZoneMiddleware:
    """Activates the signed-in person's time zone for the length of a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if request.user.is_authenticated:
            timezone.activate(zoneinfo.ZoneInfo(request.user.time_zone))
        else:
            timezone.deactivate()
        return self.get_response(request)


@sync_only_middleware
class SignInMiddleware:
    """Notes which sign-ins are in use, and stops those who must show more of themselves first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Answer in place of the view where it must not be reached; static files, sockets and health never come here."""
        if not isinstance(request.user, User) or request.resolver_match is None:
            return None
        devices.seen(request)
        if _is_for_a_second_factor(request) and lacks_second_factor(request.user):
            return _set_one_up(request)
        if request.method in SENSITIVE.get(request.resolver_match.view_name, ()) and not is_recently_signed_in(request):
            return ask_who_it_is(request, keeps=request.resolver_match.view_name not in WITH_PASSWORDS)
        return None


def _is_for_a_second_factor(request: HttpRequest) -> bool:
    """Return whether this is done by those alone who may need one: the admin, and what experts do (DESIGN §9)."""
    match = request.resolver_match
    if match is None:
        return False
    if match.app_name == "admin":
        return match.url_name not in _FREE_IN_ADMIN
    return request.path.startswith("/expert/") or match.view_name == "session_accept"


def _set_one_up(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": SET_ONE_UP}, status=403)
    messages.warning(request, SET_ONE_UP)
    if request.method == "GET":
        request.session[WAITING_PAGE] = request.get_full_path()
    return redirect("account_sign_in")
