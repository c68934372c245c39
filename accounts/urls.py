from django.urls import path

from accounts import views, views_hours, views_push, views_reach, views_webhooks

urlpatterns = [
    path("settings/", views.person_settings, name="person_settings"),
    path("expert/apply/", views.apply, name="expert_apply"),
    path("expert/settings/", views.expert_settings, name="expert_settings"),
    path("expert/settings/hours/", views_hours.hours, name="expert_hours"),
    path("expert/check/", views_hours.check, name="expert_check"),
    path("expert/settings/reach/", views_reach.ways, name="expert_reach"),
    path("expert/reach/consent/", views_reach.consent, name="expert_consent"),
    path("expert/reach/test/<slug:way>/", views_reach.test, name="expert_reach_test"),
    path("expert/quiet/", views_reach.quiet, name="expert_quiet"),
    path("expert/push/subscribe/", views_push.subscribe, name="push_subscribe"),
    path("expert/push/unsubscribe/", views_push.unsubscribe, name="push_unsubscribe"),
    # At the root: a worker sees only the pages below its own address.
    path("service-worker.js", views_push.service_worker, name="service_worker"),
    path("sessions/webhooks/twilio/", views_webhooks.twilio_webhook, name="twilio_webhook"),
]
