"""What an import would make of its source, without the import: `heqiao import --check` (docs/import.md).

Rows are read as `registers.tasks.read_rows` reads them; nothing is written, and no lock, database or key is
used. Only counts, line numbers and headers are kept: no number, name or value.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from matcher.names import has_private_use
from node.domain.catalogue import Item
from node.domain.counties import Place
from node.errors import InputError, NodeError
from node.index.people import ReadOptions
from node.registers.address_codes import count_address_codes
from node.registers.block_reader import ORDER_BITS, Reading, read_block
from node.registers.chunks import Block
from node.registers.requests import ImportRequest
from node.registers.sources import Files, Source, check_as_of, source_of
from node.registers.sources import Reading as SourceReading
from node.tabular.damage import NONE_ROUNDED, Rounding, refuse_rounded_rows
from node.tabular.delimited import TO_FIND
from node.tabular.units import check_unit
from node.telemetry.progress import Progress

Look = Callable[[Block, Reading], None]
_NO_SALT = bytes(32)  # digests are made and thrown away
_PRIVATE = re.compile(rb"\xee|\xef[\x80-\xa3]|[\xf3\xf4]")  # how a private use character begins in UTF-8


@dataclass(frozen=True, slots=True)
class Guesses:
    """What was not stated, and how the reader understood it.

    `delimiter` and `encoding` are empty for a source that has none. `forms` counts cells in another form than
    the usual one: dates, document types, numbers. `units` counts the rows whose amount was read in a
    unit that the header names or that was stated.
    """

    delimiter: str = ""
    encoding: str = ""
    forms: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows were rejected: how many, and the line of the first."""

    rows: int
    first_line: int


@dataclass(frozen=True, slots=True)
class Checked:
    """One file, or the rows of a query. `problem` and `hint` say why it cannot be used as a whole.

    `valid_numbers` are rows with a valid identity number. `private_names` are different rows whose name holds
    a character of the private use area, which only its writer's own table explains; `first_private_line` is
    the first of them, 0 where there is none. `rounded_people` and `rounded_records` are numbers that end as
    a spreadsheet rounds them.

    Counted, and no reason to reject (domain.md section 5): `unknown_area` are rows whose number begins with
    no province; `unknown_county`, which has these too, those whose address code was in no list since 1980;
    `county_not_then` those whose code was of another time than the birth.
    """

    source: str
    read: int
    usable: int
    reasons: Mapping[str, Reason]
    valid_numbers: int
    unknown_area: int
    unknown_county: int
    county_not_then: int
    private_names: int
    first_private_line: int
    guesses: Guesses
    rounded_people: Rounding = NONE_ROUNDED
    rounded_records: Rounding = NONE_ROUNDED
    problem: str = ""
    hint: str = ""

    @property
    def rejected(self) -> int:
        """Rows that cannot be used."""
        return self.read - self.usable


def check_source(
    source: Source,
    reading: SourceReading,
    default_as_of: date | None,
    today: date,
    progress: Progress,
    look: Look = lambda _block, _found: None,
) -> Sequence[Checked]:
    """Read a source as an import would, each file for itself. Raises InputError for a wrong `default_as_of`.

    What is wrong with a file is in its result, so that all files are checked. `look` is given each block.
    """
    check_as_of(default_as_of, today)
    terms = ReadOptions(reading.item, _NO_SALT, (default_as_of or today).toordinal(), today)
    parts: list[tuple[str, Source]] = [("query", source)]
    if isinstance(source, Files):
        parts = [(str(path), Files([path], source.sheet)) for path in source.paths]
    checks: list[Checked] = []
    done = 0
    for name, part in parts:
        check = _Check(name, reading, terms, look)
        for size in check.run(part):
            done += size
            progress("read", done, source.size)
        checks.append(check.result())
    return checks


def check_request(
    request: ImportRequest,
    item: Item,
    today: date,
    progress: Progress,
    look: Look = lambda _block, _found: None,
) -> Sequence[Checked]:
    """Read what an import is asked to read; see `check_source`. Raises InputError for options that do not fit
    the item.
    """
    reading = SourceReading(
        item,
        request.columns,
        request.allow_empty,
        request.mode == "delete",
        request.form,
        None if request.unit is None else check_unit(item, request.unit),
        codes=request.codes,
    )
    return check_source(source_of(request), reading, request.as_of, today, progress, look)


def find_problem(checks: Sequence[Checked], request: ImportRequest) -> InputError | None:
    """Why an import would refuse the sources that were checked, None where it would not."""
    for check in checks:
        if check.problem:
            return InputError(check.problem, check.hint)
    people = records = NONE_ROUNDED
    for check in checks:  # judged together, as an import judges them
        people, records = people + check.rounded_people, records + check.rounded_records
    keep_zeros = request.keep_zeros or request.mode == "delete"
    try:
        refuse_rounded_rows(request.item, people, records, keep_zeros=keep_zeros)
    except InputError as error:
        return error
    if not any(check.usable for check in checks) and not request.allow_empty:
        rows = sum(check.read for check in checks)
        return InputError(
            f"none of the {rows} rows can be used, so an import would leave the register as it is",
            "correct the rows named above; --allow-empty publishes an empty register",
        )
    return None


class _Check:
    """The counts of one source while it is read."""

    def __init__(self, name: str, reading: SourceReading, terms: ReadOptions, look: Look) -> None:
        self._name, self._reading, self._terms = name, reading, terms
        self._look = look
        self._counts, self._forms, self._reasons = Counter[str](), Counter[str](), Counter[str]()
        self._first_lines: dict[str, int] = {}
        self._units, self._people, self._records = Counter[str](), NONE_ROUNDED, NONE_ROUNDED
        self._form = TO_FIND
        self._problem: NodeError | None = None

    def run(self, source: Source) -> Iterator[int]:
        """Read all of it; gives the size of each block, for the progress."""
        try:
            for order, block in enumerate(source.blocks(self._reading)):
                self._form = block.layout.form
                found = read_block(block, self._terms, order)
                self._add(block, found, order)
                self._look(block, found)
                yield block.size
        except NodeError as error:
            self._problem = error

    def result(self) -> Checked:
        """What was counted."""
        counts, problem = self._counts, self._problem
        return Checked(
            source=self._name,
            read=counts["usable"] + counts["rejected"],
            usable=counts["usable"],
            reasons={
                word: Reason(rows, self._first_lines[word]) for word, rows in sorted(self._reasons.items())
            },
            valid_numbers=counts["usable"] + counts["valid"],
            unknown_area=counts["unknown_area"],
            unknown_county=counts[Place.UNKNOWN.value],
            county_not_then=counts[Place.NOT_THEN.value],
            private_names=counts["private"],
            first_private_line=self._first_lines.get("", 0),
            guesses=Guesses(
                self._form.delimiter_name,
                self._form.encoding,
                dict(sorted(self._forms.items())),
                dict(sorted(self._units.items())),
            ),
            rounded_people=self._people,
            rounded_records=self._records,
            problem=problem.message if problem else "",
            hint=problem.hint if problem else "",
        )

    def _add(self, block: Block, found: Reading, order: int) -> None:
        header = block.layout.header("id_no")
        # A row that was given up before its number was read may hold any: it is not counted as valid.
        valid = sum(reject.column not in ("", header) for reject in found.rejects)
        self._counts.update(
            usable=found.usable, rejected=len(found.rejects), valid=valid, unknown_area=found.unknown_area
        )
        self._counts.update({place.value: rows for place, rows in count_address_codes(found).items()})
        self._forms += found.forms
        if block.amount is not None and block.amount.told:
            self._units[block.amount.unit] += found.usable
        self._people += found.rounded_people
        self._records += found.rounded_records
        for reject in found.rejects:
            self._reasons[reject.reason] += 1
            self._first_lines.setdefault(reject.reason, reject.line)
        lines = _private_lines(found)
        if lines:
            self._counts["private"] += len(lines)
            self._first_lines.setdefault("", min(lines) - (order << ORDER_BITS) + block.first_line)


def _private_lines(found: Reading) -> list[int]:
    """Sequence numbers of the rows whose name holds a character of the private use area."""
    single = [
        int(sequence)
        for sequence, name in zip(found.rows.table["sequence"], found.rows.names, strict=False)
        if _PRIVATE.search(name) and has_private_use(name.decode("utf-8", "surrogatepass"))
    ]
    return single + [row.line for row in found.linked if has_private_use(row.name)]
