"""Reads one sheet of a spreadsheet, as a program of its own: `node.tabular.excel` starts it.

A spreadsheet of some kilobytes may say that it has a cell in the last row and column, and the library then
asks for all cells in between. So it is read in a process with a limit of memory, which ends alone. Standard
output has one JSON value a line: the headers, then rows with their numbers in batches, then how many there
were; or the word of a fault. It imports nothing of ours, so that it starts quickly.
"""

import contextlib
import importlib
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as Tree

ERROR: Final = ["e"]  # a cell that holds an error of the spreadsheet, or a formula that was never computed
MERGED: Final = ["m"]  # a cell that is part of a merged one
BATCH: Final = 1024
CPU_S: Final = 1800  # of processor time; a full sheet takes one or two minutes
# What a workbook of 1,048,576 rows and 30 columns unpacks to.
UNPACKED: Final = 4 << 30
_CHUNK: Final = 1 << 20
_LONGEST: Final = 64 << 20  # bytes between two ends of rows
Place = tuple[int, int]

_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELL: Final = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_PLACE: Final = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_IS_ERROR: Final = re.compile(rb"""\bt=["']e["']""")
_IS_TEXT: Final = re.compile(rb"""\bt=["'](?:str|s|inlineStr)["']""")
_ROW_END: Final = re.compile(rb"</(?:\w+:|table:table-)?row>")
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s/>]")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v[^>/]*>[^<]")
# Records of .xls: BOOLERR with an error, FORMULA whose result is one (MS-XLS 2.4.24, 2.4.127, 2.5.133).
_ERRORS: Final = rb"[\x00\x07\x0f\x17\x1d\x24\x2a]"
_XLS: Final = re.compile(
    rb"\x05\x02\x08\x00(..)(..)..%b\x01|\x06\x00.[\x00-\x20](..)(..)..\x02.%b...\xff\xff"
    % (_ERRORS, _ERRORS),
    re.DOTALL,
)
_ODS_ERROR: Final = re.compile(
    rb"""calcext:value-type=["']error["']|<text:p>(?:Err:[0-9]{3}|#[A-Z/0]+[!?])"""
)
_ODS_MERGED: Final = re.compile(rb"""table:number-(?:rows|columns)-spanned=["'](?:[2-9]|1[0-9])""")


def _load() -> Any:
    """The library, the extra `excel`; None without it."""
    try:
        return importlib.import_module("python_calamine")
    except ImportError:
        return None


calamine = _load()


class SheetError(Exception):
    """Why the sheet cannot be read: a word, and names that help."""

    def __init__(self, word: str, *names: str) -> None:
        super().__init__(word)
        self.word, self.names = word, names


def say(value: object) -> None:
    """One line for the process that waits."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")


def read(path: Path, sheet: str, header_row: int) -> Iterator[object]:
    """What the sheet is, its rows in batches, and the count of its rows. Raises SheetError."""
    if calamine is None:
        raise SheetError("no_library")
    _refuse_bomb(path)
    with calamine.CalamineWorkbook.from_path(path) as book:
        chosen = _choose(book, sheet)
        found = book.get_sheet_by_name(chosen)
        bad = _errors(path, chosen)
        merged = _merged(found)
        # The library gives the empty rows above the first filled cell, and leaves out the columns before it.
        left = 0 if found.start is None else found.start[1]
        rows = _numbered(found, left, bad, merged)
        yield from _batches(rows, header_row)


def _choose(book: Any, wanted: str) -> str:
    sheets: list[Any] = [
        each for each in book.sheets_metadata if each.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    names: list[str] = [each.name for each in sheets]
    if wanted:
        if wanted not in names:
            raise SheetError("no_such_sheet", *names)
        return wanted
    visible: list[str] = [each.name for each in sheets if each.visible == calamine.SheetVisibleEnum.Visible]
    if len(visible) != 1:
        raise SheetError("which_sheet" if visible else "hidden", *(visible or names))
    return visible[0]


def _batches(rows: Iterator[tuple[int, list[Any]]], header_row: int) -> Iterator[object]:
    for number, cells in rows:
        if number == header_row or (not header_row and any(cell is not None for cell in cells)):
            break
    else:
        raise SheetError("empty")
    if MERGED in cells:
        raise SheetError("merged_header")
    yield {"headers": ["" if isinstance(cell, list) else _header(cell) for cell in cells]}
    count = 0
    filled = (row for row in rows if any(cell is not None for cell in row[1]))
    while some := list(islice(filled, BATCH)):
        count += len(some)
        yield some
    yield {"rows": count}


def _header(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _numbered(
    sheet: Any, left: int, bad: frozenset[Place], merged: list[tuple[Place, Place]]
) -> Iterator[tuple[int, list[Any]]]:
    """Rows by their number in the sheet, 1 the first; None is an empty cell."""
    marks: dict[int, dict[int, list[str]]] = {}
    for row, column in bad:
        marks.setdefault(row, {})[column - left] = ERROR
    spans = sorted(merged, reverse=True)
    open_spans: list[tuple[Place, Place]] = []
    for row, values in enumerate(sheet.iter_rows()):
        cells = [_plain(value) for value in values]
        while spans and spans[-1][0][0] <= row:
            open_spans.append(spans.pop())
        if open_spans:
            open_spans = [span for span in open_spans if span[1][0] >= row]
            for (_, start), (_, end) in open_spans:
                for column in range(max(start - left, 0), min(end - left + 1, len(cells))):
                    cells[column] = MERGED
        for column, mark in marks.get(row, {}).items():
            if 0 <= column < len(cells):
                cells[column] = mark
        yield row + 1, cells


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value or None
    if kind is float or kind is bool:
        return value
    if kind is int:
        return float(value)  # a spreadsheet has one kind of number
    if kind is datetime:
        return ["t", value.isoformat()]
    if kind is date:
        return ["d", value.isoformat()]
    return ["x", str(value)]


def _merged(sheet: Any) -> list[tuple[Place, Place]]:
    try:
        return list(sheet.merged_cell_ranges or ())
    except calamine.CalamineError:
        return []


# ---- what the library does not tell: which cells hold errors


def _errors(path: Path, sheet: str) -> frozenset[Place]:
    """Cells, from 0, with an error of the spreadsheet, or a formula without a result: it calls them empty."""
    if not zipfile.is_zipfile(path):
        return frozenset(_xls_errors(path))
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "content.xml" in names:
            _refuse_ods(archive)
            return frozenset()
        if "xl/workbook.xml" not in names:
            raise SheetError("not_known")  # .xlsb and others
        return frozenset(_xlsx_errors(archive, _member(archive, sheet)))


def _member(archive: zipfile.ZipFile, sheet: str) -> str:
    """The part of the archive that holds a sheet."""
    book = Tree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - memory is limited; expat >= 2.4.1
    links = Tree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    wanted = next((one.get(_RELATION) for one in book.iter() if _is_sheet(one, sheet)), None)
    target = next((one.get("Target", "") for one in links.iter() if wanted and one.get("Id") == wanted), "")
    name = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    if name not in archive.namelist():
        raise SheetError("damaged")
    return name


def _is_sheet(element: Tree.Element, name: str) -> bool:
    return element.tag.rpartition("}")[2] == "sheet" and element.get("name") == name


def _parts(archive: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    """A member in parts that end where a row ends."""
    tail = b""
    with archive.open(member) as file:
        while chunk := file.read(_CHUNK):
            data = tail + chunk
            cut = max((found.end() for found in _ROW_END.finditer(data)), default=0)
            tail = data[cut:]
            if len(tail) > _LONGEST:
                raise SheetError("too_large")
            yield data[:cut]
    yield tail


def _xlsx_errors(archive: zipfile.ZipFile, member: str) -> Iterator[Place]:
    for part in _parts(archive, member):
        if not (_IS_ERROR.search(part) or _FORMULA.search(part)):
            continue
        for found in _CELL.finditer(part):
            head, body = found[1], found[2] or b""
            lost = _FORMULA.search(body) and not _VALUE.search(body) and not _IS_TEXT.search(head)
            if not (lost or _IS_ERROR.search(head)):
                continue
            place = _PLACE.search(head)
            if place is None:
                raise SheetError("error_somewhere")
            yield int(place[2]) - 1, _column(place[1])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _xls_errors(path: Path) -> Iterator[Place]:
    """In whichever sheet they are: the row of that number is refused in the sheet that is read."""
    for found in _XLS.finditer(path.read_bytes()):
        row, column = (found[1], found[2]) if found[1] is not None else (found[3], found[4])
        yield int.from_bytes(row, "little"), int.from_bytes(column, "little")


def _refuse_ods(archive: zipfile.ZipFile) -> None:
    # Its cells have no places, and merged ones are not told: neither can be given up row by row.
    for part in _parts(archive, "content.xml"):
        if _ODS_ERROR.search(part):
            raise SheetError("error_somewhere")
        if _ODS_MERGED.search(part):
            raise SheetError("merged_somewhere")


def _refuse_bomb(path: Path) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > UNPACKED:
                raise SheetError("too_large")


def main() -> None:
    """Arguments: the file, the name of the sheet or "", the row of headers or 0, bytes of memory, seconds."""
    path, sheet, header_row, memory, cpu_s = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no rows on disk where it is ended
    try:
        for value in read(Path(path), sheet, int(header_row)):
            say(value)
    except SheetError as fault:
        say({"fault": fault.word, "names": fault.names})
    except MemoryError:
        say({"fault": "too_large", "names": []})
    except BaseException as error:  # noqa: BLE001 - a panic of the library is no Exception
        password = calamine is not None and isinstance(error, calamine.PasswordError)
        say({"fault": "password" if password else "damaged", "names": []})
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()


if __name__ == "__main__":
    main()
