"""Pages of the audit chain, newest first, chosen by name, account, peer and time; reading only."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from node.database.tables import audit
from node.domain.audit_chain import AuditEvent


@dataclass(frozen=True, slots=True)
class EventChoice:
    """Which events; what is empty does not choose. `since` counts, `until` does not."""

    event: str = ""
    user: str = ""
    peer: str = ""
    since: datetime | None = None
    until: datetime | None = None


def page(tx: Connection, choice: EventChoice, limit: int, offset: int) -> tuple[Sequence[AuditEvent], int]:
    """A page of events, newest first, and how many there are."""
    where = _where(choice)
    total = tx.scalar(select(func.count()).select_from(audit).where(*where)) or 0
    found = select(audit).where(*where).order_by(audit.c.seq.desc()).limit(limit).offset(offset)
    return [_event(row) for row in tx.execute(found)], int(total)


def in_order(tx: Connection, choice: EventChoice, most: int) -> Iterator[AuditEvent]:
    """At most so many events, oldest first."""
    for row in tx.execute(select(audit).where(*_where(choice)).order_by(audit.c.seq).limit(most)):
        yield _event(row)


def of_kinds(tx: Connection, kinds: Sequence[str], most: int) -> list[AuditEvent]:
    """The newest so many events of some names, oldest first."""
    found = select(audit).where(audit.c.event.in_(kinds)).order_by(audit.c.seq.desc()).limit(most)
    return [_event(row) for row in tx.execute(found)][::-1]


def of_account(tx: Connection, kinds: Sequence[str], account: str, most: int) -> list[AuditEvent]:
    """The newest so many events of some names about an account, newest first."""
    written = (
        f'"account":{json.dumps(account, ensure_ascii=False)}'  # canonical JSON: written in one way only
    )
    about = audit.c.details.contains(written, autoescape=True)
    found = select(audit).where(audit.c.event.in_(kinds), about).order_by(audit.c.seq.desc()).limit(most)
    return [_event(row) for row in tx.execute(found)]


def last_at(tx: Connection, event: str) -> datetime | None:
    """When an event was written last."""
    found: datetime | None = tx.scalar(select(func.max(audit.c.at)).where(audit.c.event == event))
    return found


def _where(choice: EventChoice) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if choice.event:
        found.append(audit.c.event == choice.event)
    for name, value in (("user", choice.user), ("peer", choice.peer)):
        if value:  # details are canonical JSON: a field is written in one way only
            written = f"{json.dumps(name)}:{json.dumps(value, ensure_ascii=False)}"
            found.append(audit.c.details.contains(written, autoescape=True))
    if choice.since is not None:
        found.append(audit.c.at >= choice.since)
    if choice.until is not None:
        found.append(audit.c.at < choice.until)
    return found


def _event(row: Row[Any]) -> AuditEvent:
    return AuditEvent(row.seq, row.at, row.event, row.details, bytes(row.previous), bytes(row.digest))
