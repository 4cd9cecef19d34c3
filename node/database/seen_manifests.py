"""The newest manifests that this node saw of its peers."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from node.database.peer_tables import seen_manifests


@dataclass(frozen=True, slots=True)
class SeenManifest:
    """Of one peer and salt version; `versions` is JSON by item/origin, `raised_at` when one last rose."""

    salt_version: int
    epoch: int
    issued_at: datetime
    versions: str
    raised_at: datetime


def read_seen(tx: Connection, peer: str, salt_version: int) -> SeenManifest | None:
    """What was seen, None before the first."""
    row = tx.execute(
        select(seen_manifests).where(
            seen_manifests.c.peer == peer, seen_manifests.c.salt_version == salt_version
        )
    ).one_or_none()
    if row is None:
        return None
    return SeenManifest(row.salt_version, row.epoch, row.issued_at, row.versions, row.raised_at)


def put_seen(tx: Connection, peer: str, seen: SeenManifest) -> None:
    """Replace what was seen."""
    place = (seen_manifests.c.peer == peer, seen_manifests.c.salt_version == seen.salt_version)
    tx.execute(delete(seen_manifests).where(*place))
    tx.execute(
        insert(seen_manifests).values(
            peer=peer,
            salt_version=seen.salt_version,
            epoch=seen.epoch,
            issued_at=seen.issued_at,
            versions=seen.versions,
            raised_at=seen.raised_at,
        )
    )


def newest_by_peer(tx: Connection) -> dict[str, datetime]:
    """When the newest manifest of each peer that was checked here was issued."""
    found = select(seen_manifests.c.peer, func.max(seen_manifests.c.issued_at).label("at"))
    return {row.peer: row.at for row in tx.execute(found.group_by(seen_manifests.c.peer))}


def newest_salts(tx: Connection) -> dict[str, tuple[int, datetime]]:
    """The highest salt version that each peer has offered, and when its newest manifest was issued."""
    found = select(
        seen_manifests.c.peer,
        func.max(seen_manifests.c.salt_version).label("salt"),
        func.max(seen_manifests.c.issued_at).label("at"),
    )
    return {row.peer: (row.salt, row.at) for row in tx.execute(found.group_by(seen_manifests.c.peer))}
