"""The delta stream of a partition: the tags its versions added, removed or changed (design.md section 3)."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select

from node.database.tables import deltas, partitions

KEPT_DELTAS = 64  # versions a follower may be behind before it must query the whole partition again
_TAG = 10


@dataclass(frozen=True, slots=True)
class Delta:
    """Changes up to `version`. `changed` tags existed before and now have another label."""

    version: int
    added: frozenset[bytes] = field(repr=False, default=frozenset())
    removed: frozenset[bytes] = field(repr=False, default=frozenset())
    changed: frozenset[bytes] = field(repr=False, default=frozenset())


def append_delta(tx: Connection, item: str, origin: str, epoch: int, delta: Delta) -> None:
    """Add the changes of one version; the oldest one is removed when there are too many."""
    tx.execute(
        insert(deltas).values(
            item=item,
            origin=origin,
            epoch=epoch,
            version=delta.version,
            added=b"".join(sorted(delta.added)),
            removed=b"".join(sorted(delta.removed)),
            changed=b"".join(sorted(delta.changed)),
        )
    )
    place = _place(item, origin, epoch)
    tx.execute(delete(deltas).where(place, deltas.c.version <= delta.version - KEPT_DELTAS))


def restart_deltas(tx: Connection, item: str, epoch: int) -> None:
    """Empty the streams of an item, after a full import."""
    tx.execute(delete(deltas).where(deltas.c.item == item, deltas.c.epoch == epoch))


def read_delta(tx: Connection, item: str, origin: str, epoch: int, since_version: int) -> Delta | None:
    """The changes after a version, as one delta; None where the stream does not reach back so far.

    Then the follower queries the whole partition again. None also where there is no such partition.
    """
    current = tx.scalar(
        select(func.max(partitions.c.version)).where(
            partitions.c.item == item,
            partitions.c.origin == origin,
            partitions.c.epoch == epoch,
            partitions.c.is_current,
        )
    )
    if current is None or since_version > current:
        return None
    rows = tx.execute(
        select(deltas)
        .where(_place(item, origin, epoch), deltas.c.version > since_version, deltas.c.version <= current)
        .order_by(deltas.c.version)
    ).all()
    if len(rows) != current - since_version:
        return None
    before: dict[bytes, bool] = {}  # whether a tag existed at the start
    now: dict[bytes, bool] = {}
    for row in rows:
        for tags, was, stays in (
            (row.added, False, True),
            (row.removed, True, False),
            (row.changed, True, True),
        ):
            for at in range(0, len(tags), _TAG):
                tag = bytes(tags[at : at + _TAG])
                before.setdefault(tag, was)
                now[tag] = stays
    return Delta(
        current,
        frozenset(tag for tag in now if now[tag] and not before[tag]),
        frozenset(tag for tag in now if before[tag] and not now[tag]),
        frozenset(tag for tag in now if before[tag] and now[tag]),
    )


def _place(item: str, origin: str, epoch: int) -> ColumnElement[bool]:
    return and_(deltas.c.item == item, deltas.c.origin == origin, deltas.c.epoch == epoch)
