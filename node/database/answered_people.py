"""Whose answers of earlier jobs may be used again: people by keyed digests, never by their numbers."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, insert, select

from node.database.deadline_tables import answered_people
from node.database.tables import jobs, parts
from node.domain.jobs import VERIFICATION, JobRow

_ADD = insert(answered_people)


@dataclass(frozen=True, slots=True)
class AnsweredPart:
    """A part that was answered: its people as in `node.domain.reuse.people_digests`, its definitions as
    JSON.
    """

    job: str
    ended_at: datetime
    definitions: str
    digests: bytes = field(repr=False)


def add_people(tx: Connection, job: str, digests: bytes) -> None:
    """Store the people of a new verification."""
    tx.execute(_ADD, {"job": job, "digests": digests})


def find_answered(tx: Connection, job: JobRow, peer: str, since: datetime) -> list[AnsweredPart]:
    """What a peer answered since a moment in other verifications of the same owner and purpose, newest
    first.
    """
    found = (
        select(jobs.c.id, parts.c.ended_at, parts.c.definitions, answered_people.c.digests)
        .join(parts, parts.c.job == jobs.c.id)
        .join(answered_people, answered_people.c.job == jobs.c.id)
        .where(
            jobs.c.owner == job.owner,
            jobs.c.kind == VERIFICATION,
            jobs.c.purpose == job.purpose,
            jobs.c.id != job.id,
            parts.c.peer == peer,
            parts.c.state == "done",
            parts.c.ended_at >= since,
        )
        .order_by(parts.c.ended_at.desc(), jobs.c.id)
    )
    return [
        AnsweredPart(row.id, row.ended_at, row.definitions, bytes(row.digests)) for row in tx.execute(found)
    ]
