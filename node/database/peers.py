"""Peers and their grants, a table of (peer, item, origin) (design.md section 2, step 4)."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from node.database.peer_tables import grants, peer_keys, peers, seen_manifests
from node.domain.peers import Certificate, Grant, PeerRow, Registration

_OF_GRANT, _BETWEEN = "\x1f", "\x1e"  # between item and origin, between grants: in neither
_ROW = tuple(
    peers.c[name]
    for name in (
        "code",
        "name",
        "address",
        "signing_key",
        "allow_platforms",
        "allow_monitoring",
        "paused",
    )
)
# In one text, not a row each: it is read before each message, and a province may have hundreds.
_GRANTED = (
    select(func.aggregate_strings(grants.c.item + _OF_GRANT + grants.c.origin, _BETWEEN))
    .where(grants.c.peer == peers.c.code)
    .scalar_subquery()
    .label("granted")
)
# Built once: it takes longer to build a statement than to run it.
_FIND = select(*_ROW, _GRANTED).where(peers.c.code == bindparam("of_peer"))
_LOCK = select(peers.c.code).where(peers.c.code == bindparam("code")).with_for_update()
_NAMES = select(peers.c.code, peers.c.name).order_by(peers.c.code)
_ALL = select(*_ROW, _GRANTED).order_by(peers.c.code)
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
    row = tx.execute(_FIND, {"of_peer": code}).one_or_none()
    return None if row is None else _peer(row)


def peer_names(tx: Connection) -> dict[str, str]:
    """The names of all peers by their codes; a peer may have thousands of grants, which are not read."""
    return {row.code: row.name for row in tx.execute(_NAMES)}


def list_peers(tx: Connection) -> list[PeerRow]:
    """All peers by code."""
    return list(map(_peer, tx.execute(_ALL)))


def _peer(row: Sequence[Any]) -> PeerRow:
    code, name, address, key, allow_platforms, allow_monitoring, paused, granted = row
    given = _read_grants(granted or "")
    return PeerRow(code, name, address, bytes(key), allow_platforms, given, allow_monitoring, paused)


@lru_cache(maxsize=256)  # more than there are provinces
def _read_grants(granted: str) -> tuple[Grant, ...]:
    """In order, of `_GRANTED`."""
    each = (one.split(_OF_GRANT) for one in granted.split(_BETWEEN) if one)
    return tuple(sorted(Grant(item, origin) for item, origin in each))
