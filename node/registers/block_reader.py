"""The rows of a block (`registers.chunks`), in any process.

The plain rows are taken together: identity numbers already in their canonical form, names of
Chinese characters only, dates and amounts that can be read. Every other row goes through
`row_parser.source_row`, so that each fault has its line and reason.
"""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from matcher import batch, identity
from node.domain.catalogue import Item
from node.domain.records import Reject, SourceRow
from node.index.people import ReadOptions
from node.registers import row_parser
from node.registers.chunks import Block
from node.registers.row_parser import Amount
from node.registers.row_tables import KEY_SIZE, Rows, collapse, join, make_key, make_table, pack
from node.tabular import fields
from node.tabular.damage import SPREADSHEET_DIGITS, Rounding, any_damaged, count_rounded, expected_of
from node.tabular.delimited import (
    MAX_CELL,
    CellError,
    Layout,
    Lines,
    Row,
    clean,
    raise_changed,
    split_rows,
)

ORDER_BITS = 24  # of a sequence number: the row's place within its block
_PLAIN_NAME = re.compile(r"[\u4e00-\u9fff]{0,40}")
_PLAIN_NAMES = re.compile(r"(?:[\u4e00-\u9fff]{0,40}\n)*")
_PLAIN_NUMBERS = re.compile(r"(?:[A-Z0-9\u4e00-\u9fff]{1,40}\n)*")
_TABS = re.compile(r"(?:\A|\t*([,;|\n]))\t*")  # round the cells of a file that has another delimiter
_NO_NUMBER = "0" * batch.VALUE_SIZE


@dataclass(frozen=True, slots=True)
class Reading:
    """The content of a block. `linked` are the rows whose subject has several numbers; counts are of rows.

    `forms` counts cells that were accepted in another form than the usual one,
    `rounded_people` and `rounded_records` are identity and record numbers that end as a spreadsheet rounds;
    `empty` counts cells without a character, by field.
    """

    rows: Rows
    linked: Sequence[SourceRow] = field(repr=False)
    rejects: Sequence[Reject]
    usable: int
    unknown_area: int
    forms: Counter[str]
    rounded_people: Rounding
    rounded_records: Rounding
    empty: Counter[str] = field(default_factory=Counter)


def read_block(block: Block, terms: ReadOptions, order: int) -> Reading:
    """Every row of a block as a row of arrays, a linked row or a reject; `order` numbers the blocks."""
    split = _split(block)
    plain = _read_plain(split, block, terms)
    first = (order << ORDER_BITS) - block.first_line
    rejects = split.rejects
    forms = _count_forms(split, block.layout, plain.good)
    single: list[SourceRow] = []
    linked: list[SourceRow] = []
    for at in map(int, np.flatnonzero(~plain.good)):
        number = split.numbers[at]
        try:
            row = Row(number, [column[at] for column in split.columns])
            found = row_parser.source_row(block.layout, row, terms.item, block.amount, terms.today)
        except CellError as error:
            rejects.append(block.layout.reject(number, error))
            continue
        (single if len(found.identities) == 1 else linked).append(_settle(found, terms, first + number))
        forms.update(fields.row_forms(block.layout, row))
    numbers = np.asarray(split.numbers, dtype=np.int64)[plain.good]
    rows = join(plain.to_rows(terms.salt, first + numbers), pack(terms.salt, single))
    rejects.sort(key=lambda reject: reject.line)
    known = batch.have_known_area(rows.table["id_type"], rows.table["value"])
    strange = sum(not identity.has_known_area(row.identities[0]) for row in linked)
    return Reading(
        collapse(rows),
        linked,
        rejects,
        len(rows) + len(linked),
        int(np.count_nonzero(~known)) + strange,
        forms,
        plain.rounded_people,
        plain.rounded_records,
        Counter({name: split.columns[place].count("") for name, place in block.layout.columns.items()}),
    )


def _settle(row: SourceRow, terms: ReadOptions, sequence: int) -> SourceRow:
    """A row with its date, its place in the order of all rows, and its key as 16 bytes."""
    as_of = row.as_of or date.fromordinal(terms.default_day)
    key = make_key(row.key, as_of.toordinal(), monthly=terms.monthly)
    return replace(row, line=sequence, as_of=as_of, key=key)


@dataclass(frozen=True, slots=True)
class _Split:
    """Columns of the rows of the right width. `tidy`: no cell would change when it is cleaned."""

    numbers: Sequence[int]
    columns: Sequence[Sequence[str]] = field(repr=False)
    rejects: list[Reject]
    tidy: bool


def _split(block: Block) -> _Split:
    width, form = len(block.layout.headers), block.layout.form
    if not block.data:
        return _split_rows(block.rows, width)
    try:
        text = block.data.decode(form.encoding)
    except UnicodeDecodeError:
        raise_changed(block.layout.path)
    columns = None if '"' in text else _split_plain(text.replace("\r\n", "\n"), form.delimiter, width)
    if columns is not None:
        tidy = len(text.split()) == len(columns[0]) and unicodedata.is_normalized("NFKC", text)
        return _Split(range(block.first_line, block.first_line + len(columns[0])), columns, [], tidy)
    found = Lines(block.layout.path, io.StringIO(text, newline=""), block.first_line - 1)
    return _split_rows(list(split_rows(block.layout, found)), width)


def _split_plain(text: str, delimiter: str, width: int) -> Sequence[Sequence[str]] | None:
    """Columns of lines without a quote, where each has `width` cells and none is too long; else None."""
    if not text.endswith("\n"):
        text += "\n"
    if delimiter != "\t" and "\t" in text:
        text = _TABS.sub(r"\1", text)
    letters = np.frombuffer(text.encode(), dtype=np.uint8)
    ends = np.flatnonzero((letters == ord("\n")) | (letters == ord(delimiter)))
    if len(ends) % width or np.diff(ends, prepend=-1).max() > MAX_CELL:
        return None
    line_ends = (letters[ends] == ord("\n")).reshape(-1, width)
    if not line_ends[:, -1].all() or line_ends[:, :-1].any():
        return None
    cells = text.replace("\n", delimiter).split(delimiter)[:-1]
    columns = [cells[at::width] for at in range(width)]
    # A blank line is no row, but in a file of one column it looks like an empty cell.
    return None if width == 1 and "" in columns[0] else columns


def _split_rows(found: Sequence[Row | Reject], width: int) -> _Split:
    rows = [row for row in found if isinstance(row, Row)]
    columns = list(zip(*(row.cells for row in rows), strict=True)) or [()] * width
    rejects = [row for row in found if isinstance(row, Reject)]
    return _Split([row.line for row in rows], columns, rejects, tidy=False)


@dataclass(frozen=True, slots=True)
class _Plain:
    """Columns of all rows; only those that are `good` have been understood."""

    good: NDArray[np.bool_]
    values: NDArray[np.uint8] = field(repr=False)
    names: Sequence[str] = field(repr=False)
    days: Sequence[int]
    amounts: Sequence[int] = field(repr=False)
    keys: NDArray[np.uint8] = field(repr=False)
    rounded_people: Rounding
    rounded_records: Rounding

    def to_rows(self, salt: bytes, sequence: NDArray[np.int64]) -> Rows:
        """The good rows."""
        good = self.good
        every = bool(good.all())
        return make_table(
            salt,
            np.zeros(len(sequence), dtype=np.uint8),
            self.values if every else self.values[good],
            self.keys[good].tobytes(),
            np.array(self.days, dtype=np.int64)[good],
            np.array(self.amounts, dtype=np.int64)[good],
            sequence,
            [name.encode() for name in (self.names if every else compress(self.names, good))],
        )


def _read_plain(split: _Split, block: Block, terms: ReadOptions) -> _Plain:
    count, layout = len(split.numbers), block.layout
    numbers = split.columns[layout.columns["id_no"]]
    good = np.fromiter(map(len, numbers), dtype=np.int64, count=count) == batch.VALUE_SIZE
    text = "".join(
        numbers
        if good.all()
        else (each if fits else _NO_NUMBER for each, fits in zip(numbers, good, strict=True))
    )
    values = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8).reshape(-1, batch.VALUE_SIZE)
    people = _rounded_people(values[good])
    good &= batch.are_resident(values)

    def column(name: str) -> Sequence[str] | None:
        place = layout.columns.get(name)
        return None if place is None else split.columns[place]

    if (types := column("id_type")) is not None:
        good &= _understood(types, _is_resident_type)[0]
    if (former := column("former_id_no")) is not None:
        good &= _understood(former, lambda cell: fields.names_no_number(cell) or None)[0]
    names = column("name") or ()
    if names and not _PLAIN_NAMES.fullmatch("\n".join(names) + "\n"):
        good &= np.fromiter((bool(_PLAIN_NAME.fullmatch(name)) for name in names), dtype=bool, count=count)
    days: Sequence[int] = [terms.default_day] * count
    if (dates := column("as_of")) is not None:
        fits, days = _understood(dates, lambda cell: _day(cell, terms))
        good &= fits
    amounts: Sequence[int] = [1] * count
    if (known := block.amount) is not None and (written := column(known.field)) is not None:
        fits, amounts = _understood(written, lambda cell: _amount(known, cell, terms.item))
        good &= fits
    records = _read_records(column("record_no") or [""] * count)
    if records.damaged:
        good &= np.fromiter((not any_damaged(each) for each in records.numbers), dtype=bool, count=count)
    keys = _keys(split, records, days, terms)
    return _Plain(good, values, names, days, amounts, keys, people, records.rounded)


def _rounded_people(values: NDArray[np.uint8]) -> Rounding:
    rounded = values[(values[:, SPREADSHEET_DIGITS:] == ord("0")).all(axis=1)]
    return Rounding(len(np.unique(rounded, axis=0)), len(values) * expected_of(batch.VALUE_SIZE))


def _understood(
    cells: Sequence[str], understand: Callable[[str], int | None]
) -> tuple[NDArray[np.bool_], list[int]]:
    """Which cells can be read, and what they say (0 where they cannot); each different cell is read once."""
    said = {cell: understand(cell) for cell in set(cells)}
    found = [said[cell] for cell in cells]
    good = np.fromiter((each is not None for each in found), dtype=bool, count=len(cells))
    return good, [each or 0 for each in found]


def _count_forms(split: _Split, layout: Layout, good: NDArray[np.bool_]) -> Counter[str]:
    """Cells of the good rows in another form than the usual one, by the word for it."""
    found = Counter[str]()
    for name, form in fields.FORMS.items():
        if name == "id_no" or name not in layout.columns:
            continue  # a good row has its number in canonical form
        column = split.columns[layout.columns[name]]
        words = {cell: word for cell in set(column) if (word := form(cell))}
        if words:
            found.update(words[cell] for cell in compress(column, good) if cell in words)
    return found


def _is_resident_type(cell: str) -> int | None:
    stated = clean(cell).lower()
    found = fields.find_type(stated)
    return 1 if not stated or (found is not None and identity.RESIDENT in found[0]) else None


def _day(cell: str, terms: ReadOptions) -> int | None:
    try:
        found = row_parser.read_as_of(cell, terms.today, monthly=terms.monthly)
    except CellError:
        return None
    return terms.default_day if found is None else found.toordinal()


def _amount(known: Amount, cell: str, item: Item) -> int | None:
    try:
        return row_parser.read_amount(known, cell, item)
    except CellError:
        return None


@dataclass(frozen=True, slots=True)
class _Records:
    """Record numbers as they are compared. `short`: each is its own key (see make_key)."""

    numbers: Sequence[str] = field(repr=False)
    short: bool
    damaged: bool
    rounded: Rounding


def _read_records(cells: Sequence[str]) -> _Records:
    text = "\n".join(cells) + "\n"
    plain = _PLAIN_NUMBERS.fullmatch(text) is not None
    if not plain:
        cells = list(map(row_parser.record_number, cells))
        text = "\n".join(cells)
    longest = max(map(len, cells), default=0)
    rounded = count_rounded(cells) if longest > SPREADSHEET_DIGITS else Rounding()
    return _Records(cells, plain and longest < KEY_SIZE and text.isascii(), any_damaged(text), rounded)


def _keys(split: _Split, records: _Records, days: Sequence[int], terms: ReadOptions) -> NDArray[np.uint8]:
    """16 bytes a row, the same as of `row_parser.source_row` and `make_key`."""
    count = len(split.numbers)
    if len(split.columns) == 1:
        return np.zeros((count, KEY_SIZE), dtype=np.uint8)
    numbers, monthly = records.numbers, terms.monthly
    if records.short and not monthly:  # what make_key makes of such a number, at once
        return np.array(numbers, dtype=f"S{KEY_SIZE}").view(np.uint8).reshape(-1, KEY_SIZE)
    if all(numbers):
        keys = (make_key(each, day, monthly=monthly) for each, day in zip(numbers, days, strict=True))
    else:
        rows = zip(*split.columns, strict=True)
        whole = rows if split.tidy else (tuple(map(clean, row)) for row in rows)
        keys = (
            make_key(each or row_parser.row_digest(row), day, monthly=monthly)
            for each, row, day in zip(numbers, whole, days, strict=True)
        )
    return np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, KEY_SIZE)
