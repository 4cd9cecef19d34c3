"""Watch lists: their people, looks, tokens and last answers (node/domain/watches.py)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from node.database.tables import revoked_mandates
from node.database.watch_tables import watch_answers, watch_looks, watch_tokens, watches
from node.domain.watches import LookRow, WatchRow


@dataclass(frozen=True, slots=True)
class TokensRow:
    """Sealed tokens of one class; `until` is a day since 1970-01-01 in China."""

    watch: str
    peer: str
    token_class: str
    epoch: int
    until: int
    people: int
    sealed: bytes = field(repr=False)


def add_watch(tx: Connection, row: WatchRow, sealed: bytes) -> None:
    """Add a list. Raises ConflictError where the id is taken."""
    tx.execute(
        insert(watches).values(
            id=row.id,
            owner=row.owner,
            items=json.dumps(row.items),
            peers=json.dumps(row.peers),
            legal_basis=row.legal_basis,
            people=row.people,
            revision=row.revision,
            request_digest=row.request_digest,
            request_sealed=sealed,
            added_at=row.added_at,
        )
    )


def find_watch(tx: Connection, watch: str) -> WatchRow | None:
    """A list by its id."""
    row = tx.execute(select(watches).where(watches.c.id == watch)).one_or_none()
    return None if row is None else _watch(row)


def lock_watch(tx: Connection, watch: str) -> WatchRow | None:
    """The same, its row locked until the transaction ends: looks of one list end one after another."""
    row = tx.execute(select(watches).where(watches.c.id == watch).with_for_update()).one_or_none()
    return None if row is None else _watch(row)


def list_watches(tx: Connection) -> list[WatchRow]:
    """All lists, oldest first."""
    return [_watch(row) for row in tx.execute(select(watches).order_by(watches.c.added_at, watches.c.id))]


def read_request(tx: Connection, watch: str) -> bytes | None:
    """The sealed people and mandates of a list."""
    found: bytes | None = tx.scalar(select(watches.c.request_sealed).where(watches.c.id == watch))
    return found


def replace_people(tx: Connection, seen: WatchRow, people: int, sealed: bytes) -> bool:
    """Put other people in the place of those of a revision; False where it has changed meanwhile."""
    mine = (watches.c.id == seen.id, watches.c.revision == seen.revision)
    values = {"people": people, "request_sealed": sealed, "revision": seen.revision + 1}
    return tx.execute(update(watches).where(*mine).values(**values)).rowcount == 1


def remove_watch(tx: Connection, watch: str) -> bool:
    """Delete a list with everything that belongs to it; whether it existed."""
    return tx.execute(delete(watches).where(watches.c.id == watch)).rowcount > 0


def find_look(tx: Connection, watch: str, peer: str) -> LookRow:
    """The last look of a list at a peer."""
    mine = (watch_looks.c.watch == watch, watch_looks.c.peer == peer)
    row = tx.execute(select(watch_looks).where(*mine)).one_or_none()
    return LookRow(watch, peer) if row is None else _look(row)


def list_looks(tx: Connection, watch: str | None = None) -> list[LookRow]:
    """The last looks of a list, or of all."""
    wanted = select(watch_looks).order_by(watch_looks.c.watch, watch_looks.c.peer)
    if watch is not None:
        wanted = wanted.where(watch_looks.c.watch == watch)
    return [_look(row) for row in tx.execute(wanted)]


def put_look(tx: Connection, row: LookRow) -> None:
    """Write the state of a look."""
    values = {
        "look": row.look,
        "epoch": row.epoch,
        "versions": json.dumps(dict(row.versions or {}), sort_keys=True),
        "issued_at": row.issued_at,
        "looked_at": row.looked_at,
        "plan": row.plan,
        "tried_at": row.tried_at,
        "reason": row.reason,
    }
    mine = (watch_looks.c.watch == row.watch, watch_looks.c.peer == row.peer)
    if not tx.execute(update(watch_looks).where(*mine).values(**values)).rowcount:
        tx.execute(insert(watch_looks).values(watch=row.watch, peer=row.peer, **values))


def list_tokens(tx: Connection, watch: str | None = None, peer: str | None = None) -> list[TokensRow]:
    """The tokens of a list, or of all lists; of one peer, or of all."""
    order = (watch_tokens.c.watch, watch_tokens.c.peer, watch_tokens.c.token_class)
    wanted = select(watch_tokens).order_by(*order)
    if watch is not None:
        wanted = wanted.where(watch_tokens.c.watch == watch)
    if peer is not None:
        wanted = wanted.where(watch_tokens.c.peer == peer)
    return [
        TokensRow(row.watch, row.peer, row.token_class, row.epoch, row.until, row.people, bytes(row.sealed))
        for row in tx.execute(wanted)
    ]


def put_tokens(tx: Connection, row: TokensRow) -> None:
    """Keep tokens in the place of those of the same list, peer and class."""
    erase_tokens(tx, row.watch, row.peer, row.token_class)
    tx.execute(
        insert(watch_tokens).values(
            watch=row.watch,
            peer=row.peer,
            token_class=row.token_class,
            epoch=row.epoch,
            until=row.until,
            people=row.people,
            sealed=row.sealed,
        )
    )


def erase_tokens(tx: Connection, watch: str, peer: str, token_class: str) -> int:
    """Erase the tokens of a list, peer and class; how many rows."""
    mine = (watch_tokens.c.watch == watch, watch_tokens.c.peer == peer)
    return tx.execute(delete(watch_tokens).where(*mine, watch_tokens.c.token_class == token_class)).rowcount


def read_answers(tx: Connection, watch: str, peer: str) -> dict[str, bytes]:
    """The sealed last answers of a list and peer, by item."""
    mine = (watch_answers.c.watch == watch, watch_answers.c.peer == peer)
    return {row.item: bytes(row.sealed) for row in tx.execute(select(watch_answers).where(*mine))}


def put_answers(tx: Connection, watch: str, peer: str, sealed: Mapping[str, bytes]) -> None:
    """Replace the last answers about some items."""
    mine = (watch_answers.c.watch == watch, watch_answers.c.peer == peer)
    for item, content in sealed.items():
        tx.execute(delete(watch_answers).where(*mine, watch_answers.c.item == item))
        tx.execute(insert(watch_answers).values(watch=watch, peer=peer, item=item, sealed=content))


def answered_peers(tx: Connection, watch: str) -> Sequence[str]:
    """The peers of which answers are kept."""
    wanted = select(watch_answers.c.peer).where(watch_answers.c.watch == watch).distinct()
    return sorted(row.peer for row in tx.execute(wanted))


def _watch(row: Row[Any]) -> WatchRow:
    return WatchRow(
        row.id,
        row.owner,
        tuple(json.loads(row.items)),
        tuple(json.loads(row.peers)),
        row.legal_basis,
        row.people,
        row.revision,
        bytes(row.request_digest),
        row.added_at,
    )


def _look(row: Row[Any]) -> LookRow:
    issued: datetime | None = row.issued_at
    return LookRow(
        row.watch,
        row.peer,
        row.look,
        row.epoch,
        json.loads(row.versions),
        issued,
        row.looked_at,
        row.plan,
        row.tried_at,
        row.reason,
    )


def count_revoked(tx: Connection) -> int:
    """How many mandates are revoked: a number that only rises."""
    return int(tx.scalar(select(func.count()).select_from(revoked_mandates)) or 0)
