from django.urls import path

from accounts.views import blocked, data, hours, people, photo, push, reach, webhooks

urlpatterns = [
    path("settings/", people.person_settings, name="person_settings"),
    path("settings/blocked/", blocked.blocked, name="blocked"),
    path("settings/blocked/<uuid:block_id>/unblock/", blocked.unblock, name="unblock"),
    path("settings/photo/", photo.set_photo, name="photo_set"),
    path("settings/photo/remove/", photo.remove_photo, name="photo_remove"),
    path("settings/data/", data.my_data, name="my_data"),
    path("settings/data/<slug:kind>/", data.download, name="my_data_download"),
    path("settings/delete/", data.delete, name="account_delete"),
    path("people/<uuid:person_id>/photo/<slug:version>/", photo.give, name="photo"),
    path("expert/apply/", people.apply, name="expert_apply"),
    path("expert/settings/", people.expert_settings, name="expert_settings"),
    path("expert/settings/hours/", hours.hours, name="expert_hours"),
    path("expert/check/", hours.check, name="expert_check"),
    path("expert/settings/reach/", reach.ways, name="expert_reach"),
    path("expert/reach/consent/", reach.consent, name="expert_consent"),
    path("expert/reach/test/<slug:way>/", reach.test, name="expert_reach_test"),
    path("expert/quiet/", reach.quiet, name="expert_quiet"),
    path("expert/push/subscribe/", push.subscribe, name="push_subscribe"),
    path("expert/push/unsubscribe/", push.unsubscribe, name="push_unsubscribe"),
    # At the root: a worker sees only the pages below its own address.
    path("service-worker.js", push.service_worker, name="service_worker"),
    path("sessions/webhooks/twilio/", webhooks.twilio_webhook, name="twilio_webhook"),
]
