"""Statistics of jobs: counted from groups that the database made, small counts hidden (ADR 41). Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from node.domain.jobs import OPEN_STATES
from node.domain.small_counts import HIDDEN, LEAST, SMALL, Shown, hide, is_small, split_is_small

MONTHS: Final = 12  # the last ones, with the one that is running
_MEDIAN, _MOST = 0.5, 0.9
# Columns of the tables after the name of a row.
COLUMNS: Final = {
    "months": ("jobs", "people", "done", "terminated", "suspended", "open"),
    "records": ("mandates", "item_queries", "reports", "report_files", "objections", "rechecks"),
    "entrusted": ("queries", "points", "sums", "sum_points"),
    "units": ("jobs",),
    "items": ("jobs",),
    "peers": (
        "parts", "in_time", "later", "refused", "overdue", "other", "people", "median_hours", "most_hours",
    ),
    "refusals": ("parts",),
}  # fmt: skip
MONTHLY: Final = ("months", "records", "entrusted")  # tables with a row for each month
_ENDS: Final = ("done", "terminated", "suspended", "open")
_SPLIT: Final = ("in_time", "later", "refused", "overdue", "other")


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Jobs of a month (YYYY-MM) that are alike, and how many people they ask about together.

    `answered`: whether any peer had answered when they ended. `files` of reports were issued, of `reports`
    jobs.
    """

    month: str
    owner: str
    state: str
    answered: bool
    items: tuple[str, ...]
    jobs: int
    people: int
    mandates: int
    files: int
    reports: int


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
class ObjectionGroup:
    """Objections that were raised in a month, and of how many of them a job looked again."""

    month: str
    objections: int
    rechecks: int


@dataclass(frozen=True, slots=True)
class Entrusted:
    """What peers asked of this node in a month: queries about people, and for sums, with the points of each.

    Points are padded: there are at least as many as people, whom the node does not know.
    """

    month: str
    queries: int
    points: int
    sums: int
    sum_points: int


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
    records: tuple[StatisticsRow, ...] = ()
    entrusted: tuple[StatisticsRow, ...] = ()
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


def next_month(first: date) -> date:
    """The first day of the month after one."""
    return month_start(first.year * 12 + first.month)


def make_statistics(
    month: str,
    days: int,
    jobs: Sequence[JobGroup],
    parts: Sequence[PartGroup],
    objections: Sequence[ObjectionGroup] = (),
    entrusted: Sequence[Entrusted] = (),
) -> Statistics:
    """`parts` are those of the jobs of the month, all others those of all months."""
    own = [one for one in jobs if one.month == month]
    names = sorted({one.month for one in jobs} | {one.month for one in objections}, reverse=True)
    monthly = {
        "months": tuple(_month(name, jobs) for name in names),
        "records": tuple(_records(name, jobs, objections) for name in names),
        "entrusted": _entrusted(entrusted),
    }
    if sum(one.jobs for one in own) < LEAST:
        return Statistics(month, days, **monthly)
    return Statistics(
        month,
        days,
        **monthly,
        units=_counted((one.owner, one.jobs) for one in own),
        items=_counted((item, one.jobs) for one in own for item in one.items),
        peers=_peers(parts),
        refusals=_counted((one.reason or "other", one.parts) for one in parts if one.state == "refused"),
    )


def _month(name: str, jobs: Sequence[JobGroup]) -> StatisticsRow:
    own = [one for one in jobs if one.month == name]
    count, people = sum(one.jobs for one in own), sum(one.people for one in own)
    if is_small(count):
        return _untold("months", name, SMALL)
    ends = Counter[str]()
    for one in own:
        ends[_end(one)] += one.jobs
    return StatisticsRow(name, (count, _alone(people), *hide([ends[kind] for kind in _ENDS])))


def _end(one: JobGroup) -> str:
    """How jobs ended, as the ministry counts it: 终止 on request, 中止 without an answer (D204Z56)."""
    if one.state in OPEN_STATES:
        return "open"
    if one.state == "cancelled":
        return "terminated"
    return "done" if one.state == "done" and one.answered else "suspended"


def _records(name: str, jobs: Sequence[JobGroup], objections: Sequence[ObjectionGroup]) -> StatisticsRow:
    own, raised = [one for one in jobs if one.month == name], [one for one in objections if one.month == name]
    count, people = sum(one.jobs for one in own), sum(one.people for one in own)
    if is_small(count):
        return _untold("records", name)
    asked = sum(one.people * len(one.items) for one in own)
    reports, files = sum(one.reports for one in own), sum(one.files for one in own)
    told: tuple[Shown, ...] = (reports, files)
    if split_is_small((reports, count - reports)):
        told = (HIDDEN, HIDDEN)
    cases, again = sum(one.objections for one in raised), sum(one.rechecks for one in raised)
    few = is_small(cases) or split_is_small((again, cases - again))
    mandates = sum(one.mandates for one in own)
    of_people = (_alone(mandates), HIDDEN if is_small(people) else asked)
    return StatisticsRow(name, (*of_people, *told, _alone(cases), HIDDEN if few else again))


def _entrusted(found: Sequence[Entrusted]) -> tuple[StatisticsRow, ...]:
    months = sorted(found, key=lambda one: one.month, reverse=True)
    return tuple(
        StatisticsRow(
            one.month, (*_counted_points(one.queries, one.points), *_counted_points(one.sums, one.sum_points))
        )
        for one in months
        if one.queries or one.sums
    )


def _counted_points(queries: int, points: int) -> tuple[Shown, Shown]:
    return (SMALL, HIDDEN) if is_small(queries) else (queries, points)


def _alone(count: int) -> Shown:
    """A count that is in no sum."""
    return SMALL if is_small(count) else count


def _untold(table: str, name: str, first: Shown = HIDDEN) -> StatisticsRow:
    return StatisticsRow(name, (first, *[HIDDEN] * (len(COLUMNS[table]) - 1)))


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
