"""Jobs and parts counted by the database, in groups that are alike: no row of a job leaves it."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, and_, case, cast, extract, func, select

from node.database.tables import jobs, parts
from node.domain.job_statistics import JobGroup, PartGroup

_HOUR = 3_600


def count_jobs(
    tx: Connection, months: Sequence[tuple[str, datetime]], owners: Collection[str] | None
) -> list[JobGroup]:
    """Jobs since the first month began, of some owners or all; months by name and beginning, oldest first."""
    later = [(jobs.c.created_at >= begin, name) for name, begin in reversed(months[1:])]
    month = case(*later, else_=months[0][0]).label("month")
    read = [jobs.c[name] for name in ("owner", "state", "items", "subjects")]
    chosen = select(month, *read).where(jobs.c.created_at >= months[0][1], *_of(owners)).subquery()
    keys = [chosen.c[name] for name in ("month", "owner", "state", "items")]
    found = select(*keys, func.count(), func.sum(chosen.c.subjects)).group_by(*keys)
    return [
        JobGroup(name, owner, state, tuple(json.loads(items)), int(count), int(people))
        for name, owner, state, items, count, people in map(tuple, tx.execute(found))
    ]


def count_parts(
    tx: Connection, begin: datetime, end: datetime, days: int, owners: Collection[str] | None
) -> list[PartGroup]:
    """The newest attempts of parts of the jobs of that time: answered ones by whole hours."""
    answered = and_(parts.c.state == "done", parts.c.points > 0, parts.c.ended_at.is_not(None))
    taken = _seconds(tx, parts.c.ended_at) - _seconds(tx, parts.c.asked_at)
    hours = case((answered, (taken + (_HOUR - 1)) // _HOUR)).label("hours")
    longest = int(timedelta(days=days).total_seconds())
    in_time = case((and_(answered, taken <= longest), 1), else_=0).label("in_time")
    reason = case((parts.c.state == "refused", parts.c.reason), else_="").label("reason")
    keys = (parts.c.peer, parts.c.state, reason, hours, in_time)
    chosen = (
        select(*keys, jobs.c.subjects)
        .join(jobs, jobs.c.id == parts.c.job)
        .where(jobs.c.created_at >= begin, jobs.c.created_at < end, *_of(owners))
        .subquery()
    )
    names = [chosen.c[name] for name in ("peer", "state", "reason", "hours", "in_time")]
    found = select(*names, func.count(), func.sum(chosen.c.subjects)).group_by(*names)
    return [
        PartGroup(peer, state, why, None if time is None else int(time), bool(early), int(count), int(people))
        for peer, state, why, time, early, count, people in map(tuple, tx.execute(found))
    ]


def _of(owners: Collection[str] | None) -> tuple[ColumnElement[bool], ...]:
    return () if owners is None else (jobs.c.owner.in_(owners),)


def _seconds(tx: Connection, moment: ColumnElement[Any]) -> ColumnElement[int]:
    """Whole seconds since 1970."""
    seconds = extract("epoch", moment)  # whole ones in SQLite, which may lack `floor`
    return seconds if tx.dialect.name == "sqlite" else cast(func.floor(seconds), Integer)
