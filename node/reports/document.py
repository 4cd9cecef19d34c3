"""A report as a document, which every renderer is given. Pure.

`verification`, `household` and `sums` make it of a report. `text`, `html` and `pdf` show a Document,
`charts` draws its histograms, `csv` and `json` write a Record, `xlsx` a Document and Sheets. A renderer does
not depend on reports: a new kind of report needs no new renderer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from operator import add
from typing import Any, TypeVar, overload

_AT_ONCE = 4_096  # rows or objects that a renderer writes at once
T = TypeVar("T")


class Kind(Enum):
    """What the cells of a column are."""

    TEXT = "text"
    DAY = "day"  # a date
    DAYS = "days"  # the oldest and the newest of some dates
    NUMBER = "number"
    SHARE = "share"  # how many of how many
    AMOUNT = "amount"  # a number in words, with its unit
    SIZE = "size"  # bytes
    SECONDS = "seconds"

    @property
    def right(self) -> bool:
        """Whether cells are aligned to the right."""
        return self not in (Kind.TEXT, Kind.DAY, Kind.DAYS)


# None is a cell without a value. A text in a column of numbers says why there is none.
Cell = str | int | float | date | tuple[date, date] | tuple[int, int] | None
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a document's head."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the heading in the document's language, or the key in a file that programs read."""

    name: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together, under a title where they have one."""

    rows: tuple[Row, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with lines of text below it."""

    title: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """The bars of one province: `name` is short, `label` long, a cell None where it is not published."""

    name: str
    label: str
    cells: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """People by band of one item, a table for text and bars for a picture; `hidden` is the word for None."""

    title: str
    item: str
    bands: tuple[str, ...]
    series: tuple[Series, ...]
    hidden: str

    def table(self) -> Table:
        """A row for each band, a column for each province."""
        rows = tuple(
            (band, *(_cell(one, index, self.hidden) for one in self.series))
            for index, band in enumerate(self.bands)
        )
        columns = (Column(self.item), *(Column(one.name, Kind.NUMBER) for one in self.series))
        return Table(self.title, columns, (Group(rows),))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text between tables."""

    text: str


Section = Table | Histogram | Paragraph


@dataclass(frozen=True, slots=True)
class Document:
    """A report as people read it, in one language (`zh` or `en`).

    `body` issues it, and `signing` has the places for signatures and the seal, where it is printed.
    `appendix` is technical: what it costs to ask, and how. It stands on pages of its own.
    """

    lang: str
    title: str
    job: str
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    notes_title: str
    notes: tuple[str, ...]
    appendix_title: str = ""
    appendix: tuple[Section, ...] = ()
    body: str = ""
    signing: Table | None = None

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        """The sections that can be drawn."""
        return tuple(one for one in self.sections if isinstance(one, Histogram))


@dataclass(frozen=True, slots=True)
class Joined(Sequence[T]):
    """Rows or objects of two parts: number i joins `firsts[first[i]]` and `rests[rest[i]]`.

    There may be a million, and a list has few different answers: a renderer writes each part once.
    """

    firsts: Sequence[T]
    rests: Sequence[T]
    first: Sequence[int]
    rest: Sequence[int]
    join: Callable[[T, T], T]

    def __len__(self) -> int:
        return len(self.first)

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> "Joined[T]": ...
    def __getitem__(self, at: int | slice) -> "T | Joined[T]":
        if isinstance(at, slice):
            return replace(self, first=self.first[at], rest=self.rest[at])
        return self.join(self.firsts[self.first[at]], self.rests[self.rest[at]])

    def written(self, first: Callable[[T], str], rest: Callable[[T], str]) -> Iterator[list[str]]:
        """The texts of both parts put together, some thousands at a time."""
        firsts, rests = list(map(first, self.firsts)), list(map(rest, self.rests))
        for at in range(0, len(self), _AT_ONCE):
            part = slice(at, at + _AT_ONCE)
            yield [firsts[a] + rests[b] for a, b in zip(self.first[part], self.rest[part], strict=True)]


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a CSV file."""

    columns: tuple[Column, ...]
    rows: Joined[Row]

    @classmethod
    def of(cls, columns: tuple[Column, ...], rows: Sequence[Row]) -> "Listing":
        """Few rows, none of which has anything in common with others."""
        return cls(columns, Joined(((),), rows, (0,) * len(rows), range(len(rows)), add))


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of a spreadsheet, made while they are written; `count` is how many there are."""

    title: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    count: int


@dataclass(frozen=True, slots=True)
class Record:
    """A report as programs read it, in all languages.

    `facts` are the keys of report.json in their order; `findings` are its last key, one object each, or one a
    column. `format` is that of this record where it is not the usual one of its kind.
    """

    facts: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    listing: Listing
    format: str = ""


def _cell(series: Series, index: int, hidden: str) -> Cell:
    cell = series.cells[index] if index < len(series.cells) else None
    return hidden if cell is None else cell
