"""From one epoch to the next: its partitions become current all at once; past ones are removed."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, select, update

from node.database import partition_versions
from node.database import partitions as index_rows
from node.database.deltas import forget_deltas
from node.database.engine import Store
from node.database.index_tables import cuts as cut_rows
from node.database.index_tables import partitions
from node.database.partitions import PartitionRow
from node.database.token_blocks import forget_blocks
from node.domain.missing_partitions import MissingPartitions
from node.errors import ConflictError


def split_prepared(tx: Connection, old: int, new: int) -> tuple[list[PartitionRow], list[int]]:
    """Partitions of `old` that have no counterpart under `new` yet, and ids under `new` that are outdated.

    A counterpart has the version of its original, and its date: an import may change that alone.
    """
    current = {_state(row): row for row in index_rows.partitions_of_epoch(tx, old)}
    made = index_rows.partitions_of_epoch(tx, new, published=False)
    outdated = [row.id for row in made if _state(row) not in current]
    for row in made:
        current.pop(_state(row), None)
    return list(current.values()), outdated


def _state(row: PartitionRow) -> tuple[str, str, int, int]:
    return row.item, row.origin, row.version, row.date


def drop(store: Store, prepared: Sequence[int]) -> None:
    """Remove prepared partitions that are outdated, with their buckets."""
    if not prepared:
        return

    def forget(tx: Connection) -> list[tuple[int, int]]:
        some = and_(partitions.c.id.in_(prepared), partitions.c.published_at.is_(None))
        held = list(tx.scalars(select(partitions.c.cut_id).where(some)))
        tx.execute(delete(partitions).where(some))
        rows = tx.execute(select(cut_rows.c.id, cut_rows.c.bits).where(cut_rows.c.id.in_(held)))
        return [(row.id, row.bits) for row in rows]

    partition_versions.remove_cuts(store, store.retry_write("drop outdated partitions", forget))


def publish_epoch(tx: Connection, old: int, new: int, now: datetime) -> int:
    """Make all partitions of an epoch current, and offer them; return how many.

    Raises ConflictError unless all are there.
    """
    missing, outdated = split_prepared(tx, old, new)
    if missing or outdated:
        raise ConflictError(
            "an import published during the rotation", "run the rotation again: it does only what is missing"
        )
    ready = and_(partitions.c.epoch == new, partitions.c.published_at.is_(None))
    served = {"is_current": True, "published_at": now, "offered_at": now}
    return tx.execute(update(partitions).where(ready).values(**served)).rowcount


def missing(tx: Connection, old: int, new: int) -> tuple[MissingPartitions, ...]:
    """Partitions that are current under `old` and missing under `new`, by item."""
    there = {(row.item, row.origin) for row in index_rows.partitions_of_epoch(tx, new)}
    current = index_rows.partitions_of_epoch(tx, old)
    counts = Counter(row.item for row in current if (row.item, row.origin) not in there)
    return tuple(MissingPartitions(item, count) for item, count in sorted(counts.items()))


def forget_epoch(store: Store, epoch: int) -> None:
    """Remove everything stored under an epoch that is no longer answered; may be repeated."""

    def forget(tx: Connection) -> list[tuple[int, int]]:
        tx.execute(delete(partitions).where(partitions.c.epoch == epoch))
        forget_deltas(tx, epoch)
        used = exists().where(partitions.c.cut_id == cut_rows.c.id)
        rows = tx.execute(select(cut_rows.c.id, cut_rows.c.bits).where(cut_rows.c.epoch == epoch, ~used))
        return [(row.id, row.bits) for row in rows]

    partition_versions.remove_cuts(store, store.retry_write("remove a past epoch", forget))
    forget_blocks(store, epoch)
