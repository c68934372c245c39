"""Sealed bytes: opened with their key alone, and only if not one is changed or missing."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopps.backups.errors import BackupError
from hopps.backups.sealing import new_key, opening, problem_with, sealing

KEY = new_key()
# Longer than age's own chunks of 64 kB, and not to be compressed.
LONG = bytes(byte for number in range(90_000) for byte in (number * 2_654_435_761 % 2**32).to_bytes(4, "big"))


def sealed(plain: bytes, key: str = KEY) -> bytes:
    out = io.BytesIO()
    with sealing(out, key) as inner:
        inner.write(plain)
    return out.getvalue()


def opened(data: bytes, key: str = KEY) -> bytes:
    with opening(io.BytesIO(data), key, "It") as inner:
        return inner.read()


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=5000))
def test_what_is_sealed_opens(plain: bytes) -> None:
    assert opened(sealed(plain)) == plain


def test_it_is_small_and_unreadable() -> None:
    plain = b"alice@example.org " * 10_000
    data = sealed(plain)
    assert len(data) < len(plain) / 100
    assert b"alice" not in data
    assert opened(data) == plain


@pytest.mark.parametrize("cut", [1, 16, 17, 30_000, 65_536, 65_552, 200_000])
def test_cut_short_anywhere_it_does_not_open(cut: int) -> None:
    with pytest.raises(BackupError, match="It is damaged, or was cut short"):
        opened(sealed(LONG)[:-cut])


@pytest.mark.parametrize("place", [300, 70_000, -1])
def test_with_one_bit_changed_it_does_not_open(place: int) -> None:
    data = bytearray(sealed(LONG))
    data[place] ^= 1
    with pytest.raises(BackupError, match="damaged"):
        opened(bytes(data))


def test_with_two_parts_exchanged_it_does_not_open() -> None:
    data = sealed(LONG)
    part, start = 65_552, len(data) % 65_552
    changed = data[:start] + data[start + part : start + 2 * part] + data[start : start + part] + data[start + 2 * part :]
    assert len(changed) == len(data)
    with pytest.raises(BackupError, match="damaged"):
        opened(changed)


def test_with_another_key_it_does_not_open() -> None:
    with pytest.raises(BackupError, match="It was made with another BACKUP_KEY"):
        opened(sealed(LONG), new_key())


@pytest.mark.parametrize("data", [b"", b"hello" * 100, b"age-encryption.org/v1\n"])
def test_something_else_does_not_open(data: bytes) -> None:
    with pytest.raises(BackupError, match=r"It is no backup of Hopps|It is damaged"):
        opened(data)


def test_a_reader_that_stops_early_says_why_itself() -> None:
    with pytest.raises(ZeroDivisionError), opening(io.BytesIO(sealed(LONG)), KEY, "It") as inner:
        inner.read(1 // len(inner.read(0)))


def test_a_writer_that_stops_is_told_why() -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(BackupError, match=r"could not be written.*No space left on device"), sealing(Full(), KEY) as inner:
        inner.write(LONG * 20)


def test_a_line_that_breaks_where_the_bytes_come_from_is_no_success() -> None:
    with pytest.raises(BrokenPipeError), sealing(io.BytesIO(), KEY):
        raise BrokenPipeError


def test_what_is_no_key_is_said() -> None:
    assert problem_with(KEY) is None
    assert problem_with("secret") == "BACKUP_KEY is no key: `manage.py backup --new-key` makes one."
    with pytest.raises(BackupError, match="is no key"):
        sealed(b"", "secret")
