"""Signing keys: statements from one own key to the next, and the pinned key of each peer."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from keys.signing_chain import MAX_CHAIN, Succession
from keys.store.kinds import fingerprint_of
from keys.types import KeyState
from node.database import audit_log as audit_rows
from node.database.peer_tables import peer_keys, peers
from node.database.tables import key_epochs, successions
from node.domain.audit_chain import Detail

# Built once: it takes longer to build a statement than to run it, and each query reads the pinned keys.
_PINNED = (
    select(peers.c.signing_key, peer_keys.c.signing_key.label("earlier"), peer_keys.c.replaced_at)
    .outerjoin(peer_keys, peer_keys.c.peer == peers.c.code)
    .where(peers.c.code == bindparam("of_peer"))
)


@dataclass(frozen=True, slots=True)
class Pinned:
    """The pinned signing key (32 bytes) of a peer; its earlier keys, and when they were replaced."""

    key: bytes
    replaced: dict[bytes, datetime]


def add_statement(tx: Connection, statement: Succession, old_epoch: int, now: datetime) -> None:
    """Add the statement for this node's next key, with its audit event."""
    fields = {name: value for name, value in statement.plain().items() if name != "code"}
    tx.execute(insert(successions).values(**fields, old_epoch=old_epoch))
    details: dict[str, Detail] = {
        "number": statement.number,
        "from": fingerprint_of(statement.old_key),
        "to": fingerprint_of(statement.new_key),
        "expires_at": statement.expires_at,
    }
    audit_rows.append(tx, "succession_signed", details, now)


def served_statements(tx: Connection, code: str, now: datetime) -> tuple[Succession, ...]:
    """The chain that ends in this node's active key: from the first key in grace, MAX_CHAIN at most."""
    graced = and_(
        key_epochs.c.purpose == "signing",
        key_epochs.c.epoch == successions.c.old_epoch,
        key_epochs.c.state == KeyState.GRACE.value,
        key_epochs.c.grace_until >= now,
    )
    query = (
        select(successions, key_epochs.c.epoch.label("answered"))
        .outerjoin(key_epochs, graced)
        .order_by(successions.c.number.desc())
        .limit(MAX_CHAIN)
    )
    chain: list[Succession] = []
    for row in tx.execute(query):
        if row.answered is None:
            break
        fields = {name: getattr(row, name) for name in Succession.model_fields if name != "code"}
        chain.insert(0, Succession(code=code, **fields))
    return tuple(chain)


def own_earlier_keys(tx: Connection) -> tuple[bytes, ...]:
    """The own signing keys that signed a successor, the newest first."""
    query = select(successions.c.old_key).order_by(successions.c.number.desc())
    return tuple(bytes(key) for key in tx.scalars(query))


def read_pinned(tx: Connection, peer: str) -> Pinned | None:
    """The pinned keys of a peer; None for an unknown peer."""
    rows = tx.execute(_PINNED, {"of_peer": peer}).all()
    if not rows:
        return None
    earlier = {bytes(row.earlier): row.replaced_at for row in rows if row.earlier is not None}
    return Pinned(bytes(rows[0].signing_key), earlier)


def pin_next(tx: Connection, statement: Succession, now: datetime) -> bool:
    """Pin a peer's next key, with the audit event; return False where the old key is no longer pinned."""
    peer, old = statement.code, statement.old_key
    place = and_(peers.c.code == peer, peers.c.signing_key == old)
    if tx.execute(update(peers).where(place).values(signing_key=statement.new_key)).rowcount != 1:
        return False
    tx.execute(delete(peer_keys).where(peer_keys.c.peer == peer, peer_keys.c.signing_key == old))
    tx.execute(insert(peer_keys).values(peer=peer, signing_key=old, replaced_at=now))
    details: dict[str, Detail] = {
        "peer": peer,
        "number": statement.number,
        "from": fingerprint_of(old),
        "to": fingerprint_of(statement.new_key),
    }
    audit_rows.append(tx, "peer_key_succeeded", details, now)
    return True
