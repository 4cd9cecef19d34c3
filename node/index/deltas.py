"""Writes what a new version of a partition changes, for the mirrors of peers (design.md 3.3).

A new version is compared with the current one bucket by bucket, however it was made: by an upsert, a delete,
or a full import in which little changed.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from matcher import buckets, merkle
from matcher.bucket_changes import BucketChange, compare
from node.context import Node
from node.database import Connection, deltas
from node.database import partitions as index_rows
from node.database.partitions import PartitionRow

_AT_ONCE = 64  # buckets held in memory at once


def write_deltas(node: Node, prepared: Sequence[int]) -> None:
    """Write the delta from the current version to each prepared one, where that is worth keeping.

    None where a partition is new, is cut into another number of buckets or has entries of another size, or
    where the delta has more bytes than are kept. Raises UnavailableError when the disk is full.
    """
    with node.store.transaction("find versions") as tx:
        versions = index_rows.read_versions(tx, prepared)
        current = {
            (old.item, old.origin, old.epoch): old
            for item, epoch in dict.fromkeys((new.item, new.epoch) for new in versions)
            for old in index_rows.partitions_of(tx, item, epoch)
        }
    for new in versions:
        old = current.get((new.item, new.origin, new.epoch))
        if old is not None and (old.bits, old.width) == (new.bits, new.width):
            _write_delta(node, old, new)


def settle_deltas(tx: Connection, prepared: Sequence[int]) -> None:
    """Of partitions that were just published, keep the deltas that lead to them and have room."""
    published = index_rows.read_versions(tx, prepared)
    deltas.settle(tx, [(new, room_for_deltas(new)) for new in published])


def room_for_deltas(part: PartitionRow) -> int:
    """Bytes of all deltas that are kept of a partition."""
    return part.entries * buckets.entry_size(part.width) // deltas.KEPT_SHARE


def _write_delta(node: Node, old: PartitionRow, new: PartitionRow) -> None:
    store = node.store
    delta = store.retry_write("begin a delta", partial(deltas.begin_delta, old=old, new=new))
    room = room_for_deltas(new)
    for changes in _changes(node, old, new):
        room -= sum(change.length for change in changes)
        if room < 0:
            store.retry_write("drop a delta", partial(deltas.drop_delta, delta=delta))
            return
        store.retry_write("write a delta", partial(deltas.add_changes, delta=delta, changes=changes))


def _changes(node: Node, old: PartitionRow, new: PartitionRow) -> Iterator[list[BucketChange]]:
    with node.store.transaction("read digests") as tx:
        before, after = (_leaves(index_rows.read_leaves(tx, part.id)) for part in (old, new))
    numbers = [number for number, leaf in enumerate(after) if before[number] != leaf]
    for at in range(0, len(numbers), _AT_ONCE):
        some = numbers[at : at + _AT_ONCE]
        with node.store.transaction("read buckets") as tx:
            pairs = zip(
                index_rows.read_buckets(tx, old.id, some),
                index_rows.read_buckets(tx, new.id, some),
                strict=True,
            )
            yield [
                compare(number, held, entries, buckets.entry_size(new.width))
                for (number, held), (_, entries) in pairs
            ]


def _leaves(joined: bytes) -> list[bytes]:
    return [joined[at : at + merkle.DIGEST_SIZE] for at in range(0, len(joined), merkle.DIGEST_SIZE)]
