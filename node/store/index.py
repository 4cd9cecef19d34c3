"""Partitions and buckets: publishing a version, and reading the current one (design.md section 3)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blake3 import blake3
from sqlalchemy import Connection, and_, delete, func, insert, select, update

from node.store.tables import buckets, filters, imports, partitions

FILTER_PART = 512 * 1024  # bytes of a filter in one row and one message
KEPT_VERSIONS = 2  # the current one, and the one that running queries may still be reading


@dataclass(frozen=True, slots=True)
class PartitionRow:
    """A published version of (item, origin, epoch), without its buckets."""

    id: int
    item: str
    origin: str
    epoch: int
    version: int
    is_current: bool
    entries: int
    bits: int
    root: bytes
    filter_size: int
    filter_digest: bytes
    as_of: int
    planted: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class NewPartition:
    """A version that is about to be published: `buckets` are (number, entries, sealed points)."""

    item: str
    origin: str
    entries: int
    bits: int
    root: bytes
    leaves: bytes
    filter: bytes
    as_of: int
    planted: tuple[tuple[str, int], ...]
    buckets: Iterable[tuple[int, bytes, bytes]]


_COLUMNS = (
    partitions.c.id,
    partitions.c.item,
    partitions.c.origin,
    partitions.c.epoch,
    partitions.c.version,
    partitions.c.is_current,
    partitions.c.entries,
    partitions.c.bits,
    partitions.c.root,
    partitions.c.filter_size,
    partitions.c.filter_digest,
    partitions.c.as_of,
    partitions.c.planted,
)


def publish(tx: Connection, epoch: int, new: Iterable[NewPartition], now: datetime) -> None:
    """Make new versions current; readers see all of them when the transaction commits, or none."""
    for part in new:
        place = and_(
            partitions.c.item == part.item, partitions.c.origin == part.origin, partitions.c.epoch == epoch
        )
        last = tx.scalar(select(func.max(partitions.c.version)).where(place)) or 0
        tx.execute(update(partitions).where(place, partitions.c.is_current).values(is_current=False))
        tx.execute(delete(partitions).where(place, partitions.c.version <= last + 1 - KEPT_VERSIONS))
        identifier = tx.execute(
            insert(partitions)
            .values(
                item=part.item,
                origin=part.origin,
                epoch=epoch,
                version=last + 1,
                is_current=True,
                entries=part.entries,
                bits=part.bits,
                root=part.root,
                leaves=part.leaves,
                filter_size=len(part.filter),
                filter_digest=blake3(part.filter).digest(),
                as_of=part.as_of,
                planted=json.dumps(part.planted),
                published_at=now,
            )
            .returning(partitions.c.id)
        ).scalar_one()
        tx.execute(
            insert(buckets),
            [
                {"partition_id": identifier, "number": number, "entries": entries, "points_sealed": points}
                for number, entries, points in part.buckets
            ],
        )
        tx.execute(
            insert(filters),
            [
                {"partition_id": identifier, "part": number, "data": part.filter[at : at + FILTER_PART]}
                for number, at in enumerate(range(0, len(part.filter), FILTER_PART))
            ],
        )


def record_import(tx: Connection, item: str, tally: dict[str, object], now: datetime) -> None:
    """Keep what an import counted."""
    tx.execute(insert(imports).values(item=item, tally=json.dumps(tally), finished_at=now))


def last_import(tx: Connection, item: str) -> dict[str, Any] | None:
    """What the newest import of an item counted, None before the first."""
    tally = tx.scalar(
        select(imports.c.tally).where(imports.c.item == item).order_by(imports.c.id.desc()).limit(1)
    )
    return None if tally is None else dict(json.loads(tally))


def current_items(tx: Connection, epoch: int) -> list[str]:
    """Codes of the items this node holds in an epoch, sorted."""
    rows = tx.execute(
        select(partitions.c.item).where(partitions.c.is_current, partitions.c.epoch == epoch).distinct()
    )
    return sorted(row.item for row in rows)


def current_partitions(tx: Connection, epoch: int, origins: Sequence[str]) -> list[PartitionRow]:
    """Current partitions of the origins, ordered by item and origin."""
    rows = tx.execute(
        select(*_COLUMNS)
        .where(partitions.c.is_current, partitions.c.epoch == epoch, partitions.c.origin.in_(origins))
        .order_by(partitions.c.item, partitions.c.origin)
    )
    return [_partition(row) for row in rows]


def find_partition(tx: Connection, item: str, origin: str, epoch: int, version: int) -> PartitionRow | None:
    """One version that is still kept."""
    row = tx.execute(
        select(*_COLUMNS).where(
            partitions.c.item == item,
            partitions.c.origin == origin,
            partitions.c.epoch == epoch,
            partitions.c.version == version,
        )
    ).one_or_none()
    return None if row is None else _partition(row)


def current_version(tx: Connection, item: str, origin: str, epoch: int) -> int | None:
    """The current version number of a place, None when there is no such partition."""
    return tx.scalar(
        select(partitions.c.version).where(
            partitions.c.item == item,
            partitions.c.origin == origin,
            partitions.c.epoch == epoch,
            partitions.c.is_current,
        )
    )


def read_leaves(tx: Connection, partition: int) -> bytes:
    """Digests of a partition's buckets, 32 bytes each, in order; empty when the version is gone."""
    return bytes(tx.scalar(select(partitions.c.leaves).where(partitions.c.id == partition)) or b"")


def read_buckets(tx: Connection, partition: int, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
    """Served bytes of some buckets, ordered by number. Keep `numbers` short: all are held in memory."""
    rows = tx.execute(
        select(buckets.c.number, buckets.c.entries)
        .where(buckets.c.partition_id == partition, buckets.c.number.in_(numbers))
        .order_by(buckets.c.number)
    )
    return [(row.number, bytes(row.entries)) for row in rows]


def read_filter_part(tx: Connection, partition: int, part: int) -> bytes | None:
    """One part of a partition's serialised filter, None after the last."""
    found = tx.scalar(
        select(filters.c.data).where(filters.c.partition_id == partition, filters.c.part == part)
    )
    return None if found is None else bytes(found)


def totals(tx: Connection, epoch: int) -> list[tuple[str, int, int, int]]:
    """(item, partitions, entries, oldest as-of day) of what is current."""
    rows = tx.execute(
        select(
            partitions.c.item,
            func.count().label("parts"),
            func.sum(partitions.c.entries).label("entries"),
            func.min(partitions.c.as_of).label("oldest"),
        )
        .where(partitions.c.is_current, partitions.c.epoch == epoch)
        .group_by(partitions.c.item)
        .order_by(partitions.c.item)
    )
    return [(row.item, row.parts, int(row.entries), row.oldest) for row in rows]


def _partition(row: object) -> PartitionRow:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001
    values["planted"] = tuple((name, value) for name, value in json.loads(values["planted"]))
    values["root"], values["filter_digest"] = bytes(values["root"]), bytes(values["filter_digest"])
    return PartitionRow(**values)
