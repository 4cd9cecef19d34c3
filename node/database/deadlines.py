"""Deadlines of parts, peers that are away, attempts, peers left out, how long peers take to answer."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from node.database.deadline_tables import attempts, left_out
from node.database.jobs import PART_COLUMNS, update_part
from node.database.tables import jobs, parts
from node.domain.jobs import AWAY, OPEN_PARTS, OPEN_STATES, WAITING, Attempt, PartClock, PartRow

_OPEN = (WAITING, *OPEN_PARTS)


def open_parts(tx: Connection, owners: Collection[str] | None = None) -> list[tuple[str, PartRow]]:
    """Parts that have not ended, of some owners' jobs or all, with the owner; the first due first."""
    found = (
        select(jobs.c.owner, *PART_COLUMNS)
        .join(jobs, jobs.c.id == parts.c.job)
        .where(jobs.c.state.in_(OPEN_STATES), parts.c.state.in_(_OPEN))
        .order_by(parts.c.due_at, parts.c.job, parts.c.peer)
    )
    if owners is not None:
        found = found.where(jobs.c.owner.in_(owners))
    rows = [dict(row._mapping) for row in tx.execute(found)]  # noqa: SLF001
    return [(row.pop("owner"), PartRow(**row)) for row in rows]


def set_clock(tx: Connection, part: PartRow, clock: PartClock) -> None:
    """Other deadlines of a part that has not ended; of its job too, where it began with it."""
    open_part = (parts.c.job == part.job, parts.c.peer == part.peer, parts.c.state.in_(_OPEN))
    tx.execute(update(parts).where(*open_part).values(**asdict(clock)))
    began = (jobs.c.id == part.job, jobs.c.created_at == clock.asked_at)
    tx.execute(update(jobs).where(*began).values(due_at=clock.due_at, due_estimated=clock.due_estimated))


def note_warned(tx: Connection, part: PartRow, now: datetime) -> bool:
    """Note that a part was warned of; False where it was before, or has ended."""
    waiting = (
        parts.c.job == part.job,
        parts.c.peer == part.peer,
        parts.c.warned_at.is_(None),
        parts.c.state.in_(_OPEN),
    )
    return tx.execute(update(parts).where(*waiting).values(warned_at=now)).rowcount > 0


def defer_away(tx: Connection, peer: str, until: datetime) -> None:
    """A peer is still away: no other part that waits for it asks before that time."""
    later = and_(_away(peer), parts.c.retry_at < until)
    tx.execute(update(parts).where(later).values(retry_at=until))


def wake_away(tx: Connection, peer: str, now: datetime) -> None:
    """A peer has answered: what waited because it was away goes on."""
    tx.execute(_WAKE, {"of_peer": peer, "now": now})


def _away(peer: str | BindParameter[str]) -> ColumnElement[bool]:
    return and_(parts.c.peer == peer, parts.c.state == WAITING, parts.c.reason.in_(AWAY))


# Built once: it takes longer to build a statement than to run it, and every job and its report run these.
_WAKE = (
    update(parts)
    .where(_away(bindparam("of_peer")), parts.c.retry_at > bindparam("now"))
    .values(retry_at=bindparam("now"))
)
_CHOSEN: BindParameter[Sequence[str]] = bindparam("chosen", expanding=True)
_ATTEMPTS = (
    select(attempts)
    .where(attempts.c.job.in_(_CHOSEN))
    .order_by(attempts.c.job, attempts.c.peer, attempts.c.number)
)
_LEFT_OUT = select(left_out).where(left_out.c.job.in_(_CHOSEN)).order_by(left_out.c.peer)


def restart_part(tx: Connection, part: PartRow, clock: PartClock) -> None:
    """Keep how the newest attempt ended, and begin another one, under its own deadlines."""
    if part.asked_at is not None and part.ended_at is not None:
        own = (attempts.c.job == part.job, attempts.c.peer == part.peer)
        number = (tx.scalar(select(func.max(attempts.c.number)).where(*own)) or 0) + 1
        ended = {"job": part.job, "peer": part.peer, "number": number, "state": part.state}
        ended |= {"reason": part.reason, "points": part.points}
        tx.execute(insert(attempts).values(**ended, asked_at=part.asked_at, ended_at=part.ended_at))
    begun = {"state": "pending", "reason": "", "retry_at": None, "warned_at": None, "ended_at": None}
    counts = {"done": 0, "total": 0, "points": 0, "plan": "", "plan_reason": ""}
    sealed = {"session_sealed": None, "refusals_sealed": None, "reused_sealed": None}
    update_part(tx, part.job, part.peer, {**begun, **counts, **sealed, **asdict(clock)})


def reopen_job(tx: Connection, job: str, report_by: datetime) -> None:
    """A job that has ended runs again, and its report is fetched anew."""
    begun = {"state": "queued", "finished_at": None, "fetched_at": None, "error": ""}
    again = update(jobs).where(jobs.c.id == job)
    tx.execute(again.values(**begun, report_by=report_by, cancel_requested=False))


def list_attempts(tx: Connection, chosen: Sequence[str]) -> Mapping[tuple[str, str], tuple[Attempt, ...]]:
    """Earlier attempts of the parts of some jobs by (job, peer), oldest first."""
    found: dict[tuple[str, str], tuple[Attempt, ...]] = {}
    for row in tx.execute(_ATTEMPTS, {"chosen": list(chosen)}):
        one = Attempt(row.asked_at, row.ended_at, row.state, row.reason, row.points)
        found[row.job, row.peer] = (*found.get((row.job, row.peer), ()), one)
    return found


def add_left_out(tx: Connection, job: str, reasons: Mapping[str, str]) -> None:
    """Note the peers that a job does not ask, and why."""
    rows = [{"job": job, "peer": peer, "reason": reason} for peer, reason in reasons.items()]
    if rows:
        tx.execute(insert(left_out), rows)


def list_left_out(tx: Connection, chosen: Sequence[str]) -> Mapping[str, dict[str, str]]:
    """The reasons by peer, of some jobs."""
    found: dict[str, dict[str, str]] = {}
    for row in tx.execute(_LEFT_OUT, {"chosen": list(chosen)}):
        found.setdefault(row.job, {})[row.peer] = row.reason
    return found


def ended_attempts(
    tx: Connection, peer: str, most: int, owners: Collection[str] | None = None
) -> Iterator[Attempt]:
    """The newest attempts at a peer that have ended, earlier ones of the same part too; of some owners'
    jobs.
    """
    columns = ("asked_at", "ended_at", "state", "reason", "points")
    for table in (parts, attempts):
        query = select(*(table.c[name] for name in columns))
        query = query.where(table.c.peer == peer, table.c.ended_at.is_not(None))
        if owners is not None:
            query = query.join(jobs, jobs.c.id == table.c.job).where(jobs.c.owner.in_(owners))
        for row in tx.execute(query.order_by(table.c.ended_at.desc()).limit(most)):
            yield Attempt(*row)
