"""All addresses (DESIGN §9)."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import Http404
from django.urls import URLPattern, URLResolver, include, path
from django.views.defaults import page_not_found

from accounts.views import phone
from hopps import health, metrics
from sessions_app.consumers import websocket_urlpatterns

__all__ = ["handler500", "urlpatterns", "websocket_urlpatterns"]

handler500 = "hopps.unavailable.server_error"

admin.site.site_header = "Hopps operators"
admin.site.site_title = "Hopps"
admin.site.index_title = "Today"
# Operators sign in where everybody does: whatever is asked there, such as a second factor, is asked of them too.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("sessions_app.urls")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    # A way in that no page of ours uses: a token given to us by a script of Google's.
    path("accounts/google/login/token/", page_not_found, {"exception": Http404()}, name="no_google_token"),
    path("accounts/", include("allauth.urls")),
    # allauth brings these along only where a number is asked for at sign-up.
    path("accounts/phone/change/", phone.change_phone, name="account_change_phone"),
    path("accounts/phone/verify/", phone.verify_phone, name="account_verify_phone"),
    path("accounts/phone/remove/", phone.remove_phone, name="account_remove_phone"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
