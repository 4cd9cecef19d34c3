"""Requests to correct records: the entries they can be about, those sent and those received.

Whose record it is, is sealed before it is passed to this module.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, or_, select, update

from node.database.case_tables import matched_entries, received_corrections, sent_corrections
from node.domain.corrections import CLOSED, Basis, Fault, ReceivedCorrection, SentCorrection, State
from node.domain.working_days import Due

_SENT = tuple(one for one in sent_corrections.c if one.name != "content_sealed")
_RECEIVED = tuple(
    one for one in received_corrections.c if one.name not in ("content_sealed", "digest", "epoch")
)
# Built once, as every job keeps entries.
_ADD_ENTRIES = insert(matched_entries)
_ERASE_ENTRIES = delete(matched_entries).where(
    *(matched_entries.c[name] == bindparam(f"of_{name}") for name in ("job", "peer", "item"))
)

# ---- entries that a job opened


def keep_entries(tx: Connection, job: str, peer: str, item: str, sealed: bytes) -> None:
    """Keep the entries of one item in the place of those of an earlier run; no bytes keep none."""
    tx.execute(_ERASE_ENTRIES, {"of_job": job, "of_peer": peer, "of_item": item})
    if sealed:
        tx.execute(_ADD_ENTRIES, {"job": job, "peer": peer, "item": item, "sealed": sealed})


def read_entries(tx: Connection, job: str, peer: str, item: str) -> bytes | None:
    """The sealed entries of one item, None where the job opened none."""
    here = matched_entries.c
    found = tx.scalar(
        select(here.sealed).where(here.job == job, here.peer == peer, here.item == item)
    )  # fmt: skip
    return None if found is None else bytes(found)


# ---- sent


def add_sent(tx: Connection, row: SentCorrection, sealed: bytes) -> None:
    """Store a new request of this node; its job stands in what is sealed, and beside it."""
    tx.execute(
        insert(sent_corrections).values(
            id=row.id,
            owner=row.owner,
            job=row.job,
            peer=row.peer,
            item=row.item,
            fault=row.fault.value,
            basis=row.basis.value,
            reference=row.reference,
            content_sealed=sealed,
            state=row.state.value,
            reason=row.reason,
            created_at=row.created_at,
            received_at=row.received_at,
            due_at=row.due_at,
            due_estimated=row.due_estimated,
            answered_at=row.answered_at,
        )
    )


def list_sent(
    tx: Connection, owners: Collection[str] | None = None, *, waiting: bool = False, limit: int = 1_000
) -> list[SentCorrection]:
    """Newest first, of some owners or all; only those without an answer where `waiting`, oldest first."""
    asked = select(*_SENT).limit(limit)
    here = sent_corrections.c
    asked = asked.order_by(here.created_at if waiting else here.created_at.desc(), here.id)
    if owners is not None:
        asked = asked.where(here.owner.in_(owners))
    if waiting:
        asked = asked.where(here.state.not_in([one.value for one in CLOSED]))
    return [_sent(row) for row in tx.execute(asked)]


def find_sent(tx: Connection, correction: bytes) -> tuple[SentCorrection, bytes] | None:
    """One request of this node, and what is sealed of it."""
    asked = select(sent_corrections).where(sent_corrections.c.id == correction)
    row = tx.execute(asked).one_or_none()
    return None if row is None else (_sent(row), bytes(row.content_sealed))


def update_sent(
    tx: Connection, correction: bytes, state: State, reason: str = "", **times: datetime | bool | None
) -> bool:
    """Change the state of a request that is not closed; `times` are received_at, due_at with due_estimated,
    answered_at.
    """
    here = sent_corrections.c
    changed = update(sent_corrections).where(
        here.id == correction, here.state.not_in([one.value for one in CLOSED])
    )
    return tx.execute(changed.values(state=state.value, reason=reason, **times)).rowcount == 1


def move_sent(tx: Connection, correction: bytes, due: Due) -> bool:
    """Count the time anew of one without a receipt whose time is estimated; whether it was one."""
    here = sent_corrections.c
    changed = update(sent_corrections).where(
        here.id == correction, here.state == State.SENT.value, here.due_estimated
    )
    return tx.execute(changed.values(due_at=due.at, due_estimated=due.estimated)).rowcount == 1


# ---- received


def find_received(tx: Connection, peer: str, correction: bytes) -> tuple[ReceivedCorrection, bytes] | None:
    """A peer's request by the id that it chose, with the digest of its message."""
    here = received_corrections.c
    row = tx.execute(
        select(*_RECEIVED, here.digest).where(here.peer == peer, here.id == correction)
    ).one_or_none()
    return None if row is None else (_received(row), bytes(row.digest))


def read_received(tx: Connection, number: int) -> tuple[ReceivedCorrection, int, bytes] | None:
    """A request by this node's number, with the epoch of its tag and what is sealed of it."""
    here = received_corrections.c
    row = tx.execute(
        select(*_RECEIVED, here.epoch, here.content_sealed).where(here.number == number)
    ).one_or_none()
    return None if row is None else (_received(row), int(row.epoch), bytes(row.content_sealed))


def add_received(tx: Connection, row: ReceivedCorrection, digest: bytes, epoch: int, sealed: bytes) -> None:
    """Store a new request of a peer; the database numbers it."""
    tx.execute(
        insert(received_corrections).values(
            peer=row.peer,
            id=row.id,
            digest=digest,
            item=row.item,
            epoch=epoch,
            fault=row.fault.value,
            basis=row.basis.value,
            reference=row.reference,
            content_sealed=sealed,
            state=row.state.value,
            reason=row.reason,
            received_at=row.received_at,
            due_at=row.due_at,
            due_estimated=row.due_estimated,
            answered_at=row.answered_at,
        )
    )


def count_received(tx: Connection, peer: str, since: datetime) -> tuple[int, int]:
    """How many requests of a peer wait for an answer, and how many came since a moment."""
    here = received_corrections.c
    mine = select(func.count()).select_from(received_corrections).where(here.peer == peer)
    waiting = tx.scalar(mine.where(here.state == State.RECEIVED.value)) or 0
    return waiting, tx.scalar(mine.where(here.received_at > since)) or 0


def list_received(tx: Connection, *, waiting: bool = False, limit: int = 1_000) -> list[ReceivedCorrection]:
    """Newest first; only those without an answer where `waiting`, the most urgent first."""
    here = received_corrections.c
    asked = select(*_RECEIVED).limit(limit)
    asked = asked.order_by(here.due_at, here.number) if waiting else asked.order_by(here.number.desc())
    if waiting:
        asked = asked.where(here.state == State.RECEIVED.value)
    return [_received(row) for row in tx.execute(asked)]


def answer_received(tx: Connection, number: int, state: State, reason: str, now: datetime) -> bool:
    """Answer a request; False where it has an answer already."""
    here = received_corrections.c
    changed = update(received_corrections).where(here.number == number, here.state == State.RECEIVED.value)
    return tx.execute(changed.values(state=state.value, reason=reason, answered_at=now)).rowcount == 1


def move_received(tx: Connection, number: int, due: Due) -> bool:
    """Count the time anew of one without an answer whose time is estimated; whether it was one."""
    here = received_corrections.c
    changed = update(received_corrections).where(
        here.number == number, here.state == State.RECEIVED.value, here.due_estimated
    )
    return tx.execute(changed.values(due_at=due.at, due_estimated=due.estimated)).rowcount == 1


# ---- retention


def count_due(tx: Connection, before: datetime) -> int:
    """How many requests, sent and received, were answered or became overdue before a moment."""
    return sum(
        tx.scalar(select(func.count()).select_from(table).where(_is_over(table.c, before))) or 0
        for table in (sent_corrections, received_corrections)
    )


def erase_due(tx: Connection, before: datetime) -> int:
    """Erase them; returns how many."""
    return sum(
        tx.execute(delete(table).where(_is_over(table.c, before))).rowcount
        for table in (sent_corrections, received_corrections)
    )


def _is_over(here: Any, before: datetime) -> ColumnElement[bool]:
    return or_(here.answered_at < before, here.answered_at.is_(None) & (here.due_at < before))


def _sent(row: Row[Any]) -> SentCorrection:
    return SentCorrection(
        id=bytes(row.id),
        owner=row.owner,
        job=row.job,
        peer=row.peer,
        item=row.item,
        fault=Fault(row.fault),
        basis=Basis(row.basis),
        reference=row.reference,
        state=State(row.state),
        reason=row.reason,
        created_at=row.created_at,
        received_at=row.received_at,
        due_at=row.due_at,
        due_estimated=row.due_estimated,
        answered_at=row.answered_at,
    )


def _received(row: Any) -> ReceivedCorrection:
    return ReceivedCorrection(
        number=row.number,
        peer=row.peer,
        id=bytes(row.id),
        item=row.item,
        fault=Fault(row.fault),
        basis=Basis(row.basis),
        reference=row.reference,
        state=State(row.state),
        reason=row.reason,
        received_at=row.received_at,
        due_at=row.due_at,
        due_estimated=row.due_estimated,
        answered_at=row.answered_at,
    )
