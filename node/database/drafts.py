"""Drafts of what one person prepares and another approves. What they hold comes sealed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, update

from node.database.user_tables import drafts

_WAITING = "waiting"
_SHOWN = tuple(column for column in drafts.c if not column.name.endswith("_sealed"))


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft without what it holds. `state` is draft, waiting, returned or sent.

    `job` is the id of the job that an approval begins; of a watch list its id.
    """

    id: str
    unit: str
    preparer: str
    kind: str
    state: str
    version: int
    request_digest: bytes | None = field(repr=False)
    items: tuple[str, ...]
    peers: tuple[str, ...]
    purpose: str
    subjects: int
    approver: str
    job: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DraftContent:
    """What a draft holds, sealed; None: nothing."""

    form: bytes | None = field(repr=False)
    request: bytes | None = field(repr=False)
    reason: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class DraftChoice:
    """Which drafts, and which page of them; what is empty does not choose.

    `whose` is own or others, as seen by an account. `after` is when the last draft of the page before was
    changed, and its id.
    """

    limit: int
    state: str = ""
    whose: str = ""
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class DraftPage:
    """A page of drafts; of all pages how many there are, and when the one left alone longest was changed."""

    rows: tuple[DraftRow, ...]
    has_next: bool
    total: int
    oldest: datetime | None


def add_draft(tx: Connection, row: DraftRow, form_sealed: bytes) -> None:
    """Store a new draft."""
    values = {column.name: getattr(row, column.name) for column in _SHOWN}
    lists = {"items": json.dumps(row.items), "peers": json.dumps(row.peers)}
    tx.execute(insert(drafts).values(**{**values, **lists}, form_sealed=form_sealed))


def find_draft(tx: Connection, draft: str, *, lock: bool = False) -> DraftRow | None:
    """One draft; with `lock` nobody else changes it before this transaction ends."""
    query = select(*_SHOWN).where(drafts.c.id == draft)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _draft(row)


def list_drafts(tx: Connection, below: str, account: str, choice: DraftChoice) -> DraftPage:
    """A page of drafts of units whose codes begin with `below`: newest change first, and of those that wait
    the one that waits longest.
    """
    chosen: list[ColumnElement[bool]] = [drafts.c.unit.startswith(below, autoescape=True)]
    if choice.state:
        chosen.append(drafts.c.state == choice.state)
    if choice.whose:
        own = drafts.c.preparer == account
        chosen.append(own if choice.whose == "own" else ~own)
    at, name = drafts.c.updated_at, drafts.c.id
    total, oldest = tx.execute(select(func.count(), func.min(at)).where(*chosen)).one()
    rises = choice.state == _WAITING
    if choice.after is not None:
        since, last = choice.after
        beyond, later = (at > since, name > last) if rises else (at < since, name < last)
        chosen.append(or_(beyond, and_(at == since, later)))
    order = (at, name) if rises else (at.desc(), name.desc())
    page = select(*_SHOWN).where(*chosen).order_by(*order).limit(choice.limit + 1)
    found = [_draft(row) for row in tx.execute(page)]
    return DraftPage(tuple(found[: choice.limit]), len(found) > choice.limit, int(total), oldest)


def read_content(tx: Connection, draft: str) -> DraftContent:
    """What a draft holds, sealed."""
    wanted = select(drafts.c.form_sealed, drafts.c.request_sealed, drafts.c.reason_sealed)
    row = tx.execute(wanted.where(drafts.c.id == draft)).one()
    return DraftContent(*(None if one is None else bytes(one) for one in row))


def change_draft(tx: Connection, draft: str, version: int, values: Mapping[str, object]) -> bool:
    """Change some columns of a version, which then has the next number; False where it is another one now."""
    same = (drafts.c.id == draft, drafts.c.version == version)
    changed = dict(values)
    for name in ("items", "peers"):
        if name in changed:
            changed[name] = json.dumps(changed[name])
    return tx.execute(update(drafts).where(*same).values(**changed, version=version + 1)).rowcount == 1


def delete_draft(tx: Connection, draft: str) -> bool:
    """Delete a draft; whether there was one."""
    return tx.execute(delete(drafts).where(drafts.c.id == draft)).rowcount > 0


def old_drafts(tx: Connection, before: datetime) -> list[str]:
    """Drafts that were not changed since a time."""
    return list(tx.scalars(select(drafts.c.id).where(drafts.c.updated_at < before).order_by(drafts.c.id)))


def erase_old(tx: Connection, before: datetime) -> int:
    """Delete drafts that nobody changed since a time; how many."""
    return int(tx.execute(delete(drafts).where(drafts.c.updated_at < before)).rowcount)


def _draft(row: Row[tuple[object, ...]]) -> DraftRow:
    values = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's documented name
    values["items"], values["peers"] = tuple(json.loads(row.items)), tuple(json.loads(row.peers))
    digest = row.request_digest
    values["request_digest"] = None if digest is None else bytes(digest)
    return DraftRow(**values)
