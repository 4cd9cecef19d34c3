"""The audit chain in the database; rows are never updated or deleted."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select

from node.acting import acting_person
from node.database.tables import audit
from node.domain.audit_chain import AuditEvent, Detail, link

# Built once: it takes longer to build a statement than to run it.
_LAST = select(audit).order_by(audit.c.seq.desc()).limit(1).with_for_update()
_ADD = insert(audit)


def append(tx: Connection, event: str, details: Mapping[str, Detail], now: datetime) -> AuditEvent:
    """Add one event. Of two simultaneous writers one raises ConflictError and tries again."""
    row = tx.execute(_LAST).one_or_none()
    # Who acts, if a person does; a detail of the event's own is never replaced.
    new = link(None if row is None else _event(row), event, {**acting_person(), **details}, now)
    values = {"seq": new.seq, "at": new.at, "event": new.event, "details": new.details}
    tx.execute(_ADD, {**values, "previous": new.previous, "digest": new.digest})
    return new


def events(tx: Connection, after: int = 0) -> Iterator[AuditEvent]:
    """Events after a number, in order."""
    for row in tx.execute(select(audit).where(audit.c.seq > after).order_by(audit.c.seq)):
        yield _event(row)


def _event(row: Row[tuple[object, ...]]) -> AuditEvent:
    return AuditEvent(row.seq, row.at, row.event, row.details, bytes(row.previous), bytes(row.digest))
