"""CSV for spreadsheets, in which no cell is read as a formula."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence

# A spreadsheet reads a cell with such a first character, in either width, as a formula.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def csv_lines(rows: Iterable[Sequence[object]], mark: bool = False) -> Iterator[bytes]:
    """CSV rows as UTF-8 bytes, safe to open in a spreadsheet; `mark` puts a byte order mark first."""
    if mark:
        yield codecs.BOM_UTF8
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([disarm(cell) if isinstance(cell, str) else cell for cell in row])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def disarm(cell: str) -> str:
    """A cell that no spreadsheet program reads as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
