"""Delimited text files as provinces export them: encoding, header, rows.

Reading streams in bounded memory. No reject and no error contains the content of a cell
(design.md section 7); a first line that looks like data is not quoted as a header either.
"""

import csv
import io
import unicodedata
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import NoReturn, TextIO

from node.domain.records import Reject
from node.errors import InputError
from node.tabular import text_form
from node.tabular.csv_writer import disarm
from node.tabular.text_form import TextForm, drop_tabs_at_quotes, find_form, unusable

MAX_CELL = 1000  # characters of a cell that is read; far more than any field has
Aliases = Mapping[str, tuple[str, ...]]

TO_FIND = TextForm()
_DIGITS_OF_DATA = 6  # a header with so many digits is regarded as data


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the right number of cells; `line` is its first line."""

    line: int
    cells: Sequence[str]

    def __repr__(self) -> str:
        return f"Row(line={self.line}, ****)"


class CellError(Exception):
    """A cell that cannot be used; the row becomes a Reject. The message never repeats the cell."""

    def __init__(self, field: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Layout:
    """The columns of a source: `columns` maps a field to its column number. Other columns are not read."""

    path: Path
    headers: Sequence[str]
    columns: Mapping[str, int]
    aliases: Aliases
    form: TextForm = TO_FIND

    def cell(self, row: Row, field: str) -> str:
        """The text of the row's cell, empty where the source has no such column."""
        column = self.columns.get(field)
        return "" if column is None else row.cells[column]

    def header(self, field: str) -> str:
        """The header of a field in the source; the field's own name where it has none."""
        column = self.columns.get(field)
        return field if column is None else self.headers[column].strip()

    def reject(self, line: int, error: CellError) -> Reject:
        """The reject for a row whose cell of `error.field` cannot be used."""
        return Reject(str(self.path), line, self.header(error.field), error.reason, error.message)

    def require(self, *fields: str) -> None:
        """Raise InputError where none of a field's headers is in the source."""
        missing = [field for field in fields if field not in self.columns]
        if missing:
            wanted = "; ".join(f"{field} ({' | '.join(self.aliases[field])})" for field in missing)
            hint = f'rename the header, or name the column with --map {missing[0]}="HEADER"'
            if len(self.headers) == 1 and (other := next((c for c in ";|" if c in self.headers[0]), "")):
                hint = f"the whole header is one column; try --delimiter {TextForm(other).delimiter_name}"
            raise InputError(f"{self.path}: no column for {wanted}; {_describe_headers(self.headers)}", hint)

    def too_long(self, cells: Sequence[str]) -> bool:
        """Whether a cell of the row is too long to be what it should be. Cells that are not read may be long.

        A long cell that has whole rows in it is never right: a stray quote swallowed them.
        """
        if max(map(len, cells), default=0) <= MAX_CELL:
            return False
        read = set(self.columns.values())
        return any(
            len(cell) > MAX_CELL and (at in read or self._has_rows(cell)) for at, cell in enumerate(cells)
        )

    def _has_rows(self, cell: str) -> bool:
        marks = len(self.headers) - 1
        return any(line.count(self.form.delimiter or ",") >= marks for line in cell.splitlines()[1:-1])


def find_layout(
    path: Path,
    headers: Sequence[str],
    aliases: Aliases,
    mapping: Mapping[str, str],
    form: TextForm = TO_FIND,
) -> Layout:
    """Map a header's columns to fields. Raises InputError for a missing mapped column or a field with two."""
    return Layout(path, headers, _find_columns(path, headers, aliases, mapping), aliases, form)


class Table:
    """An open file whose header is read."""

    def __init__(
        self, path: Path, stream: TextIO, aliases: Aliases, mapping: Mapping[str, str], form: TextForm
    ) -> None:
        self.path = path
        self.delimiter = form.delimiter
        self._lines = Lines(path, stream)
        first = next(self._lines, "").lstrip("\ufeff")
        if not first.strip():
            raise unusable(path, "the first line is empty", "the first line must hold the column headers")
        self.headers = self._read_header(first)
        self.layout = find_layout(path, self.headers, aliases, mapping, form)
        self.columns = self.layout.columns
        self.cell, self.header, self.reject = self.layout.cell, self.layout.header, self.layout.reject

    def require(self, *fields: str) -> None:
        """Raise InputError where none of a field's headers is in the file."""
        self.layout.require(*fields)

    def skip(self, lines: int) -> None:
        """Skip some lines after the header."""
        deque(islice(self._lines, lines), maxlen=0)

    def rows(self, *, allow_empty: bool = False) -> Iterator[Row | Reject]:
        """Every row after the header. Blank lines are skipped; every other line gives a row or a reject.

        Raises InputError where the rows can no longer be separated (a quote that never closes,
        an endless line) and, without `allow_empty`, where the file has no rows at all.
        """
        empty = True
        for row in split_rows(self.layout, self._lines):
            empty = False
            yield row
        if empty and not allow_empty:
            raise_empty(self.path)

    def _read_header(self, first: str) -> list[str]:
        line = first if self.delimiter == "\t" else drop_tabs_at_quotes(first)
        try:
            headers = next(csv.reader([line], delimiter=self.delimiter, strict=True))
        except csv.Error:
            headers = []
        if not headers:
            raise unusable(self.path, "the header's quotes do not match", "write the headers on one line")
        return headers


def raise_changed(path: Path) -> NoReturn:
    """Raise InputError for bytes that no longer fit the detected encoding."""
    raise unusable(path, "the file changed while it was read", "run the command again") from None


def raise_empty(path: Path) -> NoReturn:
    """Raise InputError for a header without rows."""
    raise unusable(
        path, "there is a header but no row", "check that the export finished; an empty list cannot be used"
    )


def split_rows(layout: Layout, lines: "Lines") -> Iterator[Row | Reject]:
    """The rows of some lines; `lines.count` lines are before them. Raises InputError, see Table."""
    delimiter, width, path = layout.form.delimiter, len(layout.headers), layout.path
    texts = lines if delimiter == "\t" else map(drop_tabs_at_quotes, lines)
    reader, offset = csv.reader(texts, delimiter=delimiter, strict=True), lines.count
    while True:
        line = offset + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield from _broken_row(path, line, offset + reader.line_num, lines.ended, error)
            continue
        if not cells:
            continue
        if len(cells) != width and any(map(str.strip, cells[width:])):
            message = (
                f"the row has {len(cells)} cells where the header has {width}; a cell that holds the "
                "delimiter must be in quotes, and --delimiter names another delimiter"
            )
            yield from _faults(path, line, offset + reader.line_num, "wrong_cell_count", message)
            continue
        row = _fill([cell.strip("\t") for cell in cells], width)
        if layout.too_long(row):
            message = f"a cell is longer than {MAX_CELL} characters"
            yield from _faults(path, line, offset + reader.line_num, "cell_too_long", message)
        else:
            yield Row(line, row)


def _fill(cells: list[str], width: int) -> list[str]:
    # Programs leave out empty cells at the end of a row, or write some more.
    return cells[:width] + [""] * (width - len(cells))


def _broken_row(path: Path, first: int, last: int, ended: bool, error: csv.Error) -> Iterator[Reject]:
    if ended:
        raise unusable(
            path,
            f"line {first}: a quote opens here and never closes",
            "the file may be cut off; export it again, or correct the quotes from that line on",
        )
    if "limit" in str(error):
        message = "a cell is far too long, or its quote never closes"
        yield from _faults(path, first, last, "cell_too_long", message)
    else:
        yield from _faults(path, first, last, "bad_quotes", "the row's quotes do not match")


def _faults(path: Path, first: int, last: int, reason: str, message: str) -> Iterator[Reject]:
    # A stray quote joins the lines after it: each of them was a row, so each is counted.
    for line in range(first, last + 1):
        yield Reject(str(path), line, "", reason, message)


@contextmanager
def open_table(
    path: Path, aliases: Aliases, mapping: Mapping[str, str] | None = None, stated: TextForm = TO_FIND
) -> Iterator[Table]:
    """Open a delimited file: UTF-8 (with or without mark) or GB18030, comma or tab, any line ends.

    `aliases` gives each field's accepted headers; `mapping` ({field: header}) overrides them; `stated` is
    what need not be found. Raises InputError for a file that cannot be read at all, naming the byte or line.
    """
    try:
        with path.open("rb") as raw:
            form = find_form(path, raw, stated)
            raw.seek(0)
            with io.TextIOWrapper(raw, encoding=form.encoding, newline="") as stream:
                yield Table(path, stream, aliases, mapping or {}, form)
    except OSError as error:
        raise unusable(
            path, f"cannot be read: {error.strerror or 'not a plain file'}", "check the path"
        ) from None
    except UnicodeDecodeError:
        raise_changed(path)


def clean(text: str) -> str:
    """A cell in the form it is compared in: full-width forms made plain (NFKC), trimmed."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


class Lines:
    """Physical lines of a stream, counted, of bounded length; `ended` is true after the last one."""

    def __init__(self, path: Path, stream: TextIO, count: int = 0) -> None:
        self._path = path
        self._stream = stream
        self.count = count
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(text_form.MAX_LINE + 1)
        if not line:
            self.ended = True
            raise StopIteration
        self.count += 1
        if len(line) > text_form.MAX_LINE:
            raise text_form.too_long_line(self._path, self.count)
        return line


def require_fields(mapping: Mapping[str, str], aliases: Aliases) -> None:
    """Raise InputError where a column is mapped to a field that does not exist."""
    for field in mapping:
        if field not in aliases:
            near = get_close_matches(field, aliases, n=1)
            raise InputError(
                f"there is no field {disarm(field)[:24]} to map a column to",
                (f"did you mean {near[0]}? " if near else "") + f"known fields: {', '.join(aliases)}",
            )


def _find_columns(
    path: Path, headers: Sequence[str], aliases: Aliases, mapping: Mapping[str, str]
) -> dict[str, int]:
    names = [_plain_header(header) for header in headers]
    wanted = {field: tuple(map(_plain_header, accepted)) for field, accepted in aliases.items()}
    require_fields(mapping, aliases)
    for field, header in mapping.items():
        wanted[field] = (_plain_header(header),)
        if wanted[field][0] not in names:
            raise InputError(
                f"{path}: the column mapped to {field} is not there; {_describe_headers(headers)}",
                "give --map the header as the file spells it",
            )
    columns: dict[str, int] = {}
    for field, accepted in wanted.items():
        found = [index for index, name in enumerate(names) if name in accepted]
        if len(found) > 1:
            places = " and ".join(str(index + 1) for index in found)
            raise InputError(
                f"{path}: columns {places} are both headed as {field}",
                f'say which one to use with --map {field}="HEADER", or remove one',
            )
        if found:
            columns[field] = found[0]
    return columns


def _plain_header(header: str) -> str:
    return clean(header).lower()


def _describe_headers(headers: Sequence[str]) -> str:
    if any(sum(map(str.isdigit, header)) >= _DIGITS_OF_DATA for header in headers):
        return "the first line looks like data, not like headers"
    shown = ["".join(c for c in header.strip()[:24] if c.isprintable()) for header in headers[:20]]
    return f"headers seen: {', '.join(shown)}" + (", ..." if len(headers) > 20 else "")
