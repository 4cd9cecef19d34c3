"""Lists of people and mandates as delimited text, spreadsheets (.xlsx, .xls, .ods) or JSON, read alike.

    with open_list(path, aliases) as table:
        for row in table.rows(): ... table.cell(row, "id_no")

In JSON a list is an array of objects, or an object with one array in it. Its keys are the headers; an array
of texts in a field is what a cell separates by semicolons. A spreadsheet is opened by a process with a limit
of memory.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from node.domain.records import Reject
from node.errors import InputError
from node.tabular.delimited import (
    MAX_CELL,
    TO_FIND,
    Aliases,
    CellError,
    Layout,
    Row,
    find_layout,
    open_table,
    raise_empty,
)
from node.tabular.excel import is_spreadsheet, open_sheet
from node.tabular.text_form import TextForm
from node.tabular.typed_values import ErrorCell, MergedCell, Role, cell_text

MAX_JSON: Final = 64 << 20  # bytes; a list of 100,000 people has about 30 MB
MAX_COLUMNS: Final = 200
MAX_DOCUMENT: Final = 8_192  # characters of an office's certificate, the longest cell
_DAYS: Final = frozenset({"valid_from", "valid_to", "revoked_at", "born"})


class ListTable(Protocol):
    """An open list: a delimited file, a sheet or a JSON array."""

    @property
    def layout(self) -> Layout:
        """Its columns."""

    def require(self, *fields: str) -> None:
        """Raise InputError where none of a field's headers is there."""

    def cell(self, row: Row, field: str) -> str:
        """The text of a cell, empty without such a column."""

    def reject(self, line: int, error: CellError) -> Reject:
        """The reject for a row."""

    def rows(self) -> Iterator[Row | Reject]:
        """Every row, or its reject. Raises InputError."""


class TypedTable:
    """A list whose cells have types, each turned into the text that a file would hold."""

    def __init__(self, layout: Layout, rows: Iterator[tuple[int, Sequence[Any]]]) -> None:
        self.layout, self._rows = layout, rows
        self.require, self.cell, self.reject = layout.require, layout.cell, layout.reject
        fields = {place: field for field, place in layout.columns.items()}
        self._fields = [fields.get(place, "") for place in range(len(layout.headers))]

    def rows(self) -> Iterator[Row | Reject]:
        """See ListTable."""
        empty = True
        for line, values in self._rows:
            empty = False
            try:
                yield Row(
                    line,
                    [self._text(field, value) for field, value in zip(self._fields, values, strict=False)],
                )
            except CellError as error:
                yield self.reject(line, error)
        if empty:
            raise_empty(self.layout.path)

    def _text(self, field: str, value: Any) -> str:
        if not field:
            return ""
        is_day = field in _DAYS and not isinstance(value, str | ErrorCell | MergedCell)
        text = cell_text(field, Role.DAY if is_day else Role.CODE, value)
        if len(text) > (MAX_DOCUMENT if field == "certificate" else MAX_CELL):
            raise CellError(field, "cell_too_long", f"a cell is longer than {MAX_CELL} characters")
        return text


@contextmanager
def open_list(
    path: Path, aliases: Aliases, columns: Mapping[str, str] | None = None, stated: TextForm = TO_FIND
) -> Iterator[ListTable]:
    """Open a list by the end of its name. Raises InputError for a file that cannot be used as a whole,
    ConfigError for a spreadsheet without the extra `excel`.
    """
    if is_spreadsheet(path):
        with open_sheet(path) as (found, rows):
            headers = [column.header for column in found]
            yield TypedTable(find_layout(path, headers, aliases, columns or {}), rows)
    elif path.suffix.lower() == ".json":
        records = read_json(path)
        headers = list(dict.fromkeys(key for record in records for key in record))
        if len(headers) > MAX_COLUMNS:
            raise InputError(
                f"{path}: more than {MAX_COLUMNS} different keys", "docs/mandates.md has the form"
            )
        layout = find_layout(path, headers, aliases, columns or {})
        yield TypedTable(layout, _json_rows(headers, records))
    else:
        with open_table(path, aliases, columns, stated) as table:
            yield table


def read_json(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON list. Raises InputError, which never repeats what is in the file."""
    hint = "a list is an array of objects with the column names as keys"
    try:
        with path.open("rb") as file:
            content = file.read(MAX_JSON + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", "check the path") from None
    if len(content) > MAX_JSON:
        raise InputError(f"{path}: larger than {MAX_JSON >> 20} MiB", "divide the list")
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not JSON text in UTF-8", hint) from None
    if isinstance(found, dict):
        arrays = [value for value in found.values() if isinstance(value, list)]
        found = arrays[0] if len(arrays) == 1 else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError(f"{path}: no list of objects", hint)
    if not found:
        raise_empty(path)
    return found


def _json_rows(
    headers: Sequence[str], records: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[int, list[Any]]]:
    for place, record in enumerate(records, 1):
        yield place, [_json_value(record.get(header)) for header in headers]


def _json_value(value: Any) -> Any:
    """A value as a cell: lists of texts joined, anything nested refused by its type."""
    if isinstance(value, list) and all(isinstance(one, str) and ";" not in one for one in value):
        return ";".join(value)
    if isinstance(value, bool | float):  # a number of JSON may have been rounded by what wrote it
        return ErrorCell()
    return ErrorCell() if isinstance(value, list | dict) else value
