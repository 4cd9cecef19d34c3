"""Where an import reads from: register files, Parquet files, a query on a database (docs/import.md).

Every source becomes blocks of rows whose cells are text, so that one reader understands all of them.
"""

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from keys.store.atomic_files import read_private
from node.domain.catalogue import Item
from node.domain.days import written_day
from node.domain.records import FIRST_DAY, Reject
from node.errors import ConfigError, InputError
from node.registers.chunks import BATCH_ROWS, Block, batch_rows, cut_file
from node.registers.row_parser import amount_field, fields_read
from node.tabular import sql
from node.tabular.delimited import MAX_CELL, TO_FIND, Layout, Row, find_layout, open_table, raise_empty
from node.tabular.text_form import TextForm

PARQUET = ".parquet"
_QUERY = Path("query")  # what rejects and errors call the rows of a query


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are to be understood. `columns` ({field: header}) overrides the known headers.

    With `numbers_only` the rows name subjects and nothing else is read. `form` was stated of text files.
    """

    item: Item
    columns: Mapping[str, str]
    allow_empty: bool = False
    numbers_only: bool = False
    form: TextForm = TO_FIND

    def layout(self, path: Path, headers: Sequence[str]) -> Layout:
        """The columns that are read of a typed source. Raises InputError as `find_layout` does."""
        return find_layout(path, headers, *self.fields())

    def fields(self) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
        """The fields that are read, with their headers, and the columns that were mapped to them."""
        return fields_read(self.item, self.columns, numbers_only=self.numbers_only)

    def amount(self, layout: Layout) -> str | None:
        """The field that holds the item's amount. Raises InputError where a needed column is missing."""
        if self.numbers_only:
            layout.require("id_no")
            return None
        return amount_field(layout, self.item, self.columns)


def check_as_of(day: date | None, today: date) -> None:
    """Raise InputError for an as-of date of undated rows that is not from 1970-01-01 to today."""
    if day is not None and not FIRST_DAY <= day <= today:
        raise InputError(
            f"the as-of date must be a day from {FIRST_DAY} to today, {today} in China", "correct --as-of"
        )


class Source(Protocol):
    """Rows in blocks. `size` is in bytes, 0 where it is unknown before the end."""

    @property
    def size(self) -> int:
        """Bytes, for the progress."""
        ...

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """Blocks in order. Raises InputError or UnavailableError, possibly after some blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Files:
    """Delimited text, or Parquet by its suffix; in the order given."""

    paths: Sequence[Path]

    @property
    def size(self) -> int:
        """Bytes of the text files; of a Parquet file about what it would be as text."""
        return sum(_size(path) * (4 if path.suffix == PARQUET else 1) for path in self.paths)

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """See Source."""
        for path in self.paths:
            if path.suffix == PARQUET:
                yield from _parquet_blocks(path, reading)
                continue
            with open_table(path, *reading.fields(), reading.form) as table:
                amount = reading.amount(table.layout)
                yield from cut_file(path, table, amount, allow_empty=reading.allow_empty)


@dataclass(frozen=True, slots=True)
class Query:
    """The rows of a query. The file with the URL of the database holds its password, so it is private."""

    url_file: Path
    query: str
    size: int = 0

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """See Source."""
        with sql.open_query(_read_url(self.url_file), self.query) as (headers, rows):
            yield from _blocks_of(_QUERY, headers, rows, reading)


def _read_url(path: Path) -> str:
    try:
        return read_private(path).decode("utf-8-sig").strip()
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file", "it holds the URL of the source database") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not text in UTF-8", "it holds the URL of the source database") from None


def _parquet_blocks(path: Path, reading: Reading) -> Iterator[Block]:
    arrow, parquet = _load_arrow(path)
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            rows = (
                row
                for batch in file.iter_batches(BATCH_ROWS)
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
            )
            yield from _blocks_of(path, names, rows, reading)
    except (OSError, arrow.ArrowException):
        raise InputError(
            f"{path}: not a whole Parquet file", "check that the export finished, then import again"
        ) from None


def _load_arrow(path: Path) -> tuple[Any, Any]:
    """The package pyarrow, the extra `parquet`, and its reader of Parquet files."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigError(
            f"{path}: Parquet files need pyarrow",
            "install the extra `parquet`, or export the register as CSV",
        ) from None


def _blocks_of(
    path: Path, headers: Sequence[str], rows: Iterable[Sequence[Any]], reading: Reading
) -> Iterator[Block]:
    layout = reading.layout(path, headers)
    amount = reading.amount(layout)
    empty = True
    for block in batch_rows(layout, amount, _text_rows(layout, rows)):
        empty = False
        yield block
    if empty and not reading.allow_empty:
        raise_empty(path)


def _text_rows(layout: Layout, rows: Iterable[Sequence[Any]]) -> Iterator[Row | Reject]:
    for number, row in enumerate(rows, 1):
        cells = [value if type(value) is str else text_of(value) for value in row]
        if layout.too_long(cells):
            message = f"a cell is longer than {MAX_CELL} characters"
            yield Reject(str(layout.path), number, "", "cell_too_long", message)
        else:
            yield Row(number, cells)


def text_of(value: object) -> str:
    """A value of a typed source as a register file would write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return written_day(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # opening it raises the error
