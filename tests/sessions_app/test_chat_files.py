"""Files in chats: what is taken, who gets it and how, and that one sent twice is there once."""

import logging
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Topic, User
from billing.evidence import evidence_for
from billing.models import Payment
from hopps.errors import Refused
from sessions_app import chat, files
from sessions_app.end import end
from sessions_app.models import ChatFile, ChatMessage, HelpSession
from sessions_app.orphans import sweep_uploads
from tests.people import make_active
from tests.sessions_app.files_world import (
    BASIC,
    BROKEN_ZIP,
    EMBEDDED,
    EXCEL,
    GIF,
    HTML,
    JPEG,
    LINUX_PROGRAM,
    LONG_LIST,
    MACROS,
    PDF,
    PNG,
    SLIDES,
    SVG,
    TWO_LENGTHS,
    UNPACKS_TO_NOTHING,
    WEBP,
    WINDOWS_PROGRAM,
    WORD,
    ZIP,
    client_of,
    files_in,
    send,
)

pytestmark = pytest.mark.django_db

LIMIT = 10 * 1024 * 1024


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, settings: Settings) -> Path:
    """Where this test's files are stored."""
    folder = tmp_path / "uploads"
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = settings.STORAGES | {"uploads": backend}
    return folder


@pytest.fixture
def session(alice: User, eve: User, topic: Topic) -> HelpSession:
    """Alice and Eve are talking."""
    return make_active(alice, eve, topic, seconds=60)


# --- taken ---


def test_a_file_is_a_line_of_the_chat_for_both(session: HelpSession, alice: User, eve: User, uploads: Path) -> None:
    answer = send(client_of(alice), session, PNG, name="screen.png")
    assert answer.status_code == 200
    (line,) = chat.lines_of(session)
    assert line.author == alice.pk
    assert line.file is not None
    assert (line.file.name, line.file.size, line.file.is_image) == ("screen.png", len(PNG), True)
    assert answer.json()["file"]["address"] == line.file.address
    assert [path.read_bytes() for path in files_in(uploads)] == [PNG]
    for person in (alice, eve):
        assert client_of(person).get(line.file.address).content == PNG


def test_ten_megabytes_are_taken_and_one_byte_more_is_not(session: HelpSession, alice: User, uploads: Path) -> None:
    most = send(client_of(alice), session, b"x" * LIMIT, name="log.txt")
    assert most.status_code == 200
    more = send(client_of(alice), session, b"x" * (LIMIT + 1), name="log.txt")
    assert more.status_code == 413
    assert "larger than 10 MB" in more.json()["error"]
    assert [path.stat().st_size for path in files_in(uploads)] == [LIMIT]


def test_an_empty_file_is_refused_in_a_sentence(session: HelpSession, alice: User) -> None:
    answer = send(client_of(alice), session, b"")
    assert (answer.status_code, answer.json()["error"]) == (422, files.EMPTY)


@pytest.mark.parametrize(
    ("content", "name", "kept_as", "content_type"),
    [
        (PNG, "a.png", "a.png", "image/png"),
        (JPEG, "a.JPG", "a.JPG", "image/jpeg"),
        (GIF, "a.gif", "a.gif", "image/gif"),
        (WEBP, "a.webp", "a.webp", "image/webp"),
        (PDF, "a.pdf", "a.pdf", "application/pdf"),
        (WORD, "a.docx", "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (EXCEL, "a.xlsm", "a.xlsm.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (SLIDES, "a.odp", "a.odp", "application/vnd.oasis.opendocument.presentation"),
        (b"id,name\n1,Ada\n", "a.csv", "a.csv", "text/plain"),
        ('{"naïve": "ü"}'.encode(), "a.json", "a.json", "text/plain"),
        ("caf\xe9".encode("latin-1"), "old.txt", "old.txt", "text/plain"),
        ("Fehler: ä\r\n".encode("utf-16"), "powershell.log", "powershell.log", "text/plain"),
        (b"\x1b[31mred\x1b[0m\n", "ci.log", "ci.log", "text/plain"),
        (HTML, "page.html", "page.html", "text/plain"),
        (SVG, "logo.svg", "logo.svg", "text/plain"),
        # What it is decides, and its name follows.
        (PNG, "a.exe", "a.exe.png", "image/png"),
        (JPEG, "invoice.pdf", "invoice.pdf.jpg", "image/jpeg"),
        (b"del /q *\r\n", "Fix.BAT", "Fix.BAT.txt", "text/plain"),
    ],
)
def test_what_a_file_is_is_told_by_looking_into_it(
    session: HelpSession, alice: User, content: bytes, name: str, kept_as: str, content_type: str
) -> None:
    assert send(client_of(alice), session, content, name=name).status_code == 200
    file = ChatFile.objects.get()
    assert (file.name, file.content_type) == (kept_as, content_type)


@pytest.mark.parametrize(
    "content",
    [
        WINDOWS_PROGRAM,
        LINUX_PROGRAM,
        ZIP,
        BROKEN_ZIP,
        ZIP[:-4],
        MACROS,
        EMBEDDED,
        BASIC,
        LONG_LIST,
        TWO_LENGTHS,
        UNPACKS_TO_NOTHING,
        b"text and then \0",
        b"\xff\xfe\0\xd8",
        b"RIFF\x1a\0\0\0AVI LIST",
    ],
    ids=[
        "windows",
        "linux",
        "zip",
        "broken zip",
        "cut zip",
        "macros",
        "embedded",
        "basic",
        "long list",
        "two lengths",
        "unpacks to nothing",
        "nul",
        "half a letter",
        "film",
    ],
)
def test_programs_archives_and_the_unknown_are_refused_whatever_they_are_called(
    session: HelpSession, alice: User, uploads: Path, content: bytes
) -> None:
    answer = send(client_of(alice), session, content, name="holiday.png")
    assert (answer.status_code, answer.json()["error"]) == (415, files.NOT_SENDABLE)
    assert files_in(uploads) == []
    assert not ChatMessage.objects.exists()


@pytest.mark.parametrize(
    ("name", "kept_as"),
    [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C%3A%5CUsers%5Cada%5Cnotes.txt", "notes.txt"),
        ("..", "file"),
        ("", "file"),
        ("%00%0A%0D", "file"),
        ("a%0D%0ASet-Cookie%3A%20x%3D1.txt", "a Set-Cookie: x=1.txt"),
        ("report%E2%80%AEfdp.txt", "reportfdp.txt"),
        ("%FF%FE.txt", "\ufffd\ufffd.txt"),
        (quote("A\u030a.txt"), "\u00c5.txt"),
        ("%22quoted%22.txt", '"quoted".txt'),
        ("x" * 300 + ".log", "x" * 196 + ".log"),
        ("x." + "y" * 300, "x." + "y" * 198),
    ],
)
def test_names_lose_what_is_no_part_of_a_name(
    session: HelpSession, alice: User, uploads: Path, name: str, kept_as: str
) -> None:
    assert send(client_of(alice), session, b"words", name=name).status_code == 200
    file = ChatFile.objects.get()
    assert file.name == kept_as
    # Where it is stored has nothing to do with it.
    (stored,) = files_in(uploads)
    assert stored.relative_to(uploads).as_posix() == file.stored_as
    given = client_of(alice).get(file.get_absolute_url())
    assert "\n" not in given["Content-Disposition"]
    assert given.content == b"words"


def test_the_same_id_twice_is_one_file(session: HelpSession, alice: User, uploads: Path) -> None:
    once, file_id = client_of(alice), uuid4()
    answers = [send(once, session, PNG, file_id=file_id), send(once, session, GIF, file_id=file_id)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert [path.read_bytes() for path in files_in(uploads)] == [PNG]


def test_a_file_whose_line_was_written_before_a_crash_is_finished_by_the_next_try(session: HelpSession, alice: User) -> None:
    half = ChatMessage.objects.create(id=uuid4(), session=session, author=alice, body="")
    assert chat.lines_of(session) == []
    assert send(client_of(alice), session, PNG, file_id=half.pk).status_code == 200
    (line,) = chat.lines_of(session)
    assert line.id == half.pk
    assert line.file is not None


def test_an_id_of_somebody_elses_is_refused_and_leaves_nothing(
    session: HelpSession, alice: User, eve: User, uploads: Path
) -> None:
    file_id, line_id = uuid4(), uuid4()
    send(client_of(eve), session, PNG, file_id=file_id)
    chat.say(session=session, author=alice, message_id=line_id, body="words")
    for taken in (file_id, line_id):
        assert send(client_of(alice), session, GIF, file_id=taken).status_code == 409
    assert [path.read_bytes() for path in files_in(uploads)] == [PNG]


def test_a_chat_takes_fifty_files_and_no_more(session: HelpSession, alice: User, uploads: Path) -> None:
    person = client_of(alice)
    statuses = [send(person, session, b"words", name="a.txt").status_code for _ in range(files.FILES_ALLOWED + 1)]
    assert statuses == [200] * 50 + [409]
    assert len(files_in(uploads)) == 50


def test_a_number_taken_at_the_same_moment_is_not_had_twice(
    session: HelpSession, alice: User, eve: User, monkeypatch: pytest.MonkeyPatch, uploads: Path
) -> None:
    """Eve's file gets in between the moment Alice's is counted and the moment it is written."""
    store = files._store

    def slow(content: BytesIO) -> str:
        stored = store(content)
        monkeypatch.setattr(files, "_store", store)
        assert send(client_of(eve), session, PNG).status_code == 200
        return stored

    monkeypatch.setattr(files, "_store", slow)
    monkeypatch.setattr(files, "FILES_ALLOWED", 1)
    answer = send(client_of(alice), session, GIF)
    assert (answer.status_code, answer.json()["error"]) == (409, files.TOO_MANY)
    assert [path.read_bytes() for path in files_in(uploads)] == [PNG]


def test_a_chat_takes_200_megabytes_and_no_more(session: HelpSession, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BYTES_ALLOWED", 10)
    assert send(client_of(alice), session, b"0123456789", name="a.txt").status_code == 200
    answer = send(client_of(alice), session, b"!", name="b.txt")
    assert (answer.status_code, answer.json()["error"]) == (409, files.TOO_MUCH)


@pytest.mark.parametrize("meanwhile", ["ended", "given back and accepted by another"])
def test_a_file_whose_session_is_over_or_anothers_before_it_is_stored_is_not_in_the_chat(
    session: HelpSession, eve: User, erin: User, monkeypatch: pytest.MonkeyPatch, uploads: Path, meanwhile: str
) -> None:
    """A storage takes up to a minute where the network is slow."""
    store = files._store

    def slow(content: BytesIO) -> str:
        if meanwhile == "ended":
            end(session=session, by=eve)
        else:
            HelpSession.objects.filter(pk=session.pk).update(expert=erin)
        return store(content)

    monkeypatch.setattr(files, "_store", slow)
    answer = send(client_of(eve), session, PNG)
    assert answer.status_code == 409
    assert answer.json()["error"]
    assert not ChatMessage.objects.exists()
    assert files_in(uploads) == []


def test_after_the_end_files_are_read_and_no_longer_sent(session: HelpSession, alice: User, eve: User) -> None:
    person, file_id = client_of(alice), uuid4()
    sent = send(person, session, PNG, file_id=file_id).json()
    end(session=session, by=eve)
    answer = send(person, session, PNG)
    assert answer.status_code == 409
    assert "over" in answer.json()["error"]
    assert person.get(sent["file"]["address"]).content == PNG
    # The page did not hear that it arrived, and tries again: it did.
    assert send(person, session, PNG, file_id=file_id).status_code == 200


@pytest.mark.parametrize(
    ("headers", "kind", "status"),
    [
        ({"X-File-Name": "a.txt"}, "application/octet-stream", 400),
        ({"X-File-Id": "no id", "X-File-Name": "a.txt"}, "application/octet-stream", 400),
        ({"X-File-Id": str(uuid4())}, "text/html", 415),
        ({"X-File-Id": str(uuid4())}, "multipart/form-data; boundary=x", 415),
    ],
)
def test_a_request_that_is_none_of_ours_is_told_what_is_wrong(
    session: HelpSession, alice: User, headers: dict[str, str], kind: str, status: int
) -> None:
    answer = client_of(alice).post(f"/sessions/{session.pk}/files/", b"--x--", content_type=kind, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_storage_that_fails_is_told_and_the_file_may_be_sent_again(
    session: HelpSession, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError("No space left on device")

    person, file_id = client_of(alice), uuid4()
    with monkeypatch.context() as broken:
        broken.setattr(FileSystemStorage, "_save", full)
        answer = send(person, session, PNG, file_id=file_id)
    assert (answer.status_code, answer.json()["error"]) == (503, files.NOT_KEPT)
    assert send(person, session, PNG, file_id=file_id).status_code == 200


# --- given ---


def test_nobody_else_gets_a_file(session: HelpSession, alice: User, bob: User, erin: User, olga: User, topic: Topic) -> None:
    address = send(client_of(alice), session).json()["file"]["address"]
    for other in (bob, erin, olga):
        assert client_of(other).get(address).status_code == 404
        assert send(client_of(other), session).status_code == 404
    # Not by way of a session of one's own either.
    own = make_active(bob, erin, topic, seconds=5)
    assert client_of(bob).get(address.replace(str(session.pk), str(own.pk))).status_code == 404


@pytest.mark.parametrize(
    ("content", "name", "way"),
    [
        (PNG, "a.png", "inline"),
        (HTML, "a.html", "attachment"),
        (SVG, "a.svg", "attachment"),
        (PDF, "a.pdf", "attachment"),
    ],
    ids=["png", "html", "svg", "pdf"],
)
def test_a_picture_is_shown_and_anything_else_is_only_kept(
    session: HelpSession, alice: User, content: bytes, name: str, way: str
) -> None:
    person = client_of(alice)
    given = person.get(send(person, session, content, name=name).json()["file"]["address"])
    assert given["Content-Disposition"] == f'{way}; filename="{name}"'
    assert given["Content-Type"] in ("image/png", "text/plain", "application/pdf")
    assert given["X-Content-Type-Options"] == "nosniff"
    assert given["Content-Security-Policy"].startswith("sandbox;")
    assert given["Cross-Origin-Resource-Policy"] == "same-origin"
    assert given["Cache-Control"].startswith("private")
    assert given.content == content


def test_a_file_that_is_gone_is_not_found_and_the_log_says_so(
    session: HelpSession, alice: User, uploads: Path, caplog: pytest.LogCaptureFixture
) -> None:
    person = client_of(alice)
    address = send(person, session).json()["file"]["address"]
    (stored,) = files_in(uploads)
    stored.unlink()
    assert person.get(address).status_code == 404
    assert "no longer in the storage" in caplog.text


def test_operators_open_it_in_the_admin_and_that_is_written_down(session: HelpSession, alice: User, olga: User) -> None:
    file_id = send(client_of(alice), session, PNG, name="proof.png").json()["id"]
    operator, address = client_of(olga), f"/admin/sessions_app/helpsession/{session.pk}/files/{file_id}/"
    assert address in operator.get(f"/admin/sessions_app/helpsession/{session.pk}/change/").text
    assert operator.get(address).content == PNG
    assert LogEntry.objects.get().get_change_message() == f"Opened the file {file_id} of the chat, image/png."
    assert client_of(alice).get(address).status_code == 302
    evidence = evidence_for(Payment.objects.get(reference=session.pk))
    assert f"Sent a file: proof.png ({len(PNG)} bytes)" in [line.what for line in evidence]


# --- left behind ---


def test_the_sweep_deletes_what_no_chat_knows_and_nothing_else(session: HelpSession, alice: User, uploads: Path) -> None:
    send(client_of(alice), session, PNG)
    now = timezone.now()
    storages["uploads"].save(f"{now:%Y-%m-%d}/orphan", ContentFile(b"left"))
    sweep_uploads(now=now)
    assert len(files_in(uploads)) == 2, "young: its row may be on its way"
    sweep_uploads(now=now + timedelta(hours=2))
    assert [path.read_bytes() for path in files_in(uploads)] == [PNG]


def test_the_sweep_says_which_files_are_gone(
    session: HelpSession, alice: User, uploads: Path, caplog: pytest.LogCaptureFixture
) -> None:
    send(client_of(alice), session, PNG)
    (stored,) = files_in(uploads)
    stored.unlink()
    with caplog.at_level(logging.ERROR):
        sweep_uploads(now=timezone.now())
    assert f"{ChatFile.objects.get().stored_as} is in a chat and no longer in the storage" in caplog.text


def test_a_file_of_an_id_that_two_sent_at_once_is_kept_once(
    session: HelpSession, alice: User, monkeypatch: pytest.MonkeyPatch, uploads: Path
) -> None:
    file_id, store = uuid4(), files._store

    def slow(content: BytesIO) -> str:
        stored = store(content)
        monkeypatch.setattr(files, "_store", store)
        assert send(client_of(alice), session, GIF, file_id=file_id).status_code == 200
        return stored

    monkeypatch.setattr(files, "_store", slow)
    assert send(client_of(alice), session, PNG, file_id=file_id).status_code == 200
    assert [path.read_bytes() for path in files_in(uploads)] == [GIF]


def test_words_cannot_be_said_under_a_files_id(session: HelpSession, alice: User, eve: User) -> None:
    file_id = uuid4()
    send(client_of(alice), session, file_id=file_id)
    with pytest.raises(Refused):
        chat.say(session=session, author=eve, message_id=file_id, body="mine")
