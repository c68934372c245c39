"""Files as people have them, and the two who send them."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZIP_DEFLATED, ZipFile

from django.test import Client

from accounts.models import User
from sessions_app.models import HelpSession


def png(width: int = 8, height: int = 6) -> bytes:
    """Return a picture, all of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + b"\x0a\x66\x57" * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PNG = png()
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9"
GIF = b"GIF89a\x01\0\x01\0\0\0\0;"
WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0/\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0"
PDF = b"%PDF-1.7\n\x00binary\n%%EOF\n"
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
WINDOWS_PROGRAM = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0"
LINUX_PROGRAM = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"
BROKEN_ZIP = b"PK\x03\x04\x14\0\0\0\x08\0"


def archive(*names: str, mimetype: str = "", compress_mimetype: bool = False) -> bytes:
    """Return an archive with parts of these names; `mimetype`: what OpenDocument's first part says."""
    content = BytesIO()
    with ZipFile(content, "w") as made:
        if mimetype:
            made.writestr("mimetype", mimetype, ZIP_DEFLATED if compress_mimetype else None)
        for name in names:
            made.writestr(name, "<xml/>")
    return content.getvalue()


WORD = archive("[Content_Types].xml", "_rels/.rels", "word/document.xml")
EXCEL = archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml")
SLIDES = archive("content.xml", mimetype="application/vnd.oasis.opendocument.presentation")
MACROS = archive("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin")
EMBEDDED = archive("[Content_Types].xml", "word/document.xml", "word/embeddings/oleObject1.bin")
BASIC = archive("Basic/Standard/Module1.xml", mimetype="application/vnd.oasis.opendocument.spreadsheet")
ZIP = archive("setup.exe", "readme.txt")
LONG_LIST = archive("[Content_Types].xml", "word/document.xml", *(f"word/media/{number:06}" for number in range(9_000)))
# Compressed where OpenDocument allows no compression, and what it unpacks to is nothing.
UNPACKS_TO_NOTHING = archive(mimetype="application/vnd.oasis.opendocument.text", compress_mimetype=True)
UNPACKS_TO_NOTHING = UNPACKS_TO_NOTHING[:38] + b"\xff" * 6 + UNPACKS_TO_NOTHING[44:]


def _with_two_lengths(long: bytes) -> bytes:
    """Return the archive `long`, whose list of parts has its true length in the record for large archives alone."""
    end = long[-22:]
    number, size, start = struct.unpack_from("<HLL", end, 10)
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, number, number, size, start)
    where = struct.pack("<4sLQL", b"PK\6\7", 0, len(long) - 22, 1)
    return long[:-22] + large + where + end[:8] + struct.pack("<HHLLH", 1, 1, 100, start, 0)


TWO_LENGTHS = _with_two_lengths(LONG_LIST)


def send(
    client: Client, session: HelpSession, content: bytes = PNG, *, name: str = "shot.png", file_id: UUID | None = None
) -> Any:
    """Send a file as the page does; return the answer."""
    kind = "application/octet-stream"
    headers = {"X-File-Id": str(file_id or uuid4()), "X-File-Name": name, "Accept": "application/json"}
    # Named again: Django's client leaves the kind out where the body is empty; browsers do not.
    return client.post(f"/sessions/{session.pk}/files/", content, content_type=kind, headers=headers, CONTENT_TYPE=kind)


def client_of(person: User) -> Client:
    """Return a browser in which `person` is signed in."""
    client = Client()
    client.force_login(person)
    return client


def files_in(folder: Path) -> list[Path]:
    """Return every file below `folder`."""
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
