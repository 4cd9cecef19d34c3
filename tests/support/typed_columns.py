"""What a value of each type is in each column of a register, computed here a second time.

`meaning` is what a value stands for, whatever source and type hold it. `expect` says what must become of it:
FILE (the column is refused by the name of its type), ROW (the row is a reject) or what is read. Nothing of
node.tabular is used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from uuid import UUID

from node.domain.catalogue import load
from node.domain.records import Reject
from node.registers import row_parser
from node.registers.sources import Reading, Source

CATALOGUE = load()
TODAY = date(2026, 7, 1)
ID, OLD_ID, FORMER = "449999190001010034", 449999000101003, "33999919000101008X"
UNIQUE = UUID(int=2**100 + 5)
BASE = {"id_no": ID, "name": "陈三", "record_no": "R1", "as_of": "2026-06-30"}
# field: (item, text that is good in it, what is read of that text)
FIELDS = {
    "id_no": ("C21", ID, ID),
    "former_id_no": ("C21", FORMER, FORMER),
    "id_type": ("C21", "resident", True),
    "record_no": ("C21", "ab 12", "AB12"),
    "name": ("C21", "王五", "王五"),
    "as_of": ("C21", "2026-06-29", date(2026, 6, 29)),
    "amount_yuan": ("C23", "1,234.50", 123450),
    "amount_fen": ("C23", "77", 77),
    "value": ("D32m", "3", 3),
    "flag": ("Z59b", "1", 1),
    "note": ("C21", "x", None),
}
FILE, ROW = "the column is refused", "the row is refused"
CODES = ("id_no", "former_id_no", "id_type", "record_no")
AMOUNTS = ("amount_yuan", "amount_fen", "value", "flag")


@dataclass(frozen=True)
class Meaning:
    """`kind` is text, bad text, null, int, float, decimal, bool, day, instant, uuid, or other."""

    kind: str
    value: object = None


def meaning_of(value: object) -> Meaning:
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float"), (Decimal, "decimal")):
        if isinstance(value, kind):
            return Meaning(name, value)
    if isinstance(value, datetime):
        return Meaning("instant" if value.tzinfo else "day", value)
    return Meaning("day", value) if isinstance(value, date) else Meaning("null" if value is None else "other")


def expect(field: str, meaning: Meaning) -> object:
    kind, value = meaning.kind, meaning.value
    if field == "note":
        return None
    if kind == "text":
        return FIELDS[field][2]
    if kind == "null":
        return _of_nothing(field)
    if kind == "bad text":
        return ROW
    if kind == "int":
        return _of_int(field, value)
    if kind == "float":
        return _of_float(field, value)
    if kind == "decimal":
        return _of_decimal(field, value)
    if kind == "uuid":
        return str(value).upper() if field == "record_no" else FILE
    if kind == "bool":
        return int(value) if field == "flag" else FILE
    if kind in ("day", "instant") and field == "as_of":
        return _of_day(kind, value)
    return FILE


def _of_nothing(field: str) -> object:
    if field in ("id_no", *AMOUNTS):
        return ROW
    return {"former_id_no": None, "id_type": True, "record_no": "digest", "name": "", "as_of": None}[field]


def _of_int(field: str, value: int) -> object:
    if field == "name":
        return FILE
    if field in CODES:
        if abs(value) >= 2**53:
            return ROW
        if field == "record_no":
            return str(value)
        if field == "former_id_no" and value == OLD_ID:
            return None  # the old form of the current number is no second one
        return ID if value == OLD_ID and field == "id_no" else ROW
    if field == "as_of":
        return _of_written_day(value)
    most = {"amount_yuan": 10**11, "amount_fen": 10**13, "value": 10**6, "flag": 1}[field]
    if not 0 <= value <= most:
        return ROW
    return value * (100 if field == "amount_yuan" else 1)


def _of_written_day(value: int) -> object:
    try:
        found = date(value // 10**4, value // 100 % 100, value % 100) if 10**7 <= value < 10**8 else None
    except ValueError:
        return ROW
    return ROW if found is None or not date(1970, 1, 1) < found <= TODAY else found


def _of_float(field: str, value: float) -> object:
    if field in (*CODES, "name"):
        return FILE
    if not isfinite(value) or value < 0:
        return ROW
    exact = Decimal(repr(value))
    if exact == exact.to_integral_value():
        return _of_int(field, int(exact))
    fen = exact * 100
    return int(fen) if field == "amount_yuan" and fen == fen.to_integral_value() else ROW


def _of_decimal(field: str, value: Decimal) -> object:
    if field == "name":
        return FILE
    if not value.is_finite() or (value < 0 and field != "record_no"):
        return ROW
    size = -value.as_tuple().exponent
    if size == 0:
        return _of_int(field, int(value))
    return int(value * 100) if field == "amount_yuan" and size <= 2 and value <= 10**11 else ROW


def _of_day(kind: str, value: object) -> object:
    if isinstance(value, datetime):
        value = (value.astimezone(UTC) + timedelta(hours=8)).date() if kind == "instant" else value.date()
    if value is None or not date(1970, 1, 1) < value <= TODAY:
        return ROW
    return value


def columns_for(field: str) -> dict[str, str]:
    """The text of the other columns, with an amount where the item needs one."""
    item = FIELDS[field][0]
    others = dict(BASE)
    if item in ("C23", "D32m"):
        others["amount_yuan" if item == "C23" else "value"] = "1"
    if field == "amount_fen":
        del others["amount_yuan"]
    others.pop(field, None)
    return others


def name_of(field: str) -> str:
    """The header of a field's column."""
    return "value" if field == "flag" else field


def read_all(source: Source, field: str) -> Iterator[object]:
    """What is read of the field in each row, ROW for a reject with a reason."""
    item = CATALOGUE.item(FIELDS[field][0])
    for block in source.blocks(Reading(item, {})):
        for row in block.rows:
            if isinstance(row, Reject):
                assert row.reason
                assert row.message
                yield ROW
                continue
            try:
                found = row_parser.source_row(block.layout, row, item, block.amount, TODAY)
            except row_parser.CellError:
                yield ROW
                continue
            yield _field_of(field, found)


def _field_of(field: str, row: row_parser.SourceRow) -> object:
    if field in AMOUNTS:
        return row.amount
    if field == "former_id_no":
        return row.identities[1].value if len(row.identities) > 1 else None
    if field == "record_no":
        return row.key if isinstance(row.key, str) else "digest"
    return {
        "id_no": row.identities[0].value,
        "id_type": True,
        "name": row.name,
        "as_of": row.as_of,
        "note": None,
    }[field]


def expectations(field: str, meanings: Sequence[Meaning]) -> list[object]:
    return [expect(field, each) for each in meanings]
