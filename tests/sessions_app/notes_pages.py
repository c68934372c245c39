"""The page's own script for the shared notes, run by Node, beside the server's rules: the two must agree."""

import json
import subprocess
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from accounts.models import User
from hopps.errors import Refused
from sessions_app import notes
from sessions_app.models import HelpSession, NotesEdit
from tests.live import ROOT


class Scripts:
    """A Node with the page's modules in it."""

    def __init__(self, folder: Path) -> None:
        # Node takes files for modules where their folder says so.
        (folder / "package.json").write_text('{"type": "module"}')
        for name in ("room", "lib"):
            (folder / name).symlink_to(ROOT / "static" / "js" / name)
        (folder / "page.mjs").write_text((ROOT / "tests" / "sessions_app" / "notes_page.mjs").read_text())
        self._node = subprocess.Popen(
            ["node", "--preserve-symlinks", "--preserve-symlinks-main", "page.mjs"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **command: Any) -> Any:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(json.dumps(command) + "\n")
        self._node.stdin.flush()
        answer = self._node.stdout.readline()
        assert answer, f"The page's script failed at {command}"
        return json.loads(answer)

    def call(self, function: str, *arguments: Any) -> Any:
        return self.ask(call=function, **{"with": arguments})

    def close(self) -> None:
        for pipe in (self._node.stdin, self._node.stdout):
            assert pipe is not None
            pipe.close()
        self._node.wait(timeout=30)


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripts]:
    scripts = Scripts(tmp_path_factory.mktemp("node"))
    yield scripts
    scripts.close()


@dataclass
class Page:
    """A person's page, and the line between it and the server: what travels on it, in order."""

    scripts: Scripts
    name: str
    person: User
    is_customer: bool
    to_server: deque[dict[str, Any]] = field(default_factory=deque)
    to_page: deque[dict[str, Any]] = field(default_factory=deque)
    # Said on a socket that was lost since, and not dealt with yet.
    late: deque[dict[str, Any]] = field(default_factory=deque)
    text: str = ""
    unsaved: dict[str, Any] | None = None
    question: dict[str, Any] = field(default_factory=dict)
    can_write: bool = False
    # Every word the server did not keep.
    refused: str = ""

    def _do(self, what: str, **more: Any) -> None:
        answer = self.scripts.ask(do=what, page=self.name, **more)
        self.text, self.unsaved, self.question = answer["text"], answer["unsaved"], answer["question"]
        self.can_write = answer["isRead"]
        self.refused += answer["refused"]
        self.to_server.extend(answer["sends"])
        if not answer["agreed"]:
            self.ask()

    def open(self) -> None:
        self._do("open", unsaved=self.unsaved, person=str(self.person.pk), isCustomer=self.is_customer)
        self.ask()

    def ask(self) -> None:
        self.to_server.append(self.question)

    def type(self, at: int, cut: int, text: str) -> None:
        self._do("type", at=at, cut=cut, text=text)

    def turn(self, way: str) -> None:
        self._do("turn", way=way)

    def hear(self) -> None:
        event = self.to_page.popleft()
        if event["type"] == "notes_refused":
            if self.unsaved and self.unsaved["sent"] and self.unsaved["sent"]["id"] == event["id"]:
                self._do("refuse")
            return
        self._do("read" if event["type"] == "notes_text" else "hear", event=event)

    def lose_the_line(self, *, arrived: bool) -> None:
        """Cut the line. `arrived`: what the page said is with the server, which answers to nobody."""
        if arrived:
            self.late.extend(self.to_server)
        self.to_server.clear()
        self.to_page.clear()

    def come_back(self) -> None:
        self._do("lost")
        self.ask()


@dataclass
class Room:
    """Two pages and the server's own rules between them."""

    session: HelpSession
    pages: list[Page]

    def serve(self, page: Page, line: deque[dict[str, Any]]) -> None:
        message = line.popleft()
        if message["type"] == "read_notes":
            told = notes.state_of(self.session, since=message["since"], text=message["text"])
            # An answer to a socket that was lost is heard by nobody.
            if line is page.to_server:
                page.to_page.append(msgspec.to_builtins(told))
            return
        edit_id = UUID(message["id"])
        base, steps = message["base"], message["change"]
        try:
            notes.edit(session=self.session, author=page.person, edit_id=edit_id, base=base, steps=steps)
        except Refused:
            if line is page.to_server:
                page.to_page.append({"type": "notes_refused", "id": message["id"]})
            return
        told_all = msgspec.to_builtins(notes.as_event(NotesEdit.objects.select_related("author").get(pk=edit_id)))
        for one in self.pages:
            one.to_page.append(told_all)

    def let_everything_arrive(self) -> None:
        for _ in range(500):
            if not any(page.late or page.to_server or page.to_page for page in self.pages):
                return
            for page in self.pages:
                if page.late:
                    self.serve(page, page.late)
                elif page.to_server:
                    self.serve(page, page.to_server)
                elif page.to_page:
                    page.hear()
        raise AssertionError("The pages and the server never come to rest")
