"""What changed between the versions of a partition, for the mirrors of peers (design.md 3.3).

A delta is written beside the version that it leads to, before that is published; nobody reads it earlier,
for deltas are followed backwards from a published version. They are kept while they sum to at most a share
of the partition.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from matcher.bucket_changes import BucketChange
from node.database.index_tables import delta_buckets, deltas
from node.database.partitions import PartitionRow

KEPT_SHARE = 4  # all deltas of a partition together are at most this part of its entries' bytes
# Built once, as in node/database/partitions.py.
_PLACE = and_(
    deltas.c.item == bindparam("item"),
    deltas.c.origin == bindparam("origin"),
    deltas.c.epoch == bindparam("epoch"),
)
_LATER = delete(deltas).where(_PLACE, deltas.c.version > bindparam("version"))
_NEW = insert(deltas).returning(deltas.c.id)
_HELD = (
    select(deltas.c.id, deltas.c.origin, deltas.c.version, deltas.c.from_version, deltas.c.size)
    .where(deltas.c.item == bindparam("item"), deltas.c.epoch == bindparam("epoch"))
    .order_by(deltas.c.version.desc())
)
_DROPPED = delete(deltas).where(deltas.c.id.in_(bindparam("dropped", expanding=True)))
_AFTER = select(deltas.c.id, deltas.c.version, deltas.c.from_version, deltas.c.from_root).where(
    _PLACE, deltas.c.version <= bindparam("to_version"), deltas.c.version > bindparam("after")
)


def begin_delta(tx: Connection, old: PartitionRow, new: PartitionRow) -> int:
    """A delta without buckets between two versions of a partition; return its id.

    Removes what a run that never published has left of the partition.
    """
    tx.execute(_LATER, {**_place(old), "version": old.version})
    values = {"item": old.item, "origin": old.origin, "epoch": old.epoch, "version": new.version}
    values |= {"from_version": old.version, "from_root": old.root, "size": 0}
    return int(tx.execute(_NEW, values).scalar_one())


def add_changes(tx: Connection, delta: int, changes: Sequence[BucketChange]) -> None:
    """Add changed buckets to a delta that is not published yet."""
    if not changes:
        return
    rows = [
        {"delta_id": delta, "number": one.bucket, "removed": one.removed, "entries": one.entries}
        for one in changes
    ]
    tx.execute(insert(delta_buckets), rows)
    size = deltas.c.size + sum(one.length for one in changes)
    tx.execute(update(deltas).where(deltas.c.id == delta).values(size=size))


def drop_delta(tx: Connection, delta: int) -> None:
    """Remove a delta that has become too large to be kept."""
    tx.execute(delete(deltas).where(deltas.c.id == delta))


def settle(tx: Connection, published: Sequence[tuple[PartitionRow, int]]) -> None:
    """Keep, of partitions that were just published, the newest deltas that lead to them, up to a number of
    bytes of each.
    """
    places: dict[tuple[str, int], dict[str, tuple[PartitionRow, int]]] = {}
    for part, room in published:
        places.setdefault((part.item, part.epoch), {})[part.origin] = part, room
    for (item, epoch), by_origin in places.items():
        held: dict[str, list[Any]] = {}
        for row in tx.execute(_HELD, {"item": item, "epoch": epoch}):
            held.setdefault(row.origin, []).append(row)
        dropped = [
            identifier
            for origin, (part, room) in by_origin.items()
            for identifier in _superfluous(held.get(origin, ()), part.version, room)
        ]
        if dropped:
            tx.execute(_DROPPED, {"dropped": dropped})


def _superfluous(held: Sequence[Any], version: int, room: int) -> list[int]:
    """Deltas of a partition, the newest first, without those that lead to `version` and have room."""
    for place, row in enumerate(held):
        room -= row.size
        if row.version != version or room < 0:
            return [one.id for one in held[place:]]
        version = row.from_version
    return []


def find_chain(
    tx: Connection, current: PartitionRow, from_version: int, from_root: bytes
) -> list[int] | None:
    """The ids of the deltas from an older version to this one, oldest first; None where none lead there."""
    if from_root == current.root:
        return []
    values = {**_place(current), "to_version": current.version, "after": from_version}
    rows = tx.execute(_AFTER, values).all()
    by_version = {row.version: row for row in rows}
    chain, version = [], current.version
    while row := by_version.get(version):
        chain.append(row.id)
        version = row.from_version
        if version == from_version:
            return chain[::-1] if bytes(row.from_root) == from_root else None
    return None


def read_changes(tx: Connection, chain: Sequence[int], first: int, end: int) -> list[list[BucketChange]]:
    """The changes of the buckets from `first` to before `end`, by bucket, each bucket's oldest first.

    `chain` is that of `find_chain`; a delta that was removed meanwhile has no rows.
    """
    order = {identifier: place for place, identifier in enumerate(chain)}
    rows = tx.execute(
        select(delta_buckets).where(
            delta_buckets.c.delta_id.in_(chain),
            delta_buckets.c.number >= first,
            delta_buckets.c.number < end,
        )
    ).all()
    found: list[list[BucketChange]] = []
    for row in sorted(rows, key=lambda row: (row.number, order[row.delta_id])):
        change = BucketChange(row.number, bytes(row.removed), bytes(row.entries))
        if found and found[-1][0].bucket == change.bucket:
            found[-1].append(change)
        else:
            found.append([change])
    return found


def is_kept(tx: Connection, chain: Sequence[int]) -> bool:
    """Whether all deltas of a chain are still there."""
    return len(tx.execute(select(deltas.c.id).where(deltas.c.id.in_(chain))).all()) == len(chain)


def forget_deltas(tx: Connection, epoch: int) -> None:
    """Remove the deltas of an epoch."""
    tx.execute(delete(deltas).where(deltas.c.epoch == epoch))


def _place(part: PartitionRow) -> dict[str, object]:
    return {"item": part.item, "origin": part.origin, "epoch": part.epoch}
