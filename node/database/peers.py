"""Peers and their grants, a table of (peer, item, origin) (design.md section 2, step 4)."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from node.database.peer_tables import grants, peer_keys, peers, seen_manifests
from node.domain.peers import Certificate, Grant, PeerRow, Registration

# Built once: it takes longer to build a statement than to run it. A peer's row is read before each message.
_FIND = (
    select(peers, grants.c.item, grants.c.origin)
    .outerjoin(grants, grants.c.peer == peers.c.code)
    .where(peers.c.code == bindparam("of_peer"))
)
_LOCK = select(peers.c.code).where(peers.c.code == bindparam("code")).with_for_update()
_ALL = select(peers).order_by(peers.c.code)
_ALL_GRANTS = select(grants)
_REGISTERED = select(
    *(peers.c[name] for name in ("added_at", "certificate", "certificate_from", "certificate_until"))
)


def put_peer(tx: Connection, peer: PeerRow, now: datetime) -> None:
    """Add or replace a peer; its earlier keys, and what was seen of it, are kept, unless its key changes. Its
    certificate, and since when it is known, are always kept.
    """
    registered = tx.execute(_REGISTERED.where(peers.c.code == peer.code)).mappings().one_or_none()
    where = (peers.c.code == peer.code, peers.c.signing_key == peer.signing_key)
    kept = []
    for table in (peer_keys, seen_manifests):
        before = select(table).join(peers, peers.c.code == table.c.peer).where(*where)
        kept.append((table, [dict(row._mapping) for row in tx.execute(before)]))  # noqa: SLF001
    remove_peer(tx, peer.code)
    tx.execute(
        insert(peers).values(
            code=peer.code,
            name=peer.name,
            address=peer.address,
            signing_key=peer.signing_key,
            allow_platforms=peer.allow_platforms,
            paused=peer.paused,
            allow_monitoring=peer.allow_monitoring,
            **(registered or {"added_at": now}),
        )
    )
    for table, rows in kept:
        if rows:
            tx.execute(insert(table), rows)
    _add_grants(tx, peer.code, peer.grants)


def set_grants(
    tx: Connection, code: str, granted: Sequence[Grant], allow_monitoring: bool | None = None
) -> None:
    """Replace the grants of a peer, which must be known; whether it may monitor stays as it is with None."""
    if allow_monitoring is not None:
        tx.execute(update(peers).where(peers.c.code == code).values(allow_monitoring=allow_monitoring))
    tx.execute(delete(grants).where(grants.c.peer == code))
    _add_grants(tx, code, granted)


def _add_grants(tx: Connection, code: str, granted: Sequence[Grant]) -> None:
    if granted:
        rows = [{"peer": code, "item": grant.item, "origin": grant.origin} for grant in granted]
        tx.execute(insert(grants), rows)


def set_paused(tx: Connection, code: str, *, paused: bool) -> bool:
    """Pause a peer, or end that; return whether the peer is known."""
    found = tx.execute(update(peers).where(peers.c.code == code).values(paused=paused))
    return found.rowcount > 0


def remove_peer(tx: Connection, code: str) -> bool:
    """Delete a peer, its keys, its grants and what was seen of it; return whether it existed."""
    tx.execute(delete(seen_manifests).where(seen_manifests.c.peer == code))
    tx.execute(delete(peer_keys).where(peer_keys.c.peer == code))
    tx.execute(delete(grants).where(grants.c.peer == code))
    return tx.execute(delete(peers).where(peers.c.code == code)).rowcount > 0


def lock_peer(tx: Connection, code: str) -> bool:
    """Lock a peer's row for the rest of the transaction, before all other rows; False for an unknown peer.

    What a peer is charged for is judged one at a time. A write transaction of SQLite has the whole database.
    """
    # Twice, because `put_peer` replaces the row: whoever waited for the old one finds the new one.
    return any(tx.scalar(_LOCK, {"code": code}) is not None for _ in range(2))


def lock_peers(tx: Connection) -> list[str]:
    """The same of all peers, where what one was told is compared with what another was; their codes."""
    found = select(peers.c.code).order_by(peers.c.code).with_for_update()
    tx.execute(found)
    return list(tx.scalars(found))


def note_certificate(tx: Connection, code: str, shown: Certificate) -> None:
    """Keep the certificate that a peer showed, unless a newer one is known."""
    older = or_(peers.c.certificate_from.is_(None), peers.c.certificate_from <= shown.valid_from)
    own = update(peers).where(peers.c.code == code, older)
    moments = {"certificate_from": shown.valid_from, "certificate_until": shown.valid_until}
    tx.execute(own.values(certificate=shown.fingerprint, **moments))


def read_registrations(tx: Connection) -> dict[str, Registration]:
    """Since when each peer is known and which certificate it showed, by code."""
    return {
        row.code: Registration(
            row.added_at,
            Certificate(row.certificate, row.certificate_from, row.certificate_until)
            if row.certificate
            else None,
        )
        for row in tx.execute(_REGISTERED.add_columns(peers.c.code))
    }


def find_peer(tx: Connection, code: str) -> PeerRow | None:
    """One peer by its code, in one statement: row and grants are of one moment in any database."""
    rows = tx.execute(_FIND, {"of_peer": code}).all()
    return _peer(rows[0], rows) if rows else None


def list_peers(tx: Connection) -> list[PeerRow]:
    """All peers by code."""
    held: dict[str, list[Row[Any]]] = {}
    for row in tx.execute(_ALL_GRANTS):
        held.setdefault(row.peer, []).append(row)
    found = tx.execute(_ALL)
    return [_peer(row, held.get(row.code, ())) for row in found]


def _peer(row: Row[Any], granted: Sequence[Row[Any]]) -> PeerRow:
    """`granted` has items and origins, None where an outer join found none."""
    given = _read_grants(frozenset((each.item, each.origin) for each in granted if each.item is not None))
    key, may = bytes(row.signing_key), row.allow_monitoring
    return PeerRow(row.code, row.name, row.address, key, row.allow_platforms, given, may, row.paused)


@lru_cache(maxsize=256)  # more than there are provinces
def _read_grants(granted: frozenset[tuple[str, str]]) -> tuple[Grant, ...]:
    """In order. A province may have a grant for each item and origin, and is read before each message."""
    return tuple(sorted(Grant(item, origin) for item, origin in granted))
