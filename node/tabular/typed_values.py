"""Values of typed sources (Parquet, SQL) as the text that a register file would hold.

Each type has a rule for each kind of column, or is refused by its name (docs/import.md, "Typed values"): a
value must not become the text of something else, such as bytes b'...' a name, or a rounded float a person.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any
from uuid import UUID

from blake3 import blake3

from node.domain.days import written_day
from node.tabular.delimited import MAX_CELL, CellError

SHEET_DIGITS = 15  # that a spreadsheet keeps of a number
EXACT = 2**53  # from here on a number may have been rounded by a float on its way
_LONGEST_DECIMAL = 40  # digits; a longer one is no amount


class Role(Enum):
    """What a column is for."""

    CODE = "an identity number or a document type"
    RECORD = "a record number"
    NAME = "a name"
    MONEY = "an amount"
    COUNT = "a count"
    FLAG = "yes or no"
    DAY = "a date"
    UNREAD = "compared only"  # rows that are equal in every cell count once
    IGNORED = "not looked at"


class BadText(bytes):
    """Bytes of a text that is not UTF-8."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment or date: all of it as a number, and its day, None for one that no calendar has."""

    exact: int
    day: date | None


class SheetNumber(float):
    """A number of a spreadsheet, which keeps 15 digits of it."""


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """A cell of a spreadsheet that holds an error, such as #N/A."""


@dataclass(frozen=True, slots=True)
class MergedCell:
    """A cell of a spreadsheet that is part of a merged one: which row its value is of cannot be known."""


@dataclass(frozen=True, slots=True)
class OtherCell:
    """A time of day or a duration in a spreadsheet."""

    text: str


class SingleFloat(float):
    """A float of 32 bits or fewer: 7 digits at most."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a typed source. `kind` is the class of its values but NULL, None where each has its own."""

    header: str
    kind: type | None = None
    type_name: str = ""


def cell_text(field: str, role: Role, value: object) -> str:
    """A value as text. Raises CellError where it cannot be what the column is for; see `accepts`."""
    if role not in _RULES:
        return unread_text(value) if role is Role.UNREAD else ""
    rules = _RULES[role]
    kind = next((each for each in type(value).__mro__ if each in rules or each in _OWN_RULES), object)
    rule = rules.get(kind)
    if rule is None:
        raise CellError(field, "wrong_type", f"a value of type {type(value).__name__} is not {role.value}")
    return rule(field, value)


def accepts(role: Role, kind: type) -> bool:
    """Whether a column of such values can be what it is for."""
    return role not in _RULES or kind in _RULES[role]


def unread_text(value: object) -> str:
    """Any value as some text, of bounded length: the same for equal values, another for others."""
    if isinstance(value, bytes | bytearray | memoryview):
        text = bytes(value).hex()
    else:
        text = value if isinstance(value, str) else f"{type(value).__name__} {value!s}"
    if len(text) <= MAX_CELL:
        return text
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_stamp(exact: int, per_day: int, *, zoned: bool) -> Stamp:
    """A number of units since 1970-01-01, `per_day` a day; with a zone it is of UTC, and its day of China."""
    days = (exact + (per_day // 3 if zoned else 0)) // per_day  # China is eight hours ahead
    try:
        return Stamp(exact, date(1970, 1, 1) + timedelta(days=days))
    except OverflowError:
        return Stamp(exact, None)


Rule = Callable[[str, Any], str]


def _exact(field: str, value: int) -> str:
    if abs(value) >= EXACT:
        message = "a number of 2^53 or more may have been rounded on its way; keep the column as text"
        raise CellError(field, "inexact_number", message)
    return str(value)


def _exact_decimal(field: str, value: Decimal) -> str:
    if not value.is_finite() or value.as_tuple().exponent != 0:
        message = "a decimal number is not a code; keep the column as text"
        raise CellError(field, "decimal_number", message)
    return _exact(field, int(value)) if value.adjusted() < _LONGEST_DECIMAL else _exact(field, EXACT)


def _float(field: str, value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        raise CellError(field, "not_a_number", "NaN and infinity are not a number; leave the cell NULL")
    return _exact(field, int(value)) if value.is_integer() else repr(float(value))


def _decimal(field: str, value: Decimal) -> str:
    if not value.is_finite():
        raise CellError(field, "not_a_number", "NaN and infinity are not a number; leave the cell NULL")
    exponent = value.as_tuple().exponent
    if value.adjusted() > _LONGEST_DECIMAL or not isinstance(exponent, int) or exponent < -_LONGEST_DECIMAL:
        raise CellError(field, "bad_amount", f"a number of more than {_LONGEST_DECIMAL} digits")
    return f"{value:f}"


def _moment(field: str, value: datetime) -> str:
    try:
        return written_day(value).isoformat()
    except (OverflowError, ValueError):
        raise CellError(field, "bad_as_of", "the date is in no calendar") from None


def _not_utf8(field: str, _value: bytes) -> str:
    raise CellError(field, "not_utf8", "the text is not UTF-8; write it again as UTF-8")


def _stamp(field: str, value: Stamp) -> str:
    if value.day is None:
        raise CellError(field, "bad_as_of", "the date is in no calendar")
    return value.day.isoformat()


def _sheet_code(field: str, value: float) -> str:
    if not abs(value) < 10**SHEET_DIGITS:
        message = (
            "the spreadsheet keeps this number as a number: its last digits are lost; type it again as text"
        )
        raise CellError(field, "digits_lost", message)
    if not value.is_integer():
        raise CellError(field, "decimal_number", "a decimal number is not a code; keep the column as text")
    return str(int(value))


def _sheet_number(field: str, value: float) -> str:
    """As the spreadsheet shows it: 0.1 + 0.2 is 0.3 there, and not what a float of 17 digits says."""
    return _decimal(field, Decimal(f"{value:.{SHEET_DIGITS}g}"))


def _error_cell(field: str, _value: object) -> str:
    raise CellError(field, "error_value", "the cell holds an error of the spreadsheet; correct it there")


def _merged_cell(field: str, _value: object) -> str:
    message = "the cell is part of a merged one; unmerge it, and write the value into each cell"
    raise CellError(field, "merged_cell", message)


def _plain(_field: str, value: object) -> str:
    return str(value)


_TEXT: Mapping[type, Rule] = {
    str: _plain,
    NoneType: lambda _field, _value: "",
    BadText: _not_utf8,
    ErrorCell: _error_cell,
    MergedCell: _merged_cell,
}
_CODES: Mapping[type, Rule] = {**_TEXT, int: _exact, Decimal: _exact_decimal, SheetNumber: _sheet_code}
_NUMBERS: Mapping[type, Rule] = {
    **_TEXT,
    int: _plain,
    float: _float,
    Decimal: _decimal,
    SheetNumber: _sheet_number,
}
_RULES: Mapping[Role, Mapping[type, Rule]] = {
    Role.CODE: _CODES,
    Role.RECORD: {**_CODES, UUID: _plain},
    Role.NAME: _TEXT,
    Role.MONEY: _NUMBERS,
    Role.COUNT: _NUMBERS,
    Role.FLAG: {**_NUMBERS, bool: lambda _field, value: str(int(value))},
    Role.DAY: {
        **_NUMBERS,
        date: lambda _field, value: value.isoformat(),
        datetime: _moment,
        Stamp: _stamp,
    },
}
# Classes that are not covered by the rule of their base class: true is an int, a moment is a date.
_OWN_RULES = frozenset({bool, datetime, BadText, SingleFloat, SheetNumber, object})
