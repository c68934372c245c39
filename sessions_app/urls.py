from django.urls import path

from sessions_app.views import landing

urlpatterns = [path("", landing.home, name="home")]
