"""The two sockets: the board's and the session's."""

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
