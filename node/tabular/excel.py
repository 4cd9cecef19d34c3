"""Reads spreadsheets (.xlsx, .xls, .ods), with the extra `excel`: a sheet's headers, rows of plain values.

The file is opened by `node.tabular.sheet_process`, a process of its own with a limit of memory.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Final

from node.errors import ConfigError, InputError
from node.tabular import sheet_process
from node.tabular.csv_writer import disarm
from node.tabular.typed_values import Column, ErrorCell, MergedCell, OtherCell, SheetNumber

SUFFIXES: Final = (".xlsx", ".xls", ".ods")
# Address space of the reading process. A full sheet of 1,048,576 rows and 10 columns fits.
MOST_MEMORY: Final = 2 << 30
_PROGRAM: Final = Path(sheet_process.__file__)
_CSV: Final = "export the sheet as CSV (UTF-8), or divide it, then import again"
_UNMERGE: Final = "unmerge the cells and write the value into each of them, then import again"
_FAULTS: Final[Mapping[str, tuple[str, str]]] = {
    "damaged": ("not a whole spreadsheet, or not of a kind that is known", "save it again as .xlsx"),
    "not_known": ("a spreadsheet of another kind", "save it as .xlsx"),
    "password": ("the spreadsheet is protected by a password", "save it without a password"),
    "too_large": ("the spreadsheet is too large to be read in bounded memory", _CSV),
    "empty": ("the sheet has no row of headers", "name the sheet and its header row"),
    "merged_header": (
        "the row of headers has merged cells, as a title above the headers has",
        "remove the title, or say which row has the headers: header_row",
    ),
    "merged_somewhere": ("the spreadsheet has merged cells", _UNMERGE),
    "error_somewhere": (
        "the spreadsheet has a cell with an error, such as #N/A",
        "correct the cell, or save the file as .xlsx: then only its row is refused",
    ),
    "no_such_sheet": ("there is no sheet of that name", "name one of"),
    "which_sheet": ("there are several sheets", "say which one with --sheet or `sheet`:"),
    "hidden": ("all sheets are hidden", "say which one with --sheet or `sheet`:"),
}
_SHOWN = 20  # names of sheets in a hint


@dataclass(frozen=True, slots=True)
class Sheet:
    """Which sheet of a spreadsheet is read, and the row of its headers, the first being 1.

    Without a name it is the only one that is not hidden, without a row the first that is not empty.
    """

    name: str = ""
    header_row: int = 0


FIRST_SHEET: Final = Sheet()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading a spreadsheet may take: bytes of memory, seconds of processor time, rows."""

    memory: int
    cpu_s: int
    rows: int


# An import of a register, and a list that a person uploads: a few kilobytes can unpack to a million rows.
IMPORT: Final = Bounds(MOST_MEMORY, sheet_process.CPU_S, 1 << 21)
UPLOAD: Final = Bounds(512 << 20, 20, 20_000)
_BOUNDS: Final = ContextVar("bounds of spreadsheets", default=IMPORT)


@contextmanager
def bounded(bounds: Bounds) -> Iterator[None]:
    """Spreadsheets that are opened within the block are read within these bounds."""
    before = _BOUNDS.set(bounds)
    try:
        yield
    finally:
        _BOUNDS.reset(before)


def is_spreadsheet(path: Path) -> bool:
    """Whether a file is read as a spreadsheet: by the end of its name."""
    return path.suffix.lower() in SUFFIXES


@contextmanager
def open_sheet(
    path: Path, sheet: Sheet = FIRST_SHEET, memory: int | None = None
) -> Iterator[tuple[Sequence[Column], Iterator[tuple[int, Sequence[Any]]]]]:
    """The columns and the rows of a sheet, each with its number in the sheet; empty rows are left out.

    Numbers come as SheetNumber, errors as ErrorCell, parts of merged cells as MergedCell. `memory` are bytes
    of the reading process, by default those of `bounded`. Raises ConfigError without python-calamine,
    InputError for a file that cannot be read, also in the middle of the rows.
    """
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", "check the path") from None
    bounds = _BOUNDS.get()
    command = [sys.executable, "-P", str(_PROGRAM), str(path.absolute()), sheet.name]
    with subprocess.Popen(  # noqa: S603 - our own program; the file is an argument, not a command
        [*command, str(sheet.header_row), str(memory or bounds.memory), str(bounds.cpu_s)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            first = _next(path, process.stdout)
            yield [Column(header) for header in first["headers"]], _rows(path, process.stdout, bounds.rows)
        finally:
            process.kill()


def _rows(path: Path, lines: IO[bytes] | None, most: int) -> Iterator[tuple[int, Sequence[Any]]]:
    count = 0
    while isinstance(found := _next(path, lines), list):
        for number, cells in found:
            count += 1
            if count > most:
                raise _fault(path, "too_large", ())
            yield number, [_value(cell) if type(cell) in (float, list) else cell for cell in cells]
    if found.get("rows") != count:
        raise _fault(path, "damaged", ())


def _next(path: Path, lines: IO[bytes] | None) -> Any:
    try:
        found = json.loads(lines.readline() if lines is not None else b"")
    except ValueError:
        # The process was ended, as by the limit of its memory, in which the library gives no warning.
        raise _fault(path, "too_large", ()) from None
    if isinstance(found, dict) and "fault" in found:
        raise _fault(path, found["fault"], found["names"])
    return found


def _value(cell: Any) -> Any:
    if type(cell) is float:
        return SheetNumber(cell)
    kind = cell[0]
    if kind == "t":
        return datetime.fromisoformat(cell[1])
    if kind == "d":
        return date.fromisoformat(cell[1])
    return ErrorCell() if kind == "e" else MergedCell() if kind == "m" else OtherCell(str(cell[1]))


def _fault(path: Path, word: str, names: Sequence[str]) -> ConfigError | InputError:
    if word == "no_library":
        return ConfigError(
            f"{path}: spreadsheets need python-calamine", "install the extra `excel`, or export as CSV"
        )
    message, hint = _FAULTS.get(word, _FAULTS["damaged"])
    shown = ", ".join(disarm(name)[:40] for name in names[:_SHOWN])
    return InputError(f"{path}: {message}", f"{hint} {shown}" if shown else hint)
