"""Who was asked about when, by digests under the lookup key, and urgent checks whose mandates must follow."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from node.database.household_tables import PERSON, asked_jobs, asked_people, urgent_checks
from node.database.tables import jobs

# Built once: it takes longer to build a statement than to run it.
_ADD_JOB, _ADD_PEOPLE = insert(asked_jobs), insert(asked_people)


@dataclass(frozen=True, slots=True)
class AskedJob:
    """What a job asked; `is_kept` says whether the job itself, with its answers, is still there."""

    job: str
    kind: str
    owner: str
    purpose: str
    legal_basis: str
    matter: str
    items: tuple[str, ...]
    peers: tuple[str, ...]
    people: int
    asked_at: datetime
    is_kept: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class UrgentRow:
    """One person of an urgent check. `due_on` is a day since 1970-01-01."""

    job: str
    place: int
    owner: str
    person: bytes
    due_on: int
    opened_at: datetime
    closed_at: datetime | None
    sealed: bytes


def add_job(tx: Connection, job: AskedJob, digests: Mapping[int, bytes]) -> None:
    """Store what a job asks, and of whom: by the first byte of their digests, all with that byte in order."""
    tx.execute(
        _ADD_JOB,
        {
            "job": job.job,
            "kind": job.kind,
            "owner": job.owner,
            "purpose": job.purpose,
            "legal_basis": job.legal_basis,
            "matter": job.matter,
            "items": json.dumps(job.items),
            "peers": json.dumps(job.peers),
            "people": job.people,
            "asked_at": job.asked_at,
        },
    )
    rows = [{"job": job.job, "prefix": first, "digests": found} for first, found in digests.items()]
    if rows:
        tx.execute(_ADD_PEOPLE, rows)


def jobs_about(tx: Connection, people: Collection[bytes]) -> list[AskedJob]:
    """The jobs that asked about any of some people, oldest first."""
    wanted = {one[0] for one in people}
    rows = tx.execute(
        select(asked_people.c.job, asked_people.c.digests).where(asked_people.c.prefix.in_(wanted))
    )
    found = {row.job for row in rows if _has(bytes(row.digests), people)}
    kept = select(jobs.c.id).where(jobs.c.id == asked_jobs.c.job).exists().label("is_kept")
    asked = (
        select(asked_jobs, kept)
        .where(asked_jobs.c.job.in_(found))
        .order_by(asked_jobs.c.asked_at, asked_jobs.c.job)
    )
    return list(map(_job, tx.execute(asked)))


def _has(digests: bytes, people: Collection[bytes]) -> bool:
    every = {digests[at : at + PERSON] for at in range(0, len(digests), PERSON)}
    return not every.isdisjoint(people)


def due_jobs(tx: Connection, before: datetime, most: int | None = None) -> list[str]:
    """Jobs that asked before a moment and are themselves erased."""
    kept = select(jobs.c.id).where(jobs.c.id == asked_jobs.c.job).exists()
    asked = select(asked_jobs.c.job).where(asked_jobs.c.asked_at < before, ~kept).limit(most)
    return [row.job for row in tx.execute(asked)]


def remove_jobs(tx: Connection, chosen: Collection[str]) -> None:
    """Erase who was asked about in some jobs."""
    for table in (asked_people, asked_jobs):
        tx.execute(delete(table).where(table.c.job.in_(chosen)))


# ---- urgent checks


def add_urgent(tx: Connection, rows: Sequence[UrgentRow]) -> None:
    """Store the people of an urgent check without a mandate."""
    if rows:
        tx.execute(
            insert(urgent_checks), [{name: getattr(row, name) for name in row.__slots__} for row in rows]
        )


def close_urgent(tx: Connection, owner: str, people: Collection[bytes], now: datetime) -> int:
    """Close the open urgent checks of some people, whose mandate has come; returns how many."""
    place = and_(
        urgent_checks.c.owner == owner,
        urgent_checks.c.person.in_(people),
        urgent_checks.c.closed_at.is_(None),
    )
    return tx.execute(update(urgent_checks).where(place).values(closed_at=now)).rowcount


def open_urgent(tx: Connection, owners: Collection[str] | None, limit: int) -> list[UrgentRow]:
    """Urgent checks whose mandate has not come, the first due first."""
    asked = select(urgent_checks).where(urgent_checks.c.closed_at.is_(None))
    if owners is not None:
        asked = asked.where(urgent_checks.c.owner.in_(owners))
    order = (urgent_checks.c.due_on, urgent_checks.c.job, urgent_checks.c.place)
    return list(map(_urgent, tx.execute(asked.order_by(*order).limit(limit))))


def overdue_people(tx: Connection, owner: str, today: int) -> frozenset[bytes]:
    """People of an owner's urgent checks whose mandate should have come before today."""
    asked = select(urgent_checks.c.person).where(
        urgent_checks.c.owner == owner, urgent_checks.c.closed_at.is_(None), urgent_checks.c.due_on < today
    )
    return frozenset(bytes(row.person) for row in tx.execute(asked))


def count_urgent(tx: Connection, today: int) -> tuple[int, int]:
    """How many urgent checks wait for their mandate, and how many of them are overdue."""
    is_open = urgent_checks.c.closed_at.is_(None)
    waiting = select(func.count()).select_from(urgent_checks).where(is_open)
    return tx.scalar(waiting) or 0, tx.scalar(waiting.where(urgent_checks.c.due_on < today)) or 0


def due_urgent(tx: Connection, before: datetime) -> int:
    """How many urgent checks were opened before a moment."""
    asked = select(func.count()).select_from(urgent_checks).where(_is_over(before))
    return tx.scalar(asked) or 0


def remove_urgent(tx: Connection, before: datetime) -> int:
    """Erase them; returns how many."""
    return tx.execute(delete(urgent_checks).where(_is_over(before))).rowcount


def _is_over(before: datetime) -> Any:
    return or_(urgent_checks.c.closed_at < before, urgent_checks.c.opened_at < before)


def _job(row: Row[Any]) -> AskedJob:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    for name in ("items", "peers"):
        values[name] = tuple(json.loads(values[name]))
    return AskedJob(**{**values, "is_kept": bool(values["is_kept"])})


def _urgent(row: Row[Any]) -> UrgentRow:
    values = dict(row._mapping)  # noqa: SLF001
    return UrgentRow(**{**values, "person": bytes(values["person"]), "sealed": bytes(values["sealed"])})
