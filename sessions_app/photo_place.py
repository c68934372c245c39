"""Where a photo was taken is nobody else's business: phones write it into every JPEG, and here it is blanked."""

import struct
from typing import IO

_GPS = 0x8825  # the entry of the first directory that leads to the place's own (Exif 2.32, 4.6.3)
_START_OF_PICTURE, _EXIF = 0xDA, 0xE1
_MOST_PARTS = 1_000  # before the picture itself; a photo has some tens
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # bytes of one value, by its type


def forget_place(content: IO[bytes]) -> None:
    """Blank the place in a JPEG, in `content` itself. All else, which way up it was held among it, and its size stay."""
    content.seek(2)
    for _ in range(_MOST_PARTS):
        head = content.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] == _START_OF_PICTURE:
            return
        at, length = content.tell(), int.from_bytes(head[2:], "big") - 2
        data = bytearray(content.read(max(0, length)))
        if head[1] == _EXIF and data.startswith(b"Exif\0\0"):
            try:
                _blank(memoryview(data)[6:])
            except (struct.error, IndexError):
                # It points outside of itself: nothing that reads it finds a place there.
                return
            content.seek(at)
            content.write(data)
            return  # a photo has one, and no more are looked through


def _blank(tiff: memoryview) -> None:
    order = "<" if bytes(tiff[:2]) == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}L", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    for entry in range(first + 2, first + 2 + 12 * count, 12):
        tag, _, _, place = struct.unpack_from(f"{order}HHLL", tiff, entry)
        if tag == _GPS:
            _blank_directory(tiff, order, place)
            return  # a directory has one; a file made with thousands would keep the server busy


def _blank_directory(tiff: memoryview, order: str, start: int) -> None:
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        _, kind, values, where = struct.unpack_from(f"{order}HHLL", tiff, entry)
        size = _SIZES.get(kind, 1) * values
        if 4 < size <= len(tiff) - where:
            tiff[where : where + size] = bytes(size)
    # A directory of no entries: the picture stays a good one.
    whole = min(2 + 12 * count, len(tiff) - start)
    tiff[start : start + whole] = bytes(whole)
