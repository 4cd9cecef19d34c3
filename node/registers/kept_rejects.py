"""The list of rejected rows that the last import of a source left in the home, read again for a person.

Each row says where it is in its file and why it was left out, and no cell (docs/import.md); the file's folder
and the message, which nobody needs elsewhere, stay here.
"""

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from node.errors import NotFoundError
from node.registers.source_import import file_digest
from node.registers.source_store import SourceFolder

MOST_SHOWN: Final = 100_000
_FIELDS: Final = 5
_MOST_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """Where a rejected row is, and why it was left out."""

    file: str
    line: int
    column: str
    reason: str


def has_rejects(sources: SourceFolder, item: str, number: int) -> bool:
    """Whether the list in the home is that of this import."""
    last = sources.last(item)
    is_of = last is not None and last.import_number == number and last.rejects != ""
    return is_of and sources.rejects_path(item).is_file()


def read_rejects(sources: SourceFolder, item: str, number: int) -> Iterator[RejectedRow]:
    """The rejected rows of an import, at most MOST_SHOWN. Raises NotFoundError where they are not kept."""
    last = sources.last(item)
    if last is None or last.import_number != number or not last.rejects:
        raise _gone()
    with _opened(sources.rejects_path(item)) as file:
        if file_digest(file) != last.rejects:
            raise _gone()
        file.seek(0)
        with io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
            rows = islice(csv.reader(text), 1, MOST_SHOWN + 1)
            yield from (_row(row) for row in rows if len(row) == _FIELDS)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise _gone() from None
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _row(cells: list[str]) -> RejectedRow:
    file, line, column, reason, _ = (cell[:_MOST_TEXT] for cell in cells)
    number = int(line) if line.isascii() and line.isdigit() else 0
    return RejectedRow(Path(cells[0]).name or file, number, column, reason)


def _gone() -> NotFoundError:
    return NotFoundError("the node keeps no list of rejected rows of that import", "see docs/import.md")
