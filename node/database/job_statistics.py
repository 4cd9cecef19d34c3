"""Jobs, parts, objections and queries of peers counted by the database, in groups that are alike: no row
leaves it.

All are counted in an index that has all that is counted, jobs and parts in its order: a view of 100,000 jobs
takes some hundredths of a second.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    Update,
    and_,
    bindparam,
    case,
    cast,
    extract,
    func,
    select,
    update,
)

from node.database.case_tables import objections
from node.database.query_tables import queries
from node.database.tables import jobs, parts, sum_queries
from node.domain.days import DAY_ZERO, day_start, month_number
from node.domain.job_statistics import Entrusted, JobGroup, ObjectionGroup, PartGroup, next_month

_HOUR = int(timedelta(hours=1).total_seconds())
_DECIDE_HOURS = ("state", "points", "asked_at", "ended_at")


def count_jobs(tx: Connection, first: int, last: int, owners: Collection[str] | None) -> list[JobGroup]:
    """Jobs from one month to another, both as 202611; of some owners or all."""
    keys = [
        jobs.c[name] for name in ("month", "owner", "state", "answered", "items")
    ]  # `c.items` is a method
    files = jobs.c.files_issued
    sums = (func.sum(jobs.c.subjects), func.sum(jobs.c.mandates), func.sum(files))
    found = select(*keys, func.count(), *sums, func.sum(case((files > 0, 1), else_=0))).group_by(*keys)
    chosen = found.where(jobs.c.month.between(first, last), *_of(jobs.c.owner, owners))
    return [
        JobGroup(_month_name(month), owner, state, answered, tuple(json.loads(items)), *map(int, counts))
        for month, owner, state, answered, items, *counts in map(tuple, tx.execute(chosen))
    ]


def count_objections(
    tx: Connection, first: date, last: date, owners: Collection[str] | None
) -> list[ObjectionGroup]:
    """Objections that were raised from one month to another, both by their first days."""
    day, again = objections.c.raised_day, case((objections.c.recheck_job != "", 1), else_=0)
    found = select(day, func.count(), func.sum(again)).group_by(day)
    raised = (day >= _number(first), day < _number(next_month(last)))
    counts = defaultdict[int, list[int]](lambda: [0, 0])
    for number, count, rechecks in map(
        tuple, tx.execute(found.where(*raised, *_of(objections.c.owner, owners)))
    ):
        own = counts[month_number(date.fromordinal(DAY_ZERO + number))]
        own[0] += int(count)
        own[1] += int(rechecks)
    return [ObjectionGroup(_month_name(month), *found) for month, found in counts.items()]


def count_entrusted(tx: Connection, months: Collection[date]) -> list[Entrusted]:
    """What peers asked of this node, for each month, by their first days."""
    return [Entrusted(_month_name(month_number(first)), *_asked_in(tx, first)) for first in months]


def _asked_in(tx: Connection, first: date) -> tuple[int, int, int, int]:
    begin, end = day_start(first), day_start(next_month(first))
    at = queries.c.opened_at
    points = select(func.count(), func.coalesce(func.sum(queries.c.points), 0)).where(at >= begin, at < end)
    # A query for sums has a row for each item, and asks about the same people in all of them.
    sums = select(sum_queries.c.peer, sum_queries.c.query_id, sum_queries.c.points).distinct()
    one = sums.where(sum_queries.c.at >= begin, sum_queries.c.at < end).subquery()
    of_sums = select(func.count(), func.coalesce(func.sum(one.c.points), 0)).select_from(one)
    count, total = tx.execute(points).one()
    sum_count, sum_total = tx.execute(of_sums).one()
    return int(count), int(total), int(sum_count), int(sum_total)


def count_parts(tx: Connection, month: int, days: int, owners: Collection[str] | None) -> list[PartGroup]:
    """The newest attempts of parts of the jobs of a month: answered ones by whole hours, up to `days` in
    time.
    """
    keys = [parts.c[name] for name in ("owner", "peer", "state", "reason", "hours")]
    found = select(*keys, func.count(), func.sum(parts.c.subjects)).group_by(parts.c.month, *keys)
    chosen = found.where(parts.c.month == month, *_of(parts.c.owner, owners))
    longest = timedelta(days=days) // timedelta(hours=1)
    counts = defaultdict[tuple[str, str, str, int | None], list[int]](lambda: [0, 0])
    for _, peer, state, reason, hours, count, people in map(tuple, tx.execute(chosen)):
        own = counts[peer, state, reason if state == "refused" else "", hours]
        own[0] += int(count)
        own[1] += int(people)
    return [
        PartGroup(peer, state, why, hours, hours is not None and hours <= longest, count, people)
        for (peer, state, why, hours), (count, people) in counts.items()
    ]


def change_part(tx: Connection, job: str, peer: str, changed: Mapping[str, object]) -> None:
    """Change some columns of a part, and with them the column `hours` where they decide it."""
    deciding = tuple(name for name in _DECIDE_HOURS if name in changed)
    new = {f"new_{name}": changed[name] for name in deciding}
    tx.execute(_change(deciding, tx.dialect.name), {"of_job": job, "of_peer": peer, **changed, **new})


@lru_cache(maxsize=64)  # it takes longer to build a statement than to run it
def _change(deciding: tuple[str, ...], dialect: str) -> Update:
    """What it sets besides are the columns among its parameters."""
    place = (parts.c.job == bindparam("of_job"), parts.c.peer == bindparam("of_peer"))
    change = update(parts).where(*place)
    return change.values(hours=_hours(deciding, dialect)) if deciding else change


def _hours(changed: tuple[str, ...], dialect: str) -> ColumnElement[int | None]:
    """The column `hours` as it is after a change of other columns."""
    state, points, asked, ended = (
        bindparam(f"new_{name}", type_=parts.c[name].type) if name in changed else parts.c[name]
        for name in _DECIDE_HOURS
    )
    taken = _seconds(dialect, ended) - _seconds(dialect, asked)
    answered = and_(state == "done", points > 0, ended.is_not(None))
    return case((answered, (taken + (_HOUR - 1)) // _HOUR))


def _number(day: date) -> int:
    return day.toordinal() - DAY_ZERO


def _month_name(number: int) -> str:
    return f"{number // 100}-{number % 100:02}"


def _of(owner: Column[str], owners: Collection[str] | None) -> tuple[ColumnElement[bool], ...]:
    return () if owners is None else (owner.in_(owners),)


def _seconds(dialect: str, moment: ColumnElement[Any]) -> ColumnElement[int]:
    """Whole seconds since 1970."""
    seconds = extract("epoch", moment)  # whole ones in SQLite, which may lack `floor`
    return seconds if dialect == "sqlite" else cast(func.floor(seconds), Integer)
