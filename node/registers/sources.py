"""Where an import reads from: text, Parquet, spreadsheets, a query on a database (docs/import.md).

Every source becomes blocks of rows whose cells are text, so that one reader understands all of them.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

from keys.store.atomic_files import read_private
from node.domain.catalogue import Item
from node.domain.days import FIRST_DAY
from node.domain.records import Reject
from node.errors import ConfigError, InputError
from node.registers.chunks import Block, batch_rows, cut_file
from node.registers.code_lists import coded_fields, decode_rows
from node.registers.requests import ImportRequest
from node.registers.row_parser import Amount, amount_field, fields_read
from node.tabular import sql
from node.tabular.changes import Changes
from node.tabular.delimited import (
    MAX_CELL,
    TO_FIND,
    CellError,
    Layout,
    Row,
    find_layout,
    open_table,
    raise_empty,
)
from node.tabular.excel import FIRST_SHEET, Sheet, is_spreadsheet, open_sheet
from node.tabular.parquet import open_parquet
from node.tabular.text_form import TextForm
from node.tabular.typed_values import Column, Role, accepts, cell_text

PARQUET = ".parquet"
_QUERY = Path("query")  # what rejects and errors call the rows of a query
_NUMBER_ROLES = {"id_no": Role.CODE, "former_id_no": Role.CODE, "id_type": Role.CODE}
_ROLES = {**_NUMBER_ROLES, "record_no": Role.RECORD, "name": Role.NAME, "as_of": Role.DAY}
_AMOUNT_ROLES = {"money": Role.MONEY, "count": Role.COUNT, "flag": Role.FLAG, "code": Role.CODE}


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are to be understood. `columns` ({field: header}) overrides the known headers.

    With `numbers_only` the rows name subjects and nothing else is read. `form` was stated of text files,
    `unit` by `--unit`; with `keep_zeros` long record numbers may end in zeros. `codes` are code lists.
    """

    item: Item
    columns: Mapping[str, str]
    allow_empty: bool = False
    numbers_only: bool = False
    form: TextForm = TO_FIND
    unit: str | None = None
    keep_zeros: bool = False
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def layout(self, path: Path, headers: Sequence[str]) -> Layout:
        """The columns that are read of a typed source. Raises InputError as `find_layout` does."""
        return find_layout(path, headers, *self.fields())

    def fields(self) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
        """The fields that are read, with their headers, and the columns that were mapped to them."""
        return fields_read(self.item, self.columns, numbers_only=self.numbers_only)

    def amount(self, layout: Layout) -> Amount | None:
        """The column of the item's amount. Raises InputError where a needed one is missing, or its unit."""
        if self.numbers_only:
            layout.require("id_no")
            return None
        return amount_field(layout, self.item, self.columns, self.unit)


def is_parquet(path: Path) -> bool:
    """Whether a file is read as Parquet: by the end of its name."""
    return path.suffix.lower() == PARQUET


def check_as_of(day: date | None, today: date) -> None:
    """Raise InputError for a date of undated rows that is not after 1970-01-01 or is after today."""
    if day is not None and not FIRST_DAY < day <= today:
        raise InputError(
            f"the as-of date must be a day from {FIRST_DAY + timedelta(1)} to today, {today} in China",
            "correct --as-of",
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
    """Delimited text, or Parquet or spreadsheets by their suffix in any case; in the order given."""

    paths: Sequence[Path]
    sheet: Sheet = FIRST_SHEET

    @property
    def size(self) -> int:
        """Bytes of the text files; of other files about what they would be as text."""
        return sum(
            _size(path) * (4 if is_parquet(path) or is_spreadsheet(path) else 1) for path in self.paths
        )

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """See Source."""
        for path in self.paths:
            if is_parquet(path):
                yield from _parquet_blocks(path, reading)
                continue
            if is_spreadsheet(path):
                with open_sheet(path, self.sheet) as (columns, rows):
                    yield from _blocks_of(path, columns, rows, reading)
                continue
            with open_table(path, *reading.fields(), reading.form) as table:
                amount, layout = reading.amount(table.layout), table.layout
                if coded_fields(layout, reading.codes):
                    decoded = decode_rows(layout, reading.codes, table.rows(allow_empty=reading.allow_empty))
                    yield from batch_rows(layout, amount, decoded)
                    continue
                yield from cut_file(path, table, amount, allow_empty=reading.allow_empty)


@dataclass(frozen=True, slots=True)
class Query:
    """The rows of a query. The URL of the database holds its password: it is in a private file, or in the
    environment variable `variable`.
    """

    url_file: Path | None
    query: str
    size: int = 0
    variable: str = ""
    changes: Changes | None = None

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """See Source."""
        with sql.open_query(self.url(), self.query, self.changes) as (columns, rows):
            self._require_one_number(columns, reading)
            yield from _blocks_of(_QUERY, columns, enumerate(rows, 1), reading)

    def url(self) -> str:
        """The URL. Raises ConfigError, KeyringError as `read_url`."""
        if self.url_file is not None:
            return read_url(self.url_file)
        found = os.environ.get(self.variable, "").strip()
        if not found:
            hint = "set it where the command runs, or name a private file: url_file"
            raise ConfigError(f"the environment variable {self.variable} is not set", hint)
        return found

    def _require_one_number(self, columns: Sequence[Column], reading: Reading) -> None:
        """Rows of a person under a former number would be missed, and removed with the rest."""
        layout = reading.layout(_QUERY, [column.header for column in columns])
        if self.changes is not None and "former_id_no" in layout.columns:
            raise InputError(
                f"{reading.item.code}: a source with former numbers cannot be read by its changes alone",
                "leave `watermark` out: then every import is a full one",
            )


def source_of(request: ImportRequest) -> Source:
    """The files that an import names, or its query."""
    if request.query is not None:
        return Query(request.url_file, request.query, variable=request.url_variable, changes=request.changes)
    return Files(request.files, request.sheet)


def read_url(path: Path) -> str:
    """The URL of a source database. Raises ConfigError, or KeyringError for a file that is not private."""
    try:
        return read_private(path).decode("utf-8-sig").strip()
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file", "it holds the URL of the source database") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not text in UTF-8", "it holds the URL of the source database") from None


def _parquet_blocks(path: Path, reading: Reading) -> Iterator[Block]:
    with open_parquet(path) as (columns, rows):
        yield from _blocks_of(path, columns, enumerate(rows, 1), reading)


def _blocks_of(
    path: Path, columns: Sequence[Column], rows: Iterable[tuple[int, Sequence[Any]]], reading: Reading
) -> Iterator[Block]:
    layout = reading.layout(path, [column.header for column in columns])
    amount = reading.amount(layout)
    roles = _find_roles(layout, amount, reading)
    _refuse_types(layout, columns, roles)
    empty, texts = True, _text_rows(layout, roles, rows)
    for block in batch_rows(layout, amount, decode_rows(layout, reading.codes, texts)):
        empty = False
        yield block
    if empty and not reading.allow_empty:
        raise_empty(path)


def _find_roles(layout: Layout, amount: Amount | None, reading: Reading) -> list[tuple[str, Role]]:
    """The field and the role of each column; the field is empty where nothing reads the column."""
    roles = dict(_NUMBER_ROLES if reading.numbers_only else _ROLES)
    if amount is not None:
        roles[amount.field] = _AMOUNT_ROLES[reading.item.value_kind]
    fields = {place: field for field, place in layout.columns.items() if field in roles}
    found = (fields.get(place, "") for place in range(len(layout.headers)))
    other = Role.IGNORED if reading.numbers_only else Role.UNREAD
    return [(field, roles.get(field, other)) for field in found]


def _refuse_types(layout: Layout, columns: Sequence[Column], roles: Sequence[tuple[str, Role]]) -> None:
    """Raise InputError for a column whose type cannot hold what the column is for."""
    for column, (name, role) in zip(columns, roles, strict=True):
        if column.kind is not None and not accepts(role, column.kind):
            raise InputError(
                f"{layout.path}: the column {layout.header(name)} is of the type {column.type_name}, "
                f"which is not {role.value}",
                "write the column as text (docs/import.md, Typed values), then import again",
            )


def _text_rows(
    layout: Layout, roles: Sequence[tuple[str, Role]], rows: Iterable[tuple[int, Sequence[Any]]]
) -> Iterator[Row | Reject]:
    for number, row in rows:
        try:
            cells = [
                value if field and type(value) is str else cell_text(field, role, value)
                for value, (field, role) in zip(row, roles, strict=True)
            ]
        except CellError as error:
            yield layout.reject(number, error)
            continue
        if layout.too_long(cells):
            message = f"a cell is longer than {MAX_CELL} characters"
            yield Reject(str(layout.path), number, "", "cell_too_long", message)
        else:
            yield Row(number, cells)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # opening it raises the error
