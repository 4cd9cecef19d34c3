"""What a file of a report consists of: its format, the digests of its parts, the record attached to a PDF.

A file is proved by the digest of all its bytes; parts only say where an altered one was altered.
"""

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final

from node.reports.glyphs import import_extra
from node.reports.html import PART

MOST: Final = 2 << 30  # bytes of a file, and of all parts of one unpacked
MOST_AT_ONCE: Final = 64 << 20  # bytes of a PDF or HTML file, which is looked at as a whole; ours have few
_AT_ONCE: Final = 1 << 20
_HTML_PART: Final = re.compile(re.escape(PART.encode()) + b"([a-z0-9-]{1,40}) -->\n")


def format_of(content: bytes) -> str:
    """`pdf`, `xlsx`, `html`, `json`, or `text` for everything else."""
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    marks = {b"%PDF-": "pdf", b"PK\x03\x04": "xlsx", b"<!DOCTYPE html": "html", b"{": "json"}
    return next((kind for mark, kind in marks.items() if start.startswith(mark)), "text")


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def file_digest(file: IO[bytes]) -> str:
    """SHA-256 in hex of a file from its start, read piece by piece."""
    file.seek(0)
    found = hashlib.sha256()
    while piece := file.read(_AT_ONCE):
        found.update(piece)
    return found.hexdigest()


def read_whole(file: IO[bytes]) -> bytes | None:
    """A file's content; None for more than MOST_AT_ONCE bytes."""
    file.seek(0)
    content = file.read(MOST_AT_ONCE + 1)
    return content if len(content) <= MOST_AT_ONCE else None


def part_digests(file: IO[bytes]) -> dict[str, str]:
    """The digests of the parts of an HTML file or a workbook; nothing for other formats or a broken file.

    A workbook is read piece by piece.
    """
    file.seek(0)
    kind = format_of(file.read(64))
    if kind == "html":
        pieces = _HTML_PART.split(read_whole(file) or b"")
        names = ["style", *(name.decode() for name in pieces[1::2])]
        return {name: digest(piece) for name, piece in zip(names, pieces[0::2], strict=True)}
    return dict(_members(file)) if kind == "xlsx" else {}


def _members(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    left = MOST
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                found = hashlib.sha256()
                with archive.open(member) as opened:
                    while piece := opened.read(_AT_ONCE):
                        left -= len(piece)
                        if left < 0:
                            return
                        found.update(piece)
                yield member.filename[:200], found.hexdigest()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        return


def attached_record(content: bytes) -> bytes | None:
    """The report.json attached to a PDF; None where there is not exactly one, or the file is broken.

    Raises ConfigError without the extra `report`.
    """
    library: Any = import_extra("pypdf", "to read a PDF")
    try:
        found = library.PdfReader(io.BytesIO(content), strict=False).attachments["report.json"]
        return bytes(found[0]) if len(found) == 1 else None
    except Exception:  # noqa: BLE001  a broken file makes the library raise anything; all of it means the same
        return None
