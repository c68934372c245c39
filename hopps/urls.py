"""All addresses (DESIGN §9)."""

from allauth.urls import build_provider_urlpatterns
from django.contrib import admin
from django.http import Http404
from django.urls import URLPattern, URLResolver, include, path
from django.views.defaults import page_not_found

from accounts.views import phone, sign_in
from hopps import csp_reports, health, metrics
from sessions_app.consumers import websocket_urlpatterns

__all__ = [
    "handler400", "handler403", "handler404", "handler429", "handler500", "urlpatterns", "websocket_urlpatterns",
]  # fmt: skip

# allauth asks for it where one of its own limits is met.
handler429 = "accounts.sign_in.too_often.answer_too_often"
handler400 = "hopps.unavailable.bad_request"
handler403 = "hopps.unavailable.permission_denied"
handler404 = "hopps.unavailable.page_not_found"
handler500 = "hopps.unavailable.server_error"

admin.site.site_header = "Hopps operators"
admin.site.site_title = "Hopps"
admin.site.index_title = "Today"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("sessions_app.urls")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    # A way in that no page of ours uses: a token given to us by a script of Google's.
    path("accounts/google/login/token/", page_not_found, {"exception": Http404()}, name="no_google_token"),
    path("accounts/sign-in/", sign_in.sign_in_page, name="account_sign_in"),
    path("accounts/sign-in/again/", sign_in.again, name="account_sign_in_again"),
    path("accounts/sign-in/devices/<int:device>/sign-out/", sign_in.sign_out_device, name="account_device_sign_out"),
    path("accounts/sign-in/devices/sign-out/", sign_in.sign_out_others, name="account_devices_sign_out"),
    # allauth spreads it over three pages, which are one here.
    path("accounts/2fa/", sign_in.on_one_page, name="mfa_index"),
    path("accounts/2fa/webauthn/", sign_in.on_one_page, name="mfa_list_webauthn"),
    path("accounts/2fa/webauthn/reauthenticate/", sign_in.reauthenticate_passkey, name="mfa_reauthenticate_webauthn"),
    path("accounts/sessions/", sign_in.on_one_page, name="usersessions_list"),
    # What `allauth.urls` holds, without its old addresses, which have no name.
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/3rdparty/", include("allauth.socialaccount.urls")),
    path("accounts/", include(build_provider_urlpatterns())),
    # allauth brings these along only where a number is asked for at sign-up.
    path("accounts/phone/change/", phone.change_phone, name="account_change_phone"),
    path("accounts/phone/verify/", phone.verify_phone, name="account_verify_phone"),
    path("accounts/phone/remove/", phone.remove_phone, name="account_remove_phone"),
    # One way in, with the second step: Django's own page would ask for the password alone.
    path("admin/login/", sign_in.admin_login, name="admin_login"),
    path("admin/password_change/", sign_in.admin_password_change, name="admin_password_change"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("csp-report/", csp_reports.csp_report, name="csp_report"),
]
