"""How one signs in, on one page: password, second steps, providers, and the devices that are signed in."""

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from accounts.forms.second_factor import NO_PASSKEY_OF_YOURS
from accounts.http import allowed, browser_of, page_of_ours, recently_signed_in, signed_in
from accounts.middleware import WAITING_PAGE
from accounts.permissions import Do
from accounts.sign_in import devices
from accounts.sign_in.second_factor import has_second_factor, needs_second_factor, recovery_codes_left
from hopps.everybody import for_everybody


@login_required
@require_safe
@allowed(Do.SEE_OWN)
def sign_in_page(request: HttpRequest) -> HttpResponse:
    """Show all there is about signing in, and what to press to change it."""
    user = signed_in(request)
    has_one = has_second_factor(user)
    factors = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    context = {
        "has_password": user.has_usable_password(),
        "app": next((factor for factor in factors if factor.type == Authenticator.Type.TOTP), None),
        "passkeys": [factor for factor in factors if factor.type == Authenticator.Type.WEBAUTHN],
        "codes_left": recovery_codes_left(user),
        "has_second_factor": has_one,
        "needs_second_factor": needs_second_factor(user),
        "waiting_page": request.session.pop(WAITING_PAGE, None) if has_one else None,
        "devices": devices.devices_of(user, this=request.session.session_key),
    }
    return render(request, "account/sign_in.html", context)


@recently_signed_in
@require_POST
@allowed(Do.SEE_OWN)
def sign_out_device(request: HttpRequest, device: int) -> HttpResponse:
    """End the sign-in of one other browser."""
    if devices.sign_out(user=signed_in(request), device=device):
        messages.success(request, "That device is signed out. Its open pages are closed.")
    else:
        messages.info(request, "That device was signed out before.")
    return redirect("account_sign_in")


@recently_signed_in
@require_POST
@allowed(Do.SEE_OWN)
def sign_out_others(request: HttpRequest) -> HttpResponse:
    """End all sign-ins but this one."""
    key, browser = request.session.session_key, browser_of(request)
    devices.sign_out_others(user=signed_in(request), keep=key, browser=browser)
    messages.success(request, "All other devices are signed out.")
    return redirect("account_sign_in")


@login_required
@allowed(Do.SEE_OWN)
def again(request: HttpRequest) -> HttpResponse:
    """Ask somebody who has nothing to type to sign in anew, before something sensitive."""
    back = page_of_ours(request.GET.get("next", ""), otherwise=reverse("account_sign_in"))
    login = f"{reverse('account_login')}?{urlencode({'next': back})}"
    return render(request, "account/sign_in_again.html", {"login": login})


class ReauthenticatePasskey(ReauthenticateWebAuthnView):  # type: ignore[misc]  # allauth carries no types
    """Show with a passkey that it is you. One that is not known leaves the person on the page, and what waits waiting."""

    def form_invalid(self, form: Form) -> HttpResponse:
        """Say so, and offer it again."""
        messages.error(self.request, NO_PASSKEY_OF_YOURS)
        return redirect(self.passthrough_next_url(self.request.path))


reauthenticate_passkey = login_required(allowed(Do.SEE_OWN)(ReauthenticatePasskey.as_view()))


@login_required
@allowed(Do.SEE_OWN)
def on_one_page(request: HttpRequest) -> HttpResponse:
    """Where allauth has a page of its own."""
    return redirect("account_sign_in")


@for_everybody
def admin_login(request: HttpRequest) -> HttpResponse:
    """Lead an operator through the site's own sign-in, second step and all. Nobody else learns that there is an admin."""
    index = reverse("admin:index")
    back = page_of_ours(request.GET.get("next", ""), otherwise=index)
    if not request.user.is_authenticated:
        return redirect(f"{reverse('account_login')}?{urlencode({'next': back})}")
    if not getattr(request.user, "is_staff", False):
        raise Http404
    return redirect(back)


@login_required
@allowed(Do.SEE_OWN)
def admin_password_change(request: HttpRequest) -> HttpResponse:
    """Lead an operator to where everybody changes the password: guesses are counted there, and a change is mailed about."""
    return redirect("account_change_password" if signed_in(request).is_staff else "admin_login")
