"""The other half of the stand-in for Twilio Video: who may enter a room, and who is in it.

Pages come here whose `connect` is `twilio_video_js/connect.js`. What people see of each other goes from page to page; the
rooms and the books are those of `TwilioVideo`.
"""

import contextlib
import json
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from script.lib.processes import HOST
from tests.peers.twilio_video import SECRET, TwilioVideo

SCRIPT = Path(__file__).parent / "twilio_video_js" / "connect.js"
PATIENCE = 30.0
# Twilio's error codes, and what its SDK says with them.
TOKEN_INVALID = 20101, "Invalid Access Token"
TOKEN_EXPIRED = 20104, "Access Token expired or expiration date invalid"
NOT_FOUND = 53106, "Room not found"
ROOM_COMPLETED = 53118, "Room completed"
DUPLICATE_IDENTITY = 53205, "Participant disconnected because of duplicate identity"


class TwilioRooms:
    """Where pages connect. Used with `with`; listens on a port of its own until left."""

    def __init__(self, video: TwilioVideo) -> None:
        """Listen at once.

        Args:
            video: knows the rooms, and writes down who came and went.
        """
        self.video = video
        self.entered: list[str] = []
        """The SIDs of the rooms that pages came into, oldest first."""
        self._used: set[str] = set()
        self._run_out: set[str] = set()
        self._lock = threading.RLock()
        self._came = threading.Condition(self._lock)
        self._sockets: dict[str, ServerConnection] = {}
        self._rooms: dict[str, dict[str, str]] = {}
        """By room, the identity of each participant, by the participant's SID."""
        self._server = serve(self._serve, HOST, 0)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()

    @property
    def init_script(self) -> str:
        """What a page runs first: it puts our `connect` in the place of the SDK's."""
        return f"window.twilioRooms = '{self.host}/';\n{SCRIPT.read_text()}"

    @property
    def host(self) -> str:
        """Where pages reach it, as TWILIO_VIDEO_HOSTS names Twilio's own."""
        return f"ws://{HOST}:{self._server.socket.getsockname()[1]}"

    # --- what tests do ---

    def wait_for(self, count: int) -> None:
        """Wait until pages have come in `count` times in all. Raises TimeoutError after PATIENCE seconds."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.entered) >= count, PATIENCE):
                raise TimeoutError(f"Pages came in {len(self.entered)} times, not {count}.")

    def cut(self, identity: str) -> None:
        """Cut the line between a person's page and Twilio; the page may come back."""
        with self._lock:
            for sid in self._of(identity):
                self._sockets[sid].close(1011)

    def let_tokens_run_out(self) -> None:
        """Take the tokens that pages came with so far as run out, as they are after an hour."""
        with self._lock:
            self._run_out |= self._used

    def complete(self, room: str) -> None:
        """End a room, as over Twilio's API: all are thrown out."""
        with self._lock:
            self.video.end_room(room)
            for sid in list(self._rooms.get(room, {})):
                self._throw_out(room, sid, ROOM_COMPLETED)

    def _of(self, identity: str) -> list[str]:
        return [sid for people in self._rooms.values() for sid, name in people.items() if name == identity]

    # --- what pages do ---

    def _serve(self, socket: ServerConnection) -> None:
        asked = {
            name: value[0] for name, value in parse_qs(urlsplit(socket.request.path if socket.request else "").query).items()
        }
        try:
            room, identity = self._admit(asked.get("token", ""), asked.get("name", ""))
        except _NotAdmittedError as refusal:
            code, sentence = refusal.args
            _send(socket, type="refused", code=code, message=sentence)
            return
        sid = self._enter(socket, room, identity, asked.get("sid", ""))
        with contextlib.suppress(ConnectionClosed):
            for text in socket:
                message = json.loads(text)
                with self._lock:
                    if message["to"] in self._rooms[room]:
                        _send(self._sockets[message["to"]], type="from", sid=sid, data=message["data"])
        self._gone(socket, room, sid)

    def _admit(self, token: str, name: str) -> tuple[str, str]:
        """Return the room and the identity a token is for."""
        try:
            grants = jwt.decode(token, SECRET, algorithms=["HS256"])["grants"]
            room, identity = grants["video"]["room"], grants["identity"]
        except jwt.ExpiredSignatureError as problem:
            raise _NotAdmittedError(*TOKEN_EXPIRED) from problem
        except (jwt.InvalidTokenError, KeyError) as problem:
            raise _NotAdmittedError(*TOKEN_INVALID) from problem
        if token in self._run_out:
            raise _NotAdmittedError(*TOKEN_EXPIRED)
        self._used.add(token)
        found = self.video.rooms.get(name)
        if found is None or room not in (name, found["unique_name"]) or found["status"] != "in-progress":
            raise _NotAdmittedError(*NOT_FOUND)
        return name, identity

    def _enter(self, socket: ServerConnection, room: str, identity: str, before: str) -> str:
        with self._lock:
            people = self._rooms.setdefault(room, {})
            returning = before in people
            if not returning:
                for sid in self._of(identity):
                    self._throw_out(room, sid, DUPLICATE_IDENTITY)
            sid = before if returning else self.video.connect(room, identity)
            self._sockets[sid] = socket
            others = [{"sid": other, "identity": name} for other, name in people.items() if other != sid]
            people[sid] = identity
            self.entered.append(room)
            self._came.notify_all()
            _send(socket, type="connected", me=sid, sid=room, participants=others)
            self._tell_others(
                room, sid, "participantReconnected" if returning else "participantConnected", identity=identity
            )
        return sid

    def _gone(self, socket: ServerConnection, room: str, sid: str) -> None:
        """A page said goodbye, or was cut off and may come back."""
        with self._lock:
            if self._sockets.get(sid) is not socket:
                return
            if socket.close_code == 1000 or socket.close_code == 1001:
                self._forget(room, sid)
            else:
                self._tell_others(room, sid, "participantReconnecting")

    def _throw_out(self, room: str, sid: str, why: tuple[int, str]) -> None:
        _send(self._sockets[sid], type="disconnected", code=why[0], message=why[1])
        self._forget(room, sid)

    def _forget(self, room: str, sid: str) -> None:
        del self._sockets[sid], self._rooms[room][sid]
        if self.video.rooms[room]["status"] == "in-progress":
            self.video.disconnect(sid)
        self._tell_others(room, sid, "participantDisconnected")

    def _tell_others(self, room: str, sid: str, event: str, **more: str) -> None:
        for other in self._rooms[room]:
            if other != sid:
                _send(self._sockets[other], type=event, sid=sid, **more)


class _NotAdmittedError(Exception):
    """Its arguments: Twilio's error code, and what the SDK says with it."""


def _send(socket: ServerConnection, **message: Any) -> None:
    # Where it is closed, its own thread notices.
    with contextlib.suppress(ConnectionClosed):
        socket.send(json.dumps(message))
