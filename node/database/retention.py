"""Erases what jobs leave when its time is over (design.md section 7); only jobs that have ended."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from node.database.case_tables import matched_entries
from node.database.tables import DEADLINE_TABLES, answers, jobs, parts, sum_products, tokens
from node.domain.jobs import OPEN_STATES
from node.domain.retention import Erased

_FETCHED = (
    update(jobs)
    .where(jobs.c.id == bindparam("of_job"), jobs.c.fetched_at.is_(None), jobs.c.state.not_in(OPEN_STATES))
    .values(fetched_at=bindparam("now"))
)


def note_fetched(tx: Connection, job: str, now: datetime) -> None:
    """Note when the report of a job was fetched first."""
    tx.execute(_FETCHED, {"of_job": job, "now": now})


def count_files(tx: Connection, job: str, files: int = 1, most: int = 2**31 - 1) -> None:
    """Count files of a job's report that were issued; the count ends at `most`."""
    room = most - files
    issued = case((jobs.c.files_issued > room, most), else_=jobs.c.files_issued + files)
    tx.execute(update(jobs).where(jobs.c.id == job).values(files_issued=issued))


def due_jobs(tx: Connection, fetched: datetime, ended: datetime, most: int | None = None) -> list[str]:
    """Jobs that were fetched before one moment or ended before another, oldest first."""
    found = select(jobs.c.id).where(_is_due(fetched, ended)).order_by(jobs.c.finished_at, jobs.c.id)
    return [row.id for row in tx.execute(found.limit(most))]


def count_due(tx: Connection, fetched: datetime, ended: datetime) -> int:
    """How many jobs are due."""
    return tx.scalar(select(func.count()).select_from(jobs).where(_is_due(fetched, ended))) or 0


def count(tx: Connection, chosen: Sequence[str]) -> Erased:
    """What belongs to some jobs."""
    return Erased(
        jobs=len(chosen),
        answers=tx.scalar(select(func.count()).select_from(answers).where(answers.c.job.in_(chosen))) or 0,
    )


def erase(tx: Connection, chosen: Sequence[str], fetched: datetime, ended: datetime) -> Erased:
    """Erase those of some jobs that are still due, with their requests, parts, answers and secrets."""
    # Of two runs at once, the second finds none of them left.
    asked = select(jobs.c.id).where(jobs.c.id.in_(chosen), _is_due(fetched, ended)).with_for_update()
    due = tx.execute(asked)
    certain = [row.id for row in due]
    found = count(tx, certain)
    for table in (tokens, sum_products, matched_entries, answers, *DEADLINE_TABLES, parts):
        tx.execute(delete(table).where(table.c.job.in_(certain)))
    tx.execute(delete(jobs).where(jobs.c.id.in_(certain)))
    return found


def leftover_secrets(tx: Connection) -> int:
    """Seeds, tokens and unopened sums of jobs that have ended."""
    seeds = select(func.count()).where(_has_ended(parts), parts.c.session_sealed.is_not(None))
    kept = [select(func.count()).where(_has_ended(table)) for table in (tokens, sum_products)]
    return sum(tx.scalar(one) or 0 for one in (seeds, *kept))


def erase_secrets(tx: Connection) -> int:
    """Erase them; returns how many there were."""
    found = leftover_secrets(tx)
    if found:
        kept = update(parts).where(_has_ended(parts), parts.c.session_sealed.is_not(None))
        tx.execute(kept.values(session_sealed=None))
        for table in (tokens, sum_products):
            tx.execute(delete(table).where(_has_ended(table)))
    return found


def _is_due(fetched: datetime, ended: datetime) -> ColumnElement[bool]:
    return and_(
        jobs.c.state.not_in(OPEN_STATES), or_(jobs.c.fetched_at < fetched, jobs.c.finished_at < ended)
    )


def _has_ended(table: Table) -> ColumnElement[bool]:
    """Whether the job of a row has ended. Few have not, and few rows have secrets: neither looks at all
    jobs.
    """
    return table.c.job.not_in(select(jobs.c.id).where(jobs.c.state.in_(OPEN_STATES)))
