"""Reads Parquet files, with the extra `parquet`: columns with their types, rows of plain Python values."""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import Any
from uuid import UUID

from node.errors import ConfigError, InputError
from node.tabular.typed_values import BadText, Column, SingleFloat, read_stamp

_BATCH_ROWS = 8192
_PER_DAY = {"s": 86400, "ms": 86400 * 10**3, "us": 86400 * 10**6, "ns": 86400 * 10**9}
_INT96 = "timestamp stored as INT96, which does not say its zone"


class Int96(datetime):
    """A moment of which it is not known whether it is of UTC or of the place."""


@contextmanager
def open_parquet(path: Path) -> Iterator[tuple[Sequence[Column], Iterator[Sequence[Any]]]]:
    """The columns and the rows of a file; unread rows stay in it.

    Moments and dates come as Stamp, texts that are not UTF-8 as
    BadText. Raises ConfigError without pyarrow, InputError for a file that is not whole.
    """
    arrow, parquet = _load_arrow(path)
    try:
        with parquet.ParquetFile(path) as file:
            columns = _columns(arrow, file)
            yield columns, _rows(arrow, file, columns)
    except (OSError, UnicodeDecodeError, arrow.ArrowException):
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


def _columns(arrow: Any, file: Any) -> list[Column]:
    leaves = (file.schema.column(place) for place in range(len(file.schema)))
    unzoned = {leaf.path for leaf in leaves if leaf.physical_type == "INT96"}
    return [
        Column(each.name, Int96, _INT96)
        if each.name in unzoned
        else Column(each.name, _kind(arrow, each.type), str(each.type))
        for each in file.schema_arrow
    ]


def _kind(arrow: Any, found: Any) -> type:
    """The class of a type's values; `object` for one that no column of a register can have."""
    types = arrow.types
    if types.is_dictionary(found):
        return _kind(arrow, found.value_type)
    tests = (
        (types.is_boolean, bool),
        (types.is_integer, int),
        (types.is_float64, float),
        (types.is_floating, SingleFloat),
        (types.is_decimal, Decimal),
        (types.is_string, str),
        (types.is_large_string, str),
        (types.is_string_view, str),
        (types.is_date, date),
        (types.is_timestamp, datetime),
        (types.is_null, NoneType),
        (lambda each: isinstance(each, arrow.UuidType), UUID),
    )
    return next((kind for test, kind in tests if test(found)), object)


def _rows(arrow: Any, file: Any, columns: Sequence[Column]) -> Iterator[Sequence[Any]]:
    for batch in file.iter_batches(_BATCH_ROWS):
        values = (_values(arrow, column, kind) for column, kind in zip(batch.columns, columns, strict=True))
        yield from zip(*values, strict=True)


def _values(arrow: Any, array: Any, column: Column) -> Sequence[Any]:
    if arrow.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if arrow.types.is_temporal(array.type) and column.kind in (date, datetime, Int96):
        return _stamps(arrow, array)
    try:
        found: Sequence[Any] = array.to_pylist()
    except (ValueError, OverflowError, arrow.ArrowException):
        if column.kind is str:
            return [_text(each) for each in array.cast(arrow.large_binary()).to_pylist()]
        return [_bytes(arrow, array.take(arrow.array([place]))) for place in range(len(array))]
    return found


def _stamps(arrow: Any, array: Any) -> Sequence[Any]:
    """Dates and moments by whole numbers: Python's moments have no nanoseconds and end in 9999."""
    found, types = array.type, arrow.types
    if types.is_date32(found):
        per_day, numbers = 1, array.view(arrow.int32())
    else:
        per_day = _PER_DAY["ms" if types.is_date64(found) else found.unit]
        numbers = array.view(arrow.int64())
    zoned = types.is_timestamp(found) and found.tz is not None
    return [None if each is None else read_stamp(each, per_day, zoned=zoned) for each in numbers.to_pylist()]


def _text(value: bytes | None) -> str | BadText | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return BadText(value)


def _bytes(arrow: Any, one: Any) -> bytes:
    """A value that Python cannot hold, of a column that no field reads."""
    found: bytes = arrow.record_batch([one], names=["value"]).serialize().to_pybytes()
    return found
