"""Mandates that were revoked, by digests of their numbers (design.md section 7)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from node.database.tables import revoked_mandates

_AT_ONCE = 500  # digests in one statement


def add(tx: Connection, owner: str, digests: Sequence[bytes], now: datetime) -> int:
    """Add digests that an owner revokes; returns how many are new. Raises ConflictError in a race."""
    new = []
    for at in range(0, len(digests), _AT_ONCE):
        part = digests[at : at + _AT_ONCE]
        asked = select(revoked_mandates.c.digest).where(
            revoked_mandates.c.owner == owner, revoked_mandates.c.digest.in_(part)
        )
        known = {bytes(row.digest) for row in tx.execute(asked)}
        new += [{"owner": owner, "digest": one, "revoked_at": now} for one in part if one not in known]
    if new:
        tx.execute(insert(revoked_mandates), new)
    return len(new)


def read(tx: Connection, owners: Collection[str]) -> set[bytes]:
    """The digests that some owners revoked."""
    asked = select(revoked_mandates.c.digest).where(revoked_mandates.c.owner.in_(owners))
    return {bytes(row.digest) for row in tx.execute(asked)}
