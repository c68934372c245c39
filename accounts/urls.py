from django.urls import path

from accounts import views, views_hours

urlpatterns = [
    path("settings/", views.person_settings, name="person_settings"),
    path("expert/apply/", views.apply, name="expert_apply"),
    path("expert/settings/", views.expert_settings, name="expert_settings"),
    path("expert/settings/hours/", views_hours.hours, name="expert_hours"),
    path("expert/check/", views_hours.check, name="expert_check"),
]
