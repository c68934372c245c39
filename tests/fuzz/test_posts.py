"""Every address is sent what no page of ours would send: nothing breaks, nothing changes, nothing leaks.

FUZZ_SEED=… sends the same again, FUZZ_EXAMPLES=… more of it (for each address, default 12).
"""

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from tests.fuzz.asgi import Answer, Browser
from tests.fuzz.forms import Fields
from tests.fuzz.routes import Route, forms_of_all_pages, paths_of, routes
from tests.fuzz.scene import MARKS, Scene, set_the_scene
from tests.taking_back import taken_back
from tests.writes import watched_writes

SEED = int(os.environ.get("FUZZ_SEED", "20261127"))
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))

# Who belongs neither to the private call nor to those who run the place.
OUTSIDERS = ("visitor", "bob", "carol", "erin")
POSTERS = (*OUTSIDERS, "alice", "eve", "olga")
# What a visit leaves, whatever comes of it.
BOOKKEEPING = {"django_session", "usersessions_usersession", "accounts_user"}
# Ours to send people to: the processor's own pages, which go on from where they stand.
OK, WRONG, BROKEN = 200, 400, 500

_words = st.one_of(
    st.sampled_from(
        ["", " ", "0", "-1", "1e309", "NaN", "9" * 400, "true", "null", "[]", "{}", "\0", "\u202e", "𝒳" * 50, "+431", "a@b",
         "'; DROP TABLE x; --", "<script>alert(1)</script>", "{{7*7}}", "../../etc/passwd", "%s%n", "2026-02-30", "99:99",
         "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"), "\r\nSet-Cookie: a=b"]
    ),
    st.text(max_size=40),
    st.integers().map(str),
    st.uuids().map(str),
    st.integers(60_000, 80_000).map(lambda length: "a" * length),
)  # fmt: skip
_kinds = st.sampled_from(
    ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16",
     "application/x-www-form-urlencoded; charset=nonsense", "multipart/form-data", "multipart/form-data; boundary=x",
     "multipart/form-data; boundary=" + "y" * 300, "application/json", "text/plain", "application/xml", ""]
)  # fmt: skip


@st.composite
def _bodies(draw: st.DrawFn, fields: Fields, ids: list[str]) -> tuple[str, bytes]:
    """A Content-Type and a body: a page's own form with some of it changed, left out or added, or no form at all."""
    sent: list[tuple[str, str]] = []
    for name, offered in fields.items():
        how = draw(st.sampled_from(["as offered", "as offered", "other", "id", "left out", "twice"]))
        if how == "left out":
            continue
        value = draw(st.sampled_from(offered)) if how in ("as offered", "twice") and offered else draw(_words)
        sent.append((name, draw(st.sampled_from(ids)) if how == "id" else value))
        if how == "twice":
            sent.append((name, draw(_words)))
    extra = st.tuples(st.sampled_from(["is_staff", "is_superuser", "id", "user", "state", "amount", "next", "é\0"]), _words)
    sent += draw(st.lists(extra, max_size=2))
    match draw(st.sampled_from(["form", "form", "form", "multipart", "json", "bytes"])):
        case "form":
            return "application/x-www-form-urlencoded", urlencode(sent, errors="surrogatepass").encode()
        case "multipart":
            return "multipart/form-data; boundary=x", _multipart(sent, draw(st.booleans()))
        case "json":
            return "application/json", json.dumps(dict(sent)).encode()
    return draw(_kinds), draw(st.binary(max_size=300))


def _multipart(sent: list[tuple[str, str]], as_files: bool) -> bytes:
    parts = b""
    for name, value in sent:
        header = name.replace('"', "").replace("\r", "").replace("\n", "")
        file = '; filename="a.png"\r\nContent-Type: image/png' if as_files else ""
        parts += f'--x\r\nContent-Disposition: form-data; name="{header}"{file}\r\n\r\n{value}\r\n'.encode(errors="replace")
    return parts + b"--x--\r\n"


class World:
    """The scene, somebody's browser for each of POSTERS, and every form there is."""

    def __init__(self) -> None:
        self.scene: Scene = set_the_scene()
        self.browsers = {name: Browser(self.scene.people.get(name)) for name in POSTERS}
        self.forms = forms_of_all_pages(self.scene)
        self.ids = [str(one) for values in self.scene.ids.values() for one in values]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once: every request is taken back."""
    with django_db_blocker.unblock(), taken_back():
        yield World()


@pytest.mark.parametrize("route", routes(), ids=str)
def test_whatever_is_sent_nothing_breaks_changes_or_leaks(
    route: Route, world: World, record_property: Any, django_db_blocker: DjangoDbBlocker
) -> None:
    paths = paths_of(route, world.scene)
    fields = world.forms.get(route.name, {"next": ["/"], "title": ["Words"]})
    sent = 0

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(poster=st.sampled_from(POSTERS), path=st.sampled_from(paths), body=_bodies(fields, world.ids))
    def send(poster: str, path: str, body: tuple[str, bytes]) -> None:
        nonlocal sent
        sent += 1
        _send(world, poster, path, *body)

    with django_db_blocker.unblock():
        send()
    record_property("fuzz requests", sent)
    record_property("fuzz seed", SEED)


def _send(world: World, poster: str, path: str, kind: str, body: bytes) -> None:
    written: set[str] = set()
    outsider = poster in OUTSIDERS
    with taken_back():
        before = world.scene.rows_of_others(poster) if outsider else {}
        with watched_writes(before=lambda what, table: None, after=lambda what, table: written.add(table)):
            answer = world.browsers[poster].send("POST", path, kind=kind, body=body)
        what = f"{poster}: POST {path} as {kind!r} with {body[:300]!r}: {answer.status}"
        assert answer.status < BROKEN, what
        if answer.status >= WRONG:
            assert written <= BOOKKEEPING, f"{what}, and it wrote {written}"
        if outsider:
            assert world.scene.rows_of_others(poster) == before or not written, f"{what}, and it changed what is not theirs"
            leaked = [mark for mark in MARKS if mark in _said(answer) and mark.encode() not in body]
            assert not leaked, f"{what}, and it shows {leaked}"


def _said(answer: Answer) -> str:
    return answer.body.decode(errors="replace") + "".join(answer.headers.values())


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/ask/", "/nothing-here/", "/billing/webhooks/stripe/"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded; charset=utf-16", b"a=b"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", _multipart([("a", "1"), ("b", "2")], as_files=True)),
    ],
)
def test_a_form_that_cannot_be_read_is_answered_by_a_page(path: str, kind: str, body: bytes) -> None:
    answer = Browser(None).send("POST", path, kind=kind, body=body)
    assert answer.status in (400, 404)
    assert b"To the front page" in answer.body
