"""All addresses (DESIGN §9)."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from accounts.views import phone
from hopps import health, metrics
from sessions_app.consumers import websocket_urlpatterns

__all__ = ["handler429", "handler500", "urlpatterns", "websocket_urlpatterns"]

# allauth asks for it where one of its own limits is met.
handler429 = "accounts.too_often.answer_too_often"
handler500 = "hopps.unavailable.server_error"

admin.site.site_header = "Hopps operators"
admin.site.site_title = "Hopps"
admin.site.index_title = "Today"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("sessions_app.urls")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
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
