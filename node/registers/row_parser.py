"""Rows of a register file, read for one item (design.md sections 2 and 3, docs/import.md).

Rows stream; each is a SourceRow or a Reject that says where and why. `combine` (node/domain/records.py)
makes one record per subject of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from re import compile as pattern

from blake3 import blake3

from matcher.types import Identity, Level
from node.domain.catalogue import Item
from node.domain.days import FIRST_DAY
from node.domain.records import Record, Reject, SourceRow, Tally, combine
from node.errors import InputError
from node.tabular.damage import bare, check_code
from node.tabular.delimited import TO_FIND, CellError, Layout, Row, clean, open_table, require_fields
from node.tabular.fields import (
    IDENTITY_ALIASES,
    PERSON_ALIASES,
    parse_date,
    parse_month,
    read_identities,
    read_name,
    write_rejects,
)
from node.tabular.text_form import TextForm
from node.tabular.units import find_unit, own_unit, parse_money

__all__ = ["Record", "Reject", "SourceRow", "Tally", "combine", "read", "write_rejects"]

ALIASES = {
    **IDENTITY_ALIASES,
    "record_no": (
        "record_no",
        "记录编号",
        "号牌号码",
        "不动产单元号",
        "统一社会信用代码",
        "账号",
        "编制编号",
        "公积金账号",
        "社保编号",
    ),
    "amount_yuan": ("amount_yuan", "余额(元)", "金额(元)", "缴费基数(元)"),
    "amount_fen": ("amount_fen", "金额(分)"),
    "value": ("value", "数量"),
    "as_of": ("as_of", "数据时点"),
}

MAX_FEN = 10**13  # of one row; more is a column mix-up, not a balance
MAX_COUNT = 10**6  # of one row
SHOWN = (Level.COUNT, Level.VALUE)  # levels at which a label carries the amount itself
_INTEGER = pattern(r"[0-9]{1,18}")


def read(
    path: Path,
    item: Item,
    columns: Mapping[str, str] | None = None,
    today: date | None = None,
    *,
    allow_empty: bool = False,
    stated: TextForm = TO_FIND,
) -> Iterator[SourceRow | Reject]:
    """Stream the rows of a register file for one item; a row that cannot be used is a Reject.

    `columns` ({field: header}) overrides the known headers; with `today` a later as-of date is refused;
    `allow_empty` takes a file with a header and no row. Raises InputError for a file that cannot be used
    as a whole, possibly after rows were yielded (a quote that never closes): use nothing of such a file.
    """
    aliases, mapping = fields_read(item, columns or {})
    with open_table(path, aliases, mapping, stated) as table:
        layout, field = table.layout, amount_field(table.layout, item, columns or {})
        for row in table.rows(allow_empty=allow_empty):
            if isinstance(row, Reject):
                yield row
                continue
            try:
                yield source_row(layout, row, item, field, today)
            except CellError as error:
                yield table.reject(row.line, error)


def fields_read(
    item: Item, mapping: Mapping[str, str], *, numbers_only: bool = False
) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
    """The fields that are read of a register of some item, with their headers, and the `mapping` of these.

    A column that nobody needs must not decide over a row: with `numbers_only` the rows name people only.
    Raises InputError where a field does not exist at all.
    """
    require_fields(mapping, ALIASES)
    unread = {"value"} if item.value_kind == "money" else {"amount_yuan", "amount_fen"}
    known = PERSON_ALIASES if numbers_only else ALIASES
    aliases = {field: headers for field, headers in known.items() if field not in unread}
    return aliases, {field: header for field, header in mapping.items() if field in aliases}


# ---- cells; shared with node/tabular/person_lists.py and node/registers/block_reader.py


@dataclass(frozen=True, slots=True)
class Amount:
    """The column of an item's amounts: its field, the unit they are read in.

    `told`: the unit is not the field's usual one, or was stated, so the import says how many were read in it.
    """

    field: str
    unit: str
    told: bool = False


def parse_yuan(text: str) -> int:
    """Fen of a written amount in yuan, exactly; raises CellError("amount_yuan", ...)."""
    return parse_money("amount_yuan", text, "元", MAX_FEN)


def amount_field(
    layout: Layout, item: Item, mapping: Mapping[str, str], unit: str | None = None
) -> Amount | None:
    """The column of the item's amount; None where each row counts as one. `unit` is what `--unit` states.

    Raises InputError where a needed column is missing, or for a unit that contradicts the header.
    """
    field = _amount_field(layout, item, mapping)
    if field is None:
        return None
    found = find_unit(str(layout.path), layout.header(field), field, item, unit)
    return Amount(field, found, told=found != own_unit(field, item) or unit is not None)


def _amount_field(layout: Layout, item: Item, mapping: Mapping[str, str]) -> str | None:
    layout.require("id_no")
    if item.value_kind != "money":
        if item.combine in ("sum", "latest"):
            layout.require("value")
        return "value" if "value" in layout.columns else None
    found = [field for field in ("amount_yuan", "amount_fen") if field in layout.columns]
    chosen = [field for field in found if field in mapping] or found
    if len(chosen) > 1:
        raise InputError(
            f"{layout.path}: there are amounts in yuan and in fen",
            'say which to use with --map amount_yuan="HEADER" or --map amount_fen="HEADER"',
        )
    if not chosen:
        layout.require("amount_yuan")
    return chosen[0]


def source_row(layout: Layout, row: Row, item: Item, column: Amount | None, today: date | None) -> SourceRow:
    """One row of the right number of cells; raises CellError."""
    identities = read_identities(layout, row)
    name = read_name(layout, row)
    as_of = read_as_of(layout.cell(row, "as_of"), today, monthly=item.time == "period")
    amount = 1 if column is None else read_amount(column, layout.cell(row, column.field), item)
    return SourceRow(row.line, identities, name, _read_key(layout, row, identities[0]), amount, as_of)


def read_amount(column: Amount, text: str, item: Item) -> int:
    """The amount in a cell: fen, a count, 0 and 1, or the place of a code in its list; raises CellError."""
    amount = _read_amount(column, text, item)
    if item.sum is not None and amount > item.sum.greatest:  # it must fit the slots of an encrypted sum
        message = f"the amount is larger than {item.sum.greatest}"
        raise CellError(column.field, "amount_too_large", message)
    return amount


def _read_amount(column: Amount, text: str, item: Item) -> int:
    field = column.field
    if item.value_kind == "money" and column.unit != "分":
        return parse_money(field, text, column.unit, MAX_FEN)
    number = clean(text)
    if not number:
        raise CellError(field, "empty_amount", "the amount is empty")
    if item.value_kind == "code":
        place = item.index_of(number)
        if place is None:
            raise CellError(field, "unknown_code", f"it is neither a code nor a word of {item.table}")
        return place
    if not _INTEGER.fullmatch(number):
        raise CellError(field, "bad_amount", "the amount is not a whole number")
    if item.value_kind == "money":
        return _bounded(field, number, MAX_FEN)
    if item.value_kind == "flag":
        return _bounded(field, number, 1)
    # A label has no room for more (design.md section 3.2).
    return _bounded(field, number, min(MAX_COUNT, item.highest) if item.level in SHOWN else MAX_COUNT)


def _bounded(field: str, digits: str, most: int) -> int:
    # The length first: int() of a long text is slow, and its error would repeat the text.
    if len(digits.lstrip("0")) > len(str(most)) or int(digits) > most:
        raise CellError(field, "amount_too_large", f"the amount is larger than {most}")
    return int(digits)


def read_as_of(text: str, today: date | None, *, monthly: bool) -> date | None:
    """The as-of date in a cell, None where it is empty; raises CellError.

    With `monthly` a month is its last day, or `today` where it has not ended.
    """
    if not text.strip():
        return None
    as_of = parse_date(text)
    if as_of is None and monthly and (first := parse_month(text)):
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        as_of = last if today is None or last <= today or first > today else today
    if as_of is None:
        raise CellError("as_of", "bad_as_of", "the date is not a real one written as 2026-06-30")
    if as_of <= FIRST_DAY:
        raise CellError("as_of", "bad_as_of", f"the date is not after {FIRST_DAY}")
    if today is not None and as_of > today:
        raise CellError("as_of", "future_as_of", "the date is in the future")
    return as_of


def _read_key(layout: Layout, row: Row, current: Identity) -> str | bytes:
    key = record_number(layout.cell(row, "record_no"))
    if key:
        check_code("record_no", key)
        return key
    # Without a record number only a wholly equal row is a duplicate; the number counts in its
    # canonical form, since sources mix both.
    cells = list(map(clean, row.cells))
    cells[layout.columns["id_no"]] = current.value
    return row_digest(cells)


def record_number(cell: str) -> str:
    """A record number in the form it is compared in."""
    return bare("".join(clean(cell).upper().split())) if cell else ""


def row_digest(cells: Sequence[str]) -> bytes:
    """A digest of 16 bytes of all cells of a row, so that nothing raw is kept."""
    if len(cells) == 1:
        return bytes(16)  # rows of one subject with no other cell are all the same
    return blake3("\x1f".join(cells).encode("utf-8", "surrogatepass")).digest(16)
