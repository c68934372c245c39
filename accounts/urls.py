from django.urls import path

from accounts import views, views_webhooks

urlpatterns = [
    path("settings/", views.person_settings, name="person_settings"),
    path("expert/apply/", views.apply, name="expert_apply"),
    path("expert/settings/", views.expert_settings, name="expert_settings"),
    path("sessions/webhooks/twilio/", views_webhooks.twilio_webhook, name="twilio_webhook"),
]
