"""A photo from a phone does not tell where it was taken."""

import struct
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pytest_django import Settings

from accounts.models import Topic, User
from sessions_app.photo_place import forget_place
from tests.people import make_active
from tests.sessions_app.files_world import client_of, files_in, send

ORIENTATION, MAKER, PLACE = 0x0112, 0x010F, 0x8825
LATITUDE = (48.0, 12.0, 30.5)


def photo(*, big_endian: bool = True) -> bytes:
    """Return a photo as a phone takes it: held sideways, its maker and its place written into it."""
    exif = Image.Exif()
    exif.endian = ">" if big_endian else "<"
    exif[ORIENTATION] = 6
    exif[MAKER] = "Phone"
    exif[PLACE] = {1: "N", 2: LATITUDE, 3: "E", 4: (16.0, 22.0, 0.25), 29: "2026:11:27"}
    content = BytesIO()
    Image.new("RGB", (32, 16), (10, 102, 87)).save(content, "JPEG", exif=exif)
    return content.getvalue()


def cleaned(content: bytes) -> bytes:
    file = BytesIO(content)
    forget_place(file)
    return file.getvalue()


@pytest.mark.parametrize("big_endian", [True, False])
def test_the_place_is_gone_and_all_else_stays(big_endian: bool) -> None:
    before = photo(big_endian=big_endian)
    assert Image.open(BytesIO(before)).getexif().get_ifd(PLACE)[2] == LATITUDE
    after = cleaned(before)
    read = Image.open(BytesIO(after))
    assert dict(read.getexif().get_ifd(PLACE)) == {}
    assert (read.getexif()[ORIENTATION], read.getexif()[MAKER]) == (6, "Phone")
    assert read.tobytes() == Image.open(BytesIO(before)).tobytes()
    assert len(after) == len(before)
    # Not only out of reach: the bytes themselves.
    assert b"2026:11:27" in before
    assert b"2026:11:27" not in after


def test_a_photo_without_a_place_is_left_alone() -> None:
    content = BytesIO()
    Image.new("RGB", (8, 8)).save(content, "JPEG")
    assert cleaned(content.getvalue()) == content.getvalue()


@given(st.data())
def test_whatever_is_written_into_it_it_ends_and_keeps_its_size(data: st.DataObject) -> None:
    whole = bytearray(photo())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(2, 250))] = data.draw(st.integers(0, 255))
    broken = bytes(whole[: data.draw(st.integers(2, len(whole)))])
    assert len(cleaned(broken)) == len(broken)


class Counted(BytesIO):
    """A file that counts how often it is read from."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)


def test_one_made_of_empty_parts_alone_is_not_gone_through_to_its_end() -> None:
    content = Counted(b"\xff\xd8" + b"\xff\xe0\0\2" * 2_000_000)
    forget_place(content)
    assert content.reads < 5_000


def test_one_directory_of_a_place_is_blanked_and_not_thousands() -> None:
    """Each would be gone through as far as the others reach: one such file kept a processor busy for seconds."""
    places = [100, 200]
    tiff = bytearray(b"II*\0" + struct.pack("<LH", 8, len(places)) + bytes(300))
    for number, place in enumerate(places):
        struct.pack_into("<HHLL", tiff, 10 + 12 * number, PLACE, 4, 1, place)
        struct.pack_into("<HHHL4s", tiff, place, 1, 1, 2, 2, b"N")
    exif = b"Exif\0\0" + tiff
    after = cleaned(b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + b"\xff\xda")[12:]
    assert after[100:114] == bytes(14)
    assert after[200:214] == tiff[200:214] != bytes(14)


@pytest.mark.django_db
def test_a_photo_in_the_chat_has_no_place(alice: User, eve: User, topic: Topic, tmp_path: Path, settings: Settings) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"uploads": backend}
    session = make_active(alice, eve, topic, seconds=60)
    assert send(client_of(alice), session, photo(), name="desk.jpg").status_code == 200
    (stored,) = files_in(tmp_path)
    assert dict(Image.open(BytesIO(stored.read_bytes())).getexif().get_ifd(PLACE)) == {}
