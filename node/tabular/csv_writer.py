"""CSV for spreadsheets, in which no cell is read as a formula."""

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence


class _Returned:
    """A file whose `write` returns what it is given, and so does `writerow`."""

    def write(self, text: str) -> str:
        return text


_WRITER = csv.writer(_Returned())
# A spreadsheet reads a cell with such a first character, in either width, as a formula.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def csv_lines(rows: Iterable[Sequence[object]], mark: bool = False) -> Iterator[bytes]:
    """CSV rows as UTF-8 bytes, safe to open in a spreadsheet; `mark` puts a byte order mark first."""
    if mark:
        yield codecs.BOM_UTF8
    for row in rows:
        yield csv_line(row).encode()


def csv_line(row: Sequence[object]) -> str:
    """One row with the end of its line, safe to open in a spreadsheet."""
    written: str = _WRITER.writerow([disarm(cell) if isinstance(cell, str) else cell for cell in row])
    return written


def disarm(cell: str) -> str:
    """A cell that no spreadsheet program reads as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
