"""Objections to reports; who objects and why is sealed before it is passed to this module."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from node.database.case_tables import objections
from node.domain.days import FIRST_DAY
from node.domain.objections import CLOSED, RECHECKING, ObjectionRow
from node.domain.working_days import Due


def add(tx: Connection, row: ObjectionRow, sealed: bytes) -> None:
    """Store a new objection."""
    tx.execute(
        insert(objections).values(
            id=row.id,
            owner=row.owner,
            job=row.job,
            report_number=row.report_number,
            item=row.item,
            peer=row.peer,
            content_sealed=sealed,
            received_day=(row.received - FIRST_DAY).days,
            raised_day=(row.raised - FIRST_DAY).days,
            due_at=row.due_at,
            due_estimated=row.due_estimated,
            state=row.state,
            result=row.result,
            recheck_job=row.recheck_job,
            created_at=row.created_at,
            closed_at=row.closed_at,
        )
    )


def find(tx: Connection, objection: str) -> tuple[ObjectionRow, bytes] | None:
    """One objection, and what is sealed of it."""
    row = tx.execute(select(objections).where(objections.c.id == objection)).one_or_none()
    return None if row is None else (_row(row), bytes(row.content_sealed))


def find_by_recheck(tx: Connection, job: str) -> tuple[ObjectionRow, bytes] | None:
    """The objection that a job looks at again."""
    asked = select(objections).where(objections.c.recheck_job == job).limit(1)
    row = tx.execute(asked).one_or_none()
    return None if row is None else (_row(row), bytes(row.content_sealed))


def list_(
    tx: Connection,
    owners: Collection[str] | None,
    *,
    job: str = "",
    waiting: bool = False,
    limit: int = 1_000,
) -> list[ObjectionRow]:
    """Newest first, of some owners or all; of one job; only those not closed where `waiting`, by due date."""
    here = objections.c
    asked = select(objections).limit(limit)
    asked = asked.order_by(here.due_at if waiting else here.created_at.desc(), here.id)
    if owners is not None:
        asked = asked.where(here.owner.in_(owners))
    if job:
        asked = asked.where(here.job == job)
    if waiting:
        asked = asked.where(here.state != CLOSED)
    return [_row(row) for row in tx.execute(asked)]


def set_recheck(tx: Connection, objection: str, job: str) -> bool:
    """Link the job that looks again; False for an objection that is closed."""
    here = objections.c
    changed = update(objections).where(here.id == objection, here.state != CLOSED)
    return tx.execute(changed.values(state=RECHECKING, recheck_job=job)).rowcount == 1


def close(tx: Connection, objection: str, result: str, now: datetime) -> bool:
    """Close an objection; False where it is closed already."""
    here = objections.c
    changed = update(objections).where(here.id == objection, here.state != CLOSED)
    return tx.execute(changed.values(state=CLOSED, result=result, closed_at=now)).rowcount == 1


def move(tx: Connection, objection: str, due: Due) -> bool:
    """Count the time anew of one that is not closed and whose time is estimated; whether it was one."""
    here = objections.c
    changed = update(objections).where(here.id == objection, here.state != CLOSED, here.due_estimated)
    return tx.execute(changed.values(due_at=due.at, due_estimated=due.estimated)).rowcount == 1


def count_due(tx: Connection, before: datetime) -> int:
    """How many were closed, or should have been, before a moment."""
    return tx.scalar(select(func.count()).select_from(objections).where(_is_over(before))) or 0


def erase_due(tx: Connection, before: datetime) -> int:
    """Erase them; returns how many."""
    return tx.execute(delete(objections).where(_is_over(before))).rowcount


def _is_over(before: datetime) -> ColumnElement[bool]:
    here = objections.c
    return or_(here.closed_at < before, here.closed_at.is_(None) & (here.due_at < before))


def _row(row: Row[Any]) -> ObjectionRow:
    return ObjectionRow(
        id=row.id,
        owner=row.owner,
        job=row.job,
        report_number=row.report_number,
        item=row.item,
        peer=row.peer,
        received=FIRST_DAY + timedelta(days=row.received_day),
        raised=FIRST_DAY + timedelta(days=row.raised_day),
        due_at=row.due_at,
        due_estimated=row.due_estimated,
        state=row.state,
        result=row.result,
        recheck_job=row.recheck_job,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
