"""Statistics of jobs: counted from groups that the database made, small counts hidden (ADR 41). Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from node.domain.small_counts import HIDDEN, LEAST, SMALL, Shown, hide, is_small, split_is_small

MONTHS: Final = 12  # the last ones, with the one that is running
_MEDIAN, _MOST = 0.5, 0.9
# Columns of the tables after the name of a row.
COLUMNS: Final = {
    "months": ("jobs", "people", "done", "not_done"),
    "units": ("jobs",),
    "items": ("jobs",),
    "peers": (
        "parts", "in_time", "later", "refused", "overdue", "other", "people", "median_hours", "most_hours",
    ),
    "refusals": ("parts",),
}  # fmt: skip
_SPLIT: Final = ("in_time", "later", "refused", "overdue", "other")


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Jobs of a month (YYYY-MM) that are alike, and how many people they ask about together."""

    month: str
    owner: str
    state: str
    items: tuple[str, ...]
    jobs: int
    people: int


@dataclass(frozen=True, slots=True)
class PartGroup:
    """Parts that are alike. `hours` until the answer, rounded up, and whether it came in time; None where the
    peer did not answer a question.
    """

    peer: str
    state: str
    reason: str
    hours: int | None
    in_time: bool
    parts: int
    people: int


@dataclass(frozen=True, slots=True)
class StatisticsRow:
    """A row: its name, and a cell for each of the table's COLUMNS."""

    name: str
    cells: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """The tables of COLUMNS: the last months, and what there was in `month`; `days` is what in_time means.

    A table without rows has none, or too few to be shown.
    """

    month: str
    days: int
    months: tuple[StatisticsRow, ...] = ()
    units: tuple[StatisticsRow, ...] = ()
    items: tuple[StatisticsRow, ...] = ()
    peers: tuple[StatisticsRow, ...] = ()
    refusals: tuple[StatisticsRow, ...] = ()

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        tables = {
            name: [
                {"name": row.name, **dict(zip(columns, row.cells, strict=True))}
                for row in getattr(self, name)
            ]
            for name, columns in COLUMNS.items()
        }
        return {"month": self.month, "in_time_days": self.days, **tables}


def last_months(today: date) -> list[date]:
    """The first days of the last MONTHS months, the running one last."""
    number = today.year * 12 + today.month - 1
    return [month_start(number - back) for back in reversed(range(MONTHS))]


def month_start(number: int) -> date:
    """The first day of a month, by the number of months since year 0."""
    return date(number // 12, number % 12 + 1, 1)


def make_statistics(
    month: str, days: int, jobs: Sequence[JobGroup], parts: Sequence[PartGroup]
) -> Statistics:
    """`jobs` are those of all months, `parts` those of the jobs of the month."""
    own = [one for one in jobs if one.month == month]
    months = tuple(_month(name, jobs) for name in sorted({one.month for one in jobs}, reverse=True))
    if sum(one.jobs for one in own) < LEAST:
        return Statistics(month, days, months)
    return Statistics(
        month,
        days,
        months,
        units=_counted((one.owner, one.jobs) for one in own),
        items=_counted((item, one.jobs) for one in own for item in one.items),
        peers=_peers(parts),
        refusals=_counted((one.reason or "other", one.parts) for one in parts if one.state == "refused"),
    )


def _month(name: str, jobs: Sequence[JobGroup]) -> StatisticsRow:
    own = [one for one in jobs if one.month == name]
    count, people = sum(one.jobs for one in own), sum(one.people for one in own)
    done = sum(one.jobs for one in own if one.state == "done")
    if is_small(count):
        return StatisticsRow(name, (SMALL, HIDDEN, HIDDEN, HIDDEN))
    split: tuple[Shown, ...] = (done, count - done)
    if split_is_small((done, count - done)):
        split = (HIDDEN, HIDDEN)
    return StatisticsRow(name, (count, SMALL if is_small(people) else people, *split))


def _counted(found: Iterable[tuple[str, int]]) -> tuple[StatisticsRow, ...]:
    counts = Counter[str]()
    for name, count in found:
        counts[name] += count
    names = sorted(counts)
    return _rows(names, hide([counts[name] for name in names]))


def _rows(names: Sequence[str], shown: Sequence[Shown]) -> tuple[StatisticsRow, ...]:
    if all(cell == HIDDEN for cell in shown):
        return ()  # a name says that there is at least one
    return tuple(StatisticsRow(name, (cell,)) for name, cell in zip(names, shown, strict=True))


def _peers(parts: Sequence[PartGroup]) -> tuple[StatisticsRow, ...]:
    """A row of parts is shown whole or not at all; one that is not is never the only one, since the parts
    that were refused are also counted by rule.
    """
    by_peer: dict[str, list[PartGroup]] = {}
    for one in parts:
        by_peer.setdefault(one.peer, []).append(one)
    wholes = _counted((one.peer, one.parts) for one in parts)
    splits = {peer: _split(found) for peer, found in by_peer.items()}
    hidden = {row.name for row in wholes if isinstance(row.cells[0], str)}
    hidden |= {peer for peer, split in splits.items() if split_is_small(split)}
    left = [row for row in wholes if row.name not in hidden]
    if len(hidden) == 1 and left:
        hidden.add(max(left, key=lambda row: sum(splits[row.name])).name)
    rest = len(COLUMNS["peers"]) - 1
    return tuple(
        StatisticsRow(
            row.name,
            (*row.cells, *((HIDDEN,) * rest if row.name in hidden else _told(by_peer[row.name]))),
        )
        for row in wholes
    )


def _split(parts: Sequence[PartGroup]) -> tuple[int, ...]:
    counts = Counter[str]()
    for one in parts:
        counts[_kind(one)] += one.parts
    return tuple(counts[name] for name in _SPLIT)


def _kind(one: PartGroup) -> str:
    if one.hours is not None:
        return "in_time" if one.in_time else "later"
    return one.state if one.state in ("refused", "overdue") else "other"


def _told(parts: Sequence[PartGroup]) -> tuple[Shown, ...]:
    answered = sorted((one.hours, one.parts) for one in parts if one.hours is not None)
    people = sum(one.people for one in parts if one.hours is not None)
    times = (_quantile(answered, _MEDIAN), _quantile(answered, _MOST))
    return (*_split(parts), people, *times)


def _quantile(answered: Sequence[tuple[int, int]], share: float) -> Shown:
    """Hours in which that share of the answers had come; HIDDEN where there is none."""
    wanted, seen = math.ceil(share * sum(count for _, count in answered)), 0
    for hours, count in answered:
        seen += count
        if seen >= wanted:
            return hours
    return HIDDEN
