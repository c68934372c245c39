"""One person's open page of a session: its socket, its copy of chat and notes, as the page's script holds them."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.soak.browser import Browser
from benchmarks.soak.delays import Delays
from benchmarks.soak.record import Record, Side, Span, Visit

JSON = dict[str, Any]
PATIENCE_SECONDS = 60.0
# As the page does: every 4 s outside of the room, as often as the server says inside, and every 30 s the whole state.
IDLE_BEAT_SECONDS = 4.0
SYNC_SECONDS = 30.0
# The codes a browser closes with when the page is left, and when its script is done with the socket.
LEFT, DONE = WSCloseCode.GOING_AWAY, WSCloseCode.OK


class RoomPage:
    """The page of one side of a session; its socket may end, and another takes its place."""

    def __init__(self, record: Record, browser: Browser, session: str, side: Side, delays: Delays) -> None:
        self.record = record
        self.browser = browser
        self.session = session
        self.side = side
        self.delays = delays
        self.charge = ""
        self._page = str(uuid4())
        self._came: Span | None = None
        self._line: _Line | None = None
        self._life: asyncio.Task[None] | None = None
        self._beat_seconds = IDLE_BEAT_SECONDS
        self._waiting: list[tuple[Callable[[JSON], bool], asyncio.Future[JSON]]] = []
        self._text: list[str] = []
        self._revision = 0
        self._early_edits: dict[int, JSON] = {}
        # Lines that came with a welcome, and may come once more by themselves: they were under way.
        self._given: set[str] = set()

    # --- its socket ---

    async def open(self) -> None:
        """Open the socket and wait for the state."""
        state = self.coming("session_changed")
        line = self._line = _Line(self)
        await ws_connect(
            lambda: line,
            self.browser.socket_address(f"/ws/sessions/{self.session}/"),
            extra_headers=self.browser.socket_headers(),
            websocket_handshake_timeout=PATIENCE_SECONDS,
        )
        self._life = asyncio.create_task(self._live())
        await state

    async def close(self, code: WSCloseCode | None) -> None:
        """Close the socket with a browser's `code`; None: the line is cut without a word."""
        line, self._line = self._line, None
        life, self._life = self._life, None
        self._beat_seconds = IDLE_BEAT_SECONDS
        if life is not None:
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life
        if line is None or line.transport is None:
            return
        if code is not None:
            line.transport.send_close(code)
        line.transport.disconnect()

    async def _live(self) -> None:
        """Give signs of life until cancelled."""
        synced = time.monotonic()
        while True:
            await asyncio.sleep(self._beat_seconds)
            if time.monotonic() - synced > SYNC_SECONDS:
                synced = time.monotonic()
                self.say("sync")
            else:
                self.say("ping")

    def say(self, kind: str, **fields: object) -> None:
        """Send a message, if the socket is open."""
        if self._line is not None and self._line.transport is not None:
            self._line.transport.send(WSMsgType.TEXT, json.dumps({"type": kind, **fields}).encode())

    def coming(self, *kinds: str, where: Callable[[JSON], bool] = lambda _: True) -> "asyncio.Task[JSON]":
        """Return what to await for the next event, from now on, of one of `kinds` for which `where` holds.

        Awaiting raises TimeoutError after PATIENCE_SECONDS.
        """
        future: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        self._waiting.append((lambda event: event["type"] in kinds and where(event), future))
        task = asyncio.ensure_future(asyncio.wait_for(future, PATIENCE_SECONDS))
        # A journey that failed before it waited for this one has been noted down already.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def becomes(self, *states: str) -> "asyncio.Task[JSON]":
        """Return what to await until the session is in one of `states`."""
        return self.coming("session_changed", where=lambda event: event["state"] in states)

    def lost(self, line: "_Line") -> None:
        """The socket ended."""
        if line is self._line:
            self.record.mishaps.append(f"a page of session {self.session} lost its socket")

    # --- the room ---

    async def join(self) -> None:
        """Press "Join call"."""
        asked = time.monotonic()
        answer = await self.browser.post(f"/sessions/{self.session}/join/", to_json=True)
        await self._enter(json.loads(answer)["grant"])
        self.delays.note("join", time.monotonic() - asked)

    async def come_back(self) -> None:
        """Come back with a new socket."""
        await self.open()
        await self._enter(None)

    async def _enter(self, grant: str | None) -> None:
        sent = time.monotonic()
        welcome, notes = self.coming("welcome"), self.coming("notes_text")
        self.say("join", page=self._page, grant=grant)
        await welcome
        self._came = Span(sent, time.monotonic())
        self.say("media_flowing")
        self.say("read_notes", since=self._revision, text=False)
        await notes

    def gone(self, left: Span) -> None:
        """Write down that this page was in the room until `left`."""
        assert self._came is not None
        self.side.visits.append(Visit(self._came, left))
        self._came = None

    def write_line(self) -> None:
        """Send a line of chat."""
        line = str(uuid4())
        self.side.said.append(line)
        self.delays.begin(line)
        self.say("chat", id=line, body=f"Line {len(self.side.said)} of {self.side.person}")

    async def edit_notes(self) -> None:
        """Put a word at the end of the notes, and wait until it is kept."""
        edit = str(uuid4())
        self.side.wrote.append(edit)
        kept = self.coming("notes_edited", where=lambda event: event["id"] == edit)
        # A change goes through the whole text, and the word is the edit's own id: so it is found again.
        change = [*([len(self._text)] if self._text else []), f"{edit}\n"]
        self.say("edit_notes", id=edit, base=self._revision, change=change)
        await kept

    # --- what is heard ---

    def hear(self, event: JSON) -> None:
        """Take an event."""
        match event["type"]:
            case "session_changed":
                self.side.states.append(event["state"])
                self.charge = event["charge"]
            case "chat_line":
                self._hear_line(event)
            case "welcome":
                self._beat_seconds = event["beat_seconds"]
                known = set(self.side.heard)
                missed = [line["id"] for line in event["chat"] if line["id"] not in known]
                self.side.heard += missed
                self._given.update(missed)
            case "notes_edited":
                self.side.revisions.append((event["revision"], event["id"]))
                self._apply(event)
            case "notes_text":
                for edit in event["missed"]:
                    if edit["revision"] not in {number for number, _ in self.side.revisions}:
                        self.side.revisions.append((edit["revision"], edit["id"]))
                        self._apply(edit)
            case "error" | "notes_refused" | "moved":
                self.record.mishaps.append(f"a page of session {self.session} was told: {event}")
        for waiting in tuple(self._waiting):
            wanted, future = waiting
            if future.done():
                self._waiting.remove(waiting)
            elif wanted(event):
                self._waiting.remove(waiting)
                future.set_result(event)

    def _hear_line(self, event: JSON) -> None:
        if event["id"] in self._given:
            self._given.discard(event["id"])
        else:
            self.side.heard.append(event["id"])
        if event["author"] != self.side.person:
            self.delays.end("chat", event["id"])

    def _apply(self, edit: JSON) -> None:
        """Bring the copy of the notes forward; an edit that came before its turn waits."""
        self._early_edits[edit["revision"]] = edit
        while (following := self._early_edits.pop(self._revision + 1, None)) is not None:
            at = 0
            for step in following["change"]:
                if isinstance(step, str):
                    self._text[at:at] = step
                    at += len(step)
                elif step > 0:
                    at += step
                else:
                    del self._text[at : at - step]
            self._revision += 1


class _Line(WSListener):
    """One socket of a page."""

    def __init__(self, page: RoomPage) -> None:
        self.page = page
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        self.page.lost(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.page.hear(json.loads(frame.get_payload_as_bytes()))
