"""Who holds what in which province, before any fault of a file: the truth."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from synth.people import Person
from synth.scenario import PROVINCES

# Under which of a person's numbers a row is recorded.
CURRENT: Final = "current"
FORMER: Final = "former"
BOTH: Final = "both"

PAYROLL: Final = "Z59b"
VEHICLES: Final = "C21"
DWELLINGS: Final = "C22"
BUSINESSES: Final = "B12r"
DEPOSITS: Final = "C23"
FUND: Final = "D34"
INSURANCE: Final = "D32"
ITEMS: Final = (PAYROLL, VEHICLES, DWELLINGS, BUSINESSES, DEPOSITS, FUND, INSURANCE)

THRESHOLD_FEN: Final = 5_000_000  # deposits: over means more than 50,000.00 yuan in all accounts

_BASE34: Final = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class Fact(NamedTuple):
    """One record as the province knows it; `copies` above 1 makes the file repeat the row."""

    person: Person
    under: str
    record: str
    fen: int
    as_of: date
    copies: int = 1

    def __repr__(self) -> str:
        return f"Fact({self.under}, ****)"


@dataclass(frozen=True, slots=True)
class Holding:
    """What one number has of one item in one province: distinct records and their sum in fen."""

    identity: str
    province: str
    item: str
    records: int
    fen: int
    name: str
    as_of: date

    def __repr__(self) -> str:
        return f"Holding({self.province}, {self.item}, ****)"


class Ledger:
    """All facts of a federation, by province and item, and the record numbers given out."""

    def __init__(self, today: date) -> None:
        self.today = today
        self._facts: dict[tuple[str, str], list[Fact]] = {}
        self._serials: dict[tuple[str, str], int] = {}

    def add(
        self, province: str, item: str, person: Person, *, fen: int = 0, under: str = CURRENT,
        record: str = "", as_of: date | None = None, copies: int = 1,
    ) -> str:  # fmt: skip
        """Record that the person holds one record of the item; returns its record number."""
        record = record or self.next_record(province, item)
        as_of = as_of or self.extracted(province, item)
        self._facts.setdefault((province, item), []).append(Fact(person, under, record, fen, as_of, copies))
        return record

    def facts(self, province: str, item: str) -> list[Fact]:
        """The facts of one register, in the order in which they were added."""
        return self._facts.get((province, item), [])

    def extracted(self, province: str, item: str) -> date:
        """The day on which the department exported the register: the as-of of instant items."""
        days = 2 + (int(province) * 5 + ITEMS.index(item) * 3) % 19
        return date.fromordinal(self.today.toordinal() - days)

    def next_record(self, province: str, item: str) -> str:
        """A record number nobody has yet, in the form of the item's registers."""
        serial = self._serials.get((province, item), 0) + 1
        self._serials[province, item] = serial
        return _record_number(province, item, serial)

    def months(self) -> list[date]:
        """Last days of the twelve complete months before today, latest first."""
        days = []
        first = self.today.replace(day=1)
        for _ in range(12):
            last = date.fromordinal(first.toordinal() - 1)
            days.append(last)
            first = last.replace(day=1)
        return days

    def holdings(self, province: str, item: str) -> Iterator[Holding]:
        """The facts of one register, one Holding per number that has rows."""
        sums: dict[str, tuple[int, int, str, date]] = {}
        for fact in self.facts(province, item):
            identity = fact.person.former if fact.under == FORMER else fact.person.number
            records, fen, name, as_of = sums.get(identity, (0, 0, fact.person.name, fact.as_of))
            sums[identity] = (records + 1, fen + fact.fen, name, max(as_of, fact.as_of))
        for identity, (records, fen, name, as_of) in sums.items():
            yield Holding(identity, province, item, records, fen, name, as_of)


def pick_provider(rng: random.Random, providers: tuple[str, ...]) -> str:
    """A province to work in; the first named draws most people."""
    place = 0
    while place < len(providers) - 1 and rng.random() < 0.28:
        place += 1
    return providers[place]


def _record_number(province: str, item: str, serial: int) -> str:
    """Record numbers with county 9999, or plate letters never issued (I), so that none is real."""
    spread = serial * 7_654_321 % 10_000_019  # a prime: distinct for distinct serials below it
    if item == VEHICLES:
        return f"{PROVINCES[province]}I{_base34(spread, 5)}"
    if item == DWELLINGS:
        return f"{province}9999{spread // 100_000:03d}{spread % 997:03d}GB{spread % 100_000:05d}F{serial:08d}"
    if item == BUSINESSES:
        return f"92{province}9999MA{_base34(spread, 7)}Y"
    if item == DEPOSITS:
        return f"62999{province}{spread:012d}"
    if item == PAYROLL:
        return f"{province}9999-{serial:08d}"
    return f"{province}9999{spread:08d}"


def _base34(value: int, width: int) -> str:
    text = ""
    for _ in range(width):
        value, digit = divmod(value, 34)
        text = _BASE34[digit] + text
    return text
