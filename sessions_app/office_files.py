"""Documents, tables and slides of office programs: archives, of which only the list of what is in them is read."""

import struct
from typing import IO
from zipfile import ZIP_STORED, BadZipFile, ZipFile

_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
# The part that makes a document what it is (ECMA-376).
MAIN_PARTS = {
    "word/document.xml": f"{_OPEN_XML}.wordprocessingml.document",
    "xl/workbook.xml": f"{_OPEN_XML}.spreadsheetml.sheet",
    "ppt/presentation.xml": f"{_OPEN_XML}.presentationml.presentation",
}
# What the part "mimetype" of the others says (OpenDocument 1.3, part 2).
MIME_TYPES = {f"{_OPEN_DOCUMENT}.{kind}" for kind in ("text", "spreadsheet", "presentation")}
ENDINGS = {
    **dict(zip(MAIN_PARTS.values(), ((".docx",), (".xlsx",), (".pptx",)), strict=True)),
    f"{_OPEN_DOCUMENT}.text": (".odt",),
    f"{_OPEN_DOCUMENT}.spreadsheet": (".ods",),
    f"{_OPEN_DOCUMENT}.presentation": (".odp",),
}
# Parts that run, or hold what runs.
PROGRAMS = ("vbaproject", "vbadata", "activex", "oleobject", "basic/", "scripts/")
# A list of parts that is longer than any document's is not read.
LONGEST_LIST = 512 * 1024
_END = struct.Struct("<4s4H2LH")
_LARGE = struct.Struct("<4sLQL")


def office_kind_of(content: IO[bytes]) -> str | None:
    """Return the content type of an office document without programs in it, or None for any other file."""
    if not _has_short_list(content):
        return None
    try:
        with ZipFile(content) as archive:
            names = set(archive.namelist())
            if any(program in name.lower() for name in names for program in PROGRAMS):
                return None
            if "[Content_Types].xml" in names:
                return next((kind for part, kind in MAIN_PARTS.items() if part in names), None)
            return _said_by("mimetype", archive) if "mimetype" in names else None
    except (BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError, struct.error):
        # Broken, locked with a password, or made to confuse: whatever it is, it is not taken.
        return None


def _has_short_list(content: IO[bytes]) -> bool:
    """Whether the archive's own list of parts is short enough to be read, by the record it ends with (APPNOTE 4.3.16).

    An archive with the record for those above 4 GB (4.3.15) has not: what is read of it is the length which that one says.
    """
    size = content.seek(0, 2)
    content.seek(max(0, size - _END.size - 0xFFFF))
    tail = content.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size or tail[:at][-_LARGE.size :].startswith(b"PK\6\7"):
        return False
    length_of_list: int = _END.unpack_from(tail, at)[5]
    return length_of_list <= LONGEST_LIST


def _said_by(part: str, archive: ZipFile) -> str | None:
    # OpenDocument 1.3, part 2, 3.3: it is not compressed. So nothing of anybody's archive is ever unpacked here.
    if archive.getinfo(part).compress_type != ZIP_STORED:
        return None
    with archive.open(part) as said:
        kind = said.read(100).decode("ascii", "replace").strip()
    return kind if kind in MIME_TYPES else None
