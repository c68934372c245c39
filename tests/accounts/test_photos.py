"""A person's photo: what is taken, what becomes of it, and whom it is shown to."""

import io
import logging
import struct
import threading
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from accounts import photos
from accounts.models import Photo, Topic, User
from accounts.templatetags.people import initials
from hopps.backups.uploads import lost
from tests.people import make_accepted
from tests.sessions_app.files_world import client_of, files_in

pytestmark = pytest.mark.django_db

RED, BLUE = (220, 30, 30), (30, 30, 220)


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, settings: Settings) -> Path:
    """Where this test's photos are stored."""
    folder = tmp_path / "uploads"
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = settings.STORAGES | {"uploads": backend}
    return folder


def picture(kind: str = "PNG", *, size: tuple[int, int] = (400, 300), mode: str = "RGB", **saved: object) -> bytes:
    """Return a picture that is red on top and blue below."""
    image = Image.new(mode, size, RED)
    image.paste(BLUE, (0, size[1] // 2, size[0], size[1]))
    made = io.BytesIO()
    image.save(made, kind, **saved)
    return made.getvalue()


def send(client: Client, content: bytes, name: str = "me.png") -> tuple[int, str]:
    """Send a photo as the settings page does; return the status and the page."""
    answer = client.post("/settings/photo/", {"photo": SimpleUploadedFile(name, content)})
    return answer.status_code, answer.content.decode()


def shown(client: Client, owner: User) -> Image.Image:
    """Return the photo of `owner` as `client` is given it."""
    answer = client.get(Photo.objects.get(user=owner).get_absolute_url())
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    return Image.open(io.BytesIO(answer.content))


def is_like(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(found - wanted) < 40 for found, wanted in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_a_small_square(alice: User, kind: str) -> None:
    client = client_of(alice)
    assert send(client, picture(kind))[0] == 302
    photo = shown(client, alice)
    assert (photo.format, photo.size) == ("WEBP", (160, 160))
    assert is_like(photo.getpixel((80, 20)), RED)
    assert is_like(photo.getpixel((80, 140)), BLUE)


def test_a_picture_taken_sideways_stands_upright_and_tells_nothing_of_where_it_was_taken(alice: User, uploads: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # taken upside down
    exif[0x010F] = "Some Camera"
    exif.get_ifd(0x8825)[1] = "N"
    client = client_of(alice)
    send(client, picture("JPEG", exif=exif))
    photo = shown(client, alice)
    assert is_like(photo.getpixel((80, 20)), BLUE)
    assert not photo.getexif()
    (stored,) = files_in(uploads)
    assert b"Some Camera" not in stored.read_bytes()


def test_what_is_see_through_is_white(alice: User) -> None:
    clear = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(clear, "PNG")
    client = client_of(alice)
    send(client, clear.getvalue())
    assert is_like(shown(client, alice).getpixel((80, 80)), (255, 255, 255))


def bomb() -> bytes:
    """Return a PNG of few bytes that says it is 20 000 pixels wide and high."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", photos.EMPTY),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", photos.NOT_A_PICTURE),
        (picture()[:200], photos.NOT_A_PICTURE),
        (picture("GIF"), photos.NOT_A_PICTURE),
        (bomb(), photos.TOO_MANY_PIXELS),
        (picture(size=(8_000, 5_001)), photos.TOO_MANY_PIXELS),
    ],
    ids=["empty", "svg", "cut off", "gif", "bomb", "large"],
)
def test_what_cannot_be_a_photo_is_refused_in_a_sentence(alice: User, uploads: Path, content: bytes, sentence: str) -> None:
    status, page = send(client_of(alice), content)
    assert status == 422
    assert sentence in page
    assert not Photo.objects.exists()
    assert not uploads.exists()


def test_a_form_without_a_picture_is_refused_in_a_sentence(alice: User) -> None:
    answer = client_of(alice).post("/settings/photo/", {})
    assert answer.status_code == 422
    assert photos.EMPTY in answer.content.decode()


def test_more_bytes_than_are_allowed_are_refused(alice: User, settings: Settings) -> None:
    status, page = send(client_of(alice), picture() + bytes(settings.UPLOAD_BYTES))
    assert (status, photos.TOO_LARGE in page) == (422, True)


def test_a_new_photo_takes_the_place_of_the_old_one(alice: User, uploads: Path) -> None:
    client = client_of(alice)
    send(client, picture())
    before = Photo.objects.get(user=alice).get_absolute_url()
    send(client, picture("JPEG"))
    assert len(files_in(uploads)) == 1
    assert client.get(before).status_code == 404
    shown(client, alice)


def test_a_photo_removed_is_gone_for_good(alice: User, uploads: Path) -> None:
    client = client_of(alice)
    send(client, picture())
    address = Photo.objects.get(user=alice).get_absolute_url()
    assert client.post("/settings/photo/remove/").status_code == 302
    assert client.get(address).status_code == 404
    assert files_in(uploads) == []
    assert client.post("/settings/photo/remove/").status_code == 302


def test_a_photo_is_shown_to_the_other_of_a_session_and_to_operators_alone(
    alice: User, bob: User, eve: User, erin: User, olga: User, topic: Topic
) -> None:
    photos.set_photo(user=alice, content=io.BytesIO(picture()))
    address = Photo.objects.get(user=alice).get_absolute_url()
    assert client_of(eve).get(address).status_code == 404
    make_accepted(alice, eve, topic)
    seen = {person.display_name: client_of(person).get(address).status_code for person in (alice, bob, eve, erin, olga)}
    assert seen == {"Alice": 200, "Bob": 404, "Eve": 200, "Erin": 404, "Olga": 200}
    assert Client().get(address).status_code == 302


def test_browsers_keep_a_photo_for_its_reader_and_take_it_for_nothing_else(alice: User) -> None:
    client = client_of(alice)
    send(client, picture())
    answer = client.get(Photo.objects.get(user=alice).get_absolute_url())
    assert answer["Cache-Control"].startswith("private")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_the_session_shows_the_photo_of_whom_one_meets_and_initials_where_there_is_none(
    alice: User, eve: User, topic: Topic
) -> None:
    photos.set_photo(user=eve, content=io.BytesIO(picture()))
    address = make_accepted(alice, eve, topic).get_absolute_url()
    assert Photo.objects.get(user=eve).get_absolute_url() in client_of(alice).get(address).content.decode()
    assert '<span class="avatar" aria-hidden="true">A</span>' in client_of(eve).get(address).content.decode()


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ada King of Lovelace", "AL"), ("ada", "A"), ("(Bo) Li", "L"), ("…", "?"), ("", "?"), ("李 小龙", "李小")],
)
def test_initials_are_the_first_letters_of_first_and_last_name(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_the_night_deletes_what_is_nobodys_photo_and_tells_of_photos_that_are_missing(
    alice: User, bob: User, uploads: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for person in (alice, bob):
        photos.set_photo(user=person, content=io.BytesIO(picture()))
    storages["uploads"].save("photos/nobodys", ContentFile(b"left behind"))
    storages["uploads"].save("2026-01-01/of-a-chat", ContentFile(b"not a photo"))
    gone = Photo.objects.get(user=bob).stored
    storages["uploads"].delete(gone)
    photos.sweep_photos(now=timezone.now())
    assert storages["uploads"].exists("photos/nobodys")  # it may be on its way into a row
    with caplog.at_level(logging.ERROR):
        photos.sweep_photos(now=timezone.now() + timedelta(hours=2))
    assert {path.name for path in files_in(uploads)} == {Photo.objects.get(user=alice).stored[7:], "of-a-chat"}
    assert gone in caplog.text


def test_a_backup_without_somebodys_photo_is_not_taken_for_whole(alice: User) -> None:
    photos.set_photo(user=alice, content=io.BytesIO(picture()))
    assert Photo.objects.get(user=alice).stored in lost("default", {})


@pytest.mark.django_db(transaction=True)
def test_two_photos_set_at_once_leave_one(alice: User, uploads: Path) -> None:
    both = threading.Barrier(2)

    def set_one(kind: str) -> None:
        content = io.BytesIO(picture(kind))
        both.wait()
        photos.set_photo(user=alice, content=content)
        connection.close()

    threads = [threading.Thread(target=set_one, args=(kind,)) for kind in ("PNG", "JPEG")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    photos.sweep_photos(now=timezone.now() + timedelta(hours=2))
    assert [path.name for path in files_in(uploads)] == [Photo.objects.get(user=alice).stored[7:]]


@pytest.mark.parametrize("name", ["   ", "Ali\nce", "Ali\u202ece", "A\u0007", "\u200b"])
def test_a_name_of_nothing_or_with_what_cannot_be_seen_is_refused(alice: User, name: str) -> None:
    answer = client_of(alice).post("/settings/", {"display_name": name, "time_zone": "Europe/Vienna"})
    assert answer.status_code == 422
    alice.refresh_from_db()
    assert alice.display_name == "Alice"


def test_a_name_is_kept_without_spare_white_space_and_in_any_script(alice: User) -> None:
    for written, kept in (("  Alice   B. ", "Alice B."), ("می\u200cخواهم", "می\u200cخواهم")):
        client_of(alice).post("/settings/", {"display_name": written, "time_zone": "Europe/Vienna"})
        alice.refresh_from_db()
        assert (alice.display_name, alice.time_zone) == (kept, "Europe/Vienna")
