"""Mandates that were revoked, by digests of their numbers (design.md section 7)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from node.database.tables import revoked_mandates

_AT_ONCE = MOST_READ = 500  # digests in one statement
# Built once: it takes longer to build a statement than to run it.
_ALL = select(revoked_mandates.c.digest).where(
    revoked_mandates.c.owner.in_(bindparam("owners", expanding=True))
)
_SOME = _ALL.where(revoked_mandates.c.digest.in_(bindparam("digests", expanding=True)))


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


def read(tx: Connection, owners: Collection[str], of: Collection[bytes] | None = None) -> set[bytes]:
    """The digests that some owners revoked; only those of some, which are `MOST_READ` at most."""
    asked: dict[str, object] = {"owners": list(owners)}
    if of is None:
        return {bytes(row.digest) for row in tx.execute(_ALL, asked)}
    return {bytes(row.digest) for row in tx.execute(_SOME, {**asked, "digests": list(of)})}
