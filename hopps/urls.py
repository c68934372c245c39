"""All addresses (DESIGN §9)."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from hopps import health
from sessions_app.consumers import websocket_urlpatterns

__all__ = ["urlpatterns", "websocket_urlpatterns"]

admin.site.site_header = "Hopps operators"
admin.site.site_title = "Hopps"
admin.site.index_title = "Today"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("sessions_app.urls")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
