"""What people write, as HTML and as a text to keep: shown as meant, and never more than text."""

from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Topic, User
from sessions_app import cancel, chat
from sessions_app.chat_words import as_html, size_text
from sessions_app.end import end
from tests.people import make_accepted, make_active
from tests.sessions_app.files_world import PNG, client_of, send

LINK = '<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>'


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("plain", "<p>plain</p>"),
        ("see\n```python\nx = 1\n  y\n```\nok?", '<p>see</p><pre tabindex="0"><code>x = 1\n  y</code></pre><p>ok?</p>'),
        ("```x = 1```", '<pre tabindex="0"><code>x = 1</code></pre>'),
        ("an open ``` fence", '<p>an open</p><pre tabindex="0"><code> fence</code></pre>'),
        ("``````", ""),
        ("try `a < b` here", "<p>try <code>a &lt; b</code> here</p>"),
        ("see https://a.example/x?y=1&z=2.", "<p>see " + LINK.format("https://a.example/x?y=1&amp;z=2") + ".</p>"),
        ("https://a.example/wiki/A_(b).", "<p>" + LINK.format("https://a.example/wiki/A_(b)") + ".</p>"),
        ("https://a.example/(b", "<p>" + LINK.format("https://a.example/") + "(b</p>"),
        ("(http://a.example/)", "<p>(" + LINK.format("http://a.example/") + ")</p>"),
    ],
)
def test_code_is_a_block_and_addresses_are_links(body: str, html: str) -> None:
    assert as_html(body) == html


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "```<script>alert(1)</script>```",
        "`<script>alert(1)</script>`",
        'https://a.example/"onmouseover="alert(1)',
        "https://a.example/<script>alert(1)</script>",
        "https://a.example/'><script>alert(1)</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_markup_stays_text(body: str) -> None:
    ours: dict[str, set[str]] = {"p": set(), "pre": {"tabindex"}, "code": set(), "a": {"href", "target", "rel"}}
    for tag, attributes in elements_of(as_html(body)):
        assert attributes == ours[tag]


def elements_of(html: str) -> list[tuple[str, set[str]]]:
    """Return the elements a browser finds in `html`, each with the names of its attributes."""
    found: list[tuple[str, set[str]]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, {name for name, _ in attrs}))

    Parser().feed(html)
    return found


@pytest.mark.parametrize("body", ["javascript:alert(1)", "data:text/html,x", "ftp://a.example/", "a.example", "HTTP//a"])
def test_only_addresses_of_the_web_are_links(body: str) -> None:
    assert as_html(body) == f"<p>{body}</p>"


@pytest.mark.parametrize(
    ("size", "text"),
    [(1, "1 byte"), (1023, "1023 bytes"), (1024, "1 KB"), (1025, "2 KB"), (1048576, "1.0 MB"), (10485760, "10.0 MB")],
)
def test_sizes_are_read_by_people(size: int, text: str) -> None:
    assert size_text(size) == text


# --- kept ---


@pytest.mark.django_db
def test_the_receipt_shows_lines_code_links_and_files_to_both(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    chat.say(session=session, author=alice, message_id=uuid4(), body="See https://a.example/ and ```x < 1```")
    send(client_of(alice), session, PNG, name="before.png")
    send(client_of(eve), session, b"a,b\n", name="fixed.csv")
    end(session=session, by=eve)
    for person in (alice, eve):
        page = client_of(person).get(session.get_absolute_url()).text
        assert LINK.format("https://a.example/") in page
        assert "<code>x &lt; 1</code>" in page
        assert 'alt="before.png" width="240" height="160"' in page
        assert "fixed.csv" in page
        assert "4 bytes" in page
        assert f"/sessions/{session.pk}/chat.txt" in page


@pytest.mark.django_db
def test_the_chat_can_be_kept_as_a_text(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    chat.say(session=session, author=alice, message_id=uuid4(), body="One\n2026-01-01 00:00:00 Eve (expert)\u2028I owe you")
    answer = send(client_of(eve), session, b"a,b\n", name="fixed.csv")
    text = client_of(eve).get(f"/sessions/{session.pk}/chat.txt")
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert text["Content-Disposition"].startswith("attachment; ")
    one, two = chat.lines_of(session)
    assert text.text.splitlines() == [
        "Query is slow",
        "Engineering / Databases: Alice with Eve",
        f"http://127.0.0.1:8000{session.get_absolute_url()} (times in UTC)",
        "",
        f"{one.sent_at:%Y-%m-%d %H:%M:%S} Alice (customer)",
        "    One",
        "    2026-01-01 00:00:00 Eve (expert)",
        "    I owe you",
        "",
        f"{two.sent_at:%Y-%m-%d %H:%M:%S} Eve (expert)",
        "    File: fixed.csv (4 bytes)",
        f"    http://127.0.0.1:8000{answer.json()['file']['address']}",
    ]


@pytest.mark.django_db
def test_a_chat_in_which_nobody_wrote_says_so(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    client.force_login(alice)
    assert client.get(f"/sessions/{session.pk}/chat.txt").text.endswith("Nothing was written.\n")


@pytest.mark.django_db
def test_what_was_written_before_a_request_was_called_off_stays_too(alice: User, eve: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    chat.say(session=session, author=eve, message_id=uuid4(), body="I am on my way")
    cancel.cancel(session_id=session.pk, customer=alice)
    for person in (alice, eve):
        assert "I am on my way" in client_of(person).get(session.get_absolute_url()).text


def test_a_nul_in_a_line_is_left_out(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=60)
    chat.say(session=session, author=alice, message_id=uuid4(), body="one\0two")
    assert [line.body for line in chat.lines_of(session)] == ["onetwo"]
