from django.urls import path

from accounts import views, views_push

urlpatterns = [
    path("settings/", views.person_settings, name="person_settings"),
    path("expert/apply/", views.apply, name="expert_apply"),
    path("expert/settings/", views.expert_settings, name="expert_settings"),
    path("expert/push/subscribe/", views_push.subscribe, name="push_subscribe"),
    path("expert/push/unsubscribe/", views_push.unsubscribe, name="push_unsubscribe"),
    # At the root: a worker sees only the pages below its own address.
    path("service-worker.js", views_push.service_worker, name="service_worker"),
]
