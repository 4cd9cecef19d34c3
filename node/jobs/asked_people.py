"""Notes who is asked about by a job, so that a person can be told (domain.md section 8; 个保法 art. 45)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from node.context import Node
from node.database import Connection
from node.database import asked as rows
from node.database.asked import AskedJob, UrgentRow
from node.domain import sealed_names
from node.domain.days import FIRST_DAY, china_day
from node.domain.jobs import JobRow
from node.domain.lookups import by_prefix, person_digests
from node.requester.points import HasIdentities, identity_pairs


@dataclass(frozen=True, slots=True)
class AskedPeople:
    """Who a new job asks about, as it is stored; `urgent` are those whose mandate is to follow."""

    job: AskedJob
    digests: dict[int, bytes] = field(repr=False)
    urgent: tuple[UrgentRow, ...] = field(repr=False)

    def write(self, tx: Connection) -> None:
        """Store it with the job, in one transaction."""
        rows.add_job(tx, self.job, self.digests)
        rows.add_urgent(tx, self.urgent)


def note_people(
    node: Node,
    row: JobRow,
    peers: tuple[str, ...],
    people: Iterable[HasIdentities],
    matter: str = "",
    waiting: Iterable[tuple[int, str, str]] = (),
) -> AskedPeople:
    """Digests of everybody a job asks about; `waiting` are those before their mandates, as `JobKind` says."""
    values = [value for _, value in identity_pairs(people)]
    job = AskedJob(
        job=row.id,
        kind=row.kind,
        owner=row.owner,
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        matter=matter,
        items=row.items,
        peers=peers,
        people=row.subjects,
        asked_at=row.created_at,
    )
    digests = by_prefix(person_digests(node.keys.lookup_key, values))
    due_on = _due_on(node, row.created_at)
    return AskedPeople(job, digests, tuple(_urgent(node, row, due_on, *one) for one in waiting))


def _urgent(node: Node, row: JobRow, due_on: int, place: int, ref: str, value: str) -> UrgentRow:
    (person,) = person_digests(node.keys.lookup_key, [value])
    sealed = node.keys.vault.seal(sealed_names.of_urgent(row.id, place), ref.encode())
    return UrgentRow(row.id, place, row.owner, person, due_on, row.created_at, None, sealed)


def _due_on(node: Node, asked_at: datetime) -> int:
    last = china_day(asked_at) + timedelta(days=node.config.mandates.urgent_days)
    return (last - FIRST_DAY).days
