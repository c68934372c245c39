"""The two sockets: the board's and the session's."""

from django.urls import URLPattern, path

from sessions_app.consumers import beat  # noqa: F401  sets the process's beat going
from sessions_app.consumers.board import BoardSocket
from sessions_app.consumers.session import SessionSocket

websocket_urlpatterns: list[URLPattern] = [
    path("ws/board/", BoardSocket.as_asgi()),
    path("ws/sessions/<uuid:session_id>/", SessionSocket.as_asgi()),
]
