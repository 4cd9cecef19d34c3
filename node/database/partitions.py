"""Reads partitions and buckets that are served (design.md section 3); `partition_versions` writes them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, bindparam, func, select

from matcher import label
from matcher.types import TokenClass
from node.database.index_tables import buckets, partitions
from node.database.tables import imports


@dataclass(frozen=True, slots=True)
class PartitionRow:
    """A published version of (item, origin, epoch), without its buckets."""

    id: int
    item: str
    token_class: TokenClass
    origin: str
    epoch: int
    version: int
    cut: int
    is_current: bool
    entries: int
    bits: int
    root: bytes
    as_of: int
    date: int
    record_size: int
    pads: int
    planted: tuple[tuple[str, int], ...]

    @property
    def width(self) -> int:
        """Bytes of the value in its labels."""
        return label.width_of(self.record_size)


_COLUMNS = (
    partitions.c.id,
    partitions.c.item,
    partitions.c.token_class,
    partitions.c.origin,
    partitions.c.epoch,
    partitions.c.version,
    partitions.c.cut_id.label("cut"),
    partitions.c.is_current,
    partitions.c.entries,
    partitions.c.bits,
    partitions.c.root,
    partitions.c.as_of,
    partitions.c.date,
    partitions.c.record_size,
    partitions.c.pads,
    partitions.c.planted,
)


def _newest(version: ColumnElement[int]) -> ScalarSelect[Any]:
    other = buckets.alias()
    same = (other.c.cut_id == buckets.c.cut_id, other.c.number == buckets.c.number)
    return select(func.max(other.c.version)).where(*same, other.c.version <= version).scalar_subquery()


# Built once: it takes longer to build a statement than to run it, and an import, a rotation and a mirror run
# these for each partition.
_PLACE = and_(
    partitions.c.item == bindparam("item"),
    partitions.c.origin == bindparam("origin"),
    partitions.c.epoch == bindparam("epoch"),
)
_BY_ID = partitions.c.id == bindparam("partition")
_OFFERED = (_PLACE, partitions.c.offered_at.is_not(None))
_KEPT = select(*_COLUMNS).where(*_OFFERED, partitions.c.version == bindparam("version"))
_CURRENT = select(*_COLUMNS).where(_PLACE, partitions.c.is_current)
_VERSIONS = select(*_COLUMNS).where(partitions.c.id.in_(bindparam("versions", expanding=True)))
_LATEST = select(partitions.c.version).where(*_OFFERED).order_by(partitions.c.version.desc()).limit(1)
_LEAVES = select(partitions.c.leaves).where(_BY_ID)
_SOME = buckets.c.number.in_(bindparam("numbers", expanding=True))
# The rows of a version: for each number the newest one that is not newer than the version.
_OF_VERSION = (
    select(buckets.c.number, buckets.c.entries)
    .join_from(partitions, buckets, partitions.c.cut_id == buckets.c.cut_id)
    .where(_BY_ID, buckets.c.version == _newest(partitions.c.version))
)
_BUCKETS = _OF_VERSION.where(_SOME).order_by(buckets.c.number)
_OLDEST = _OF_VERSION.with_only_columns(buckets.c.number, buckets.c.oldest)
_OF_CUT = (
    buckets.c.cut_id == bindparam("cut"),
    _SOME,
    buckets.c.version == _newest(bindparam("version", type_=buckets.c.version.type)),
)
_STORED = select(buckets).where(*_OF_CUT).order_by(buckets.c.number)
_UNSERVED = select(buckets.c.number, buckets.c.kept_sealed).where(*_OF_CUT)


def last_import(tx: Connection, item: str) -> dict[str, Any] | None:
    """The counts of the newest full import of an item, None before the first."""
    tally = tx.scalar(
        select(imports.c.tally)
        .where(imports.c.item == item, imports.c.mode == "full")
        .order_by(imports.c.id.desc())
        .limit(1)
    )
    return None if tally is None else dict(json.loads(tally))


def current_items(tx: Connection, epoch: int) -> dict[str, TokenClass]:
    """The items this node has in an epoch, by code in order, with the class of their tokens."""
    rows = tx.execute(
        select(partitions.c.item, partitions.c.token_class)
        .where(partitions.c.is_current, partitions.c.epoch == epoch)
        .distinct()
        .order_by(partitions.c.item)
    )
    return {row.item: TokenClass(row.token_class) for row in rows}


def offered_partitions(tx: Connection, epoch: int, origins: Sequence[str]) -> list[PartitionRow]:
    """What peers are offered of the origins: the newest offered versions, ordered by item and origin."""
    newer = partitions.alias()
    place = and_(
        newer.c.item == partitions.c.item,
        newer.c.origin == partitions.c.origin,
        newer.c.epoch == partitions.c.epoch,
        newer.c.offered_at.is_not(None),
    )
    newest = select(func.max(newer.c.version)).where(place).scalar_subquery()
    rows = tx.execute(
        select(*_COLUMNS)
        .where(
            partitions.c.epoch == epoch,
            partitions.c.origin.in_(origins),
            partitions.c.offered_at.is_not(None),
            partitions.c.version == newest,
        )
        .order_by(partitions.c.item, partitions.c.origin)
    )
    return [_partition(row) for row in rows]


def partitions_of_epoch(tx: Connection, epoch: int, *, published: bool = True) -> list[PartitionRow]:
    """Current partitions of all items, or those that a rotation prepared; ordered by item and origin."""
    state = partitions.c.is_current if published else partitions.c.published_at.is_(None)
    rows = tx.execute(
        select(*_COLUMNS)
        .where(state, partitions.c.epoch == epoch)
        .order_by(partitions.c.item, partitions.c.origin)
    )
    return [_partition(row) for row in rows]


def partitions_of(tx: Connection, item: str, epoch: int) -> list[PartitionRow]:
    """Current partitions of one item, ordered by origin."""
    rows = tx.execute(
        select(*_COLUMNS)
        .where(partitions.c.is_current, partitions.c.epoch == epoch, partitions.c.item == item)
        .order_by(partitions.c.origin)
    )
    return [_partition(row) for row in rows]


def find_partition(tx: Connection, item: str, origin: str, epoch: int, version: int) -> PartitionRow | None:
    """One version that is still kept, and that peers were offered."""
    values = {"item": item, "origin": origin, "epoch": epoch, "version": version}
    row = tx.execute(_KEPT, values).one_or_none()
    return None if row is None else _partition(row)


def read_versions(tx: Connection, versions: Sequence[int]) -> list[PartitionRow]:
    """Versions by their ids, published or not, in the order of these ids."""
    rows = {row.id: row for row in tx.execute(_VERSIONS, {"versions": versions})}
    return [_partition(rows[identifier]) for identifier in versions]


def current_partition(tx: Connection, item: str, origin: str, epoch: int) -> PartitionRow | None:
    """The current version of a partition, None when there is none."""
    row = tx.execute(_CURRENT, {"item": item, "origin": origin, "epoch": epoch}).one_or_none()
    return None if row is None else _partition(row)


def offered_version(tx: Connection, item: str, origin: str, epoch: int) -> int | None:
    """The newest version number that peers are offered of a partition, None when there is none."""
    return tx.scalar(_LATEST, {"item": item, "origin": origin, "epoch": epoch})


def read_leaves(tx: Connection, partition: int) -> bytes:
    """Digests of a partition's buckets, 32 bytes each, in order; empty when the version was removed."""
    return bytes(tx.scalar(_LEAVES, {"partition": partition}) or b"")


def read_buckets(tx: Connection, partition: int, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
    """Served bytes of some buckets, ordered by number. Keep `numbers` short: all are loaded into memory."""
    rows = tx.execute(_BUCKETS, {"partition": partition, "numbers": numbers})
    return [(row.number, bytes(row.entries)) for row in rows]


@dataclass(frozen=True, slots=True)
class StoredBucket:
    """A bucket with its unserved data."""

    number: int
    entries: bytes
    kept_sealed: bytes
    links_sealed: bytes


def read_cut(tx: Connection, cut: int, version: int, numbers: Sequence[int]) -> list[StoredBucket]:
    """Some buckets of a version, published or not, with their unserved data; ordered by number."""
    rows = tx.execute(_STORED, {"cut": cut, "version": version, "numbers": numbers})
    return [
        StoredBucket(row.number, bytes(row.entries), bytes(row.kept_sealed), bytes(row.links_sealed))
        for row in rows
    ]


def read_kept(tx: Connection, cut: int, version: int, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
    """What is kept beside some buckets of a version, sealed, by number."""
    rows = tx.execute(_UNSERVED, {"cut": cut, "version": version, "numbers": numbers})
    return [(row.number, bytes(row.kept_sealed)) for row in rows]


def oldest_days(tx: Connection, partition: int) -> dict[int, int]:
    """The oldest date in the labels of each bucket."""
    rows = tx.execute(_OLDEST, {"partition": partition})
    return {row.number: row.oldest for row in rows}


def totals(tx: Connection, epoch: int) -> list[tuple[str, int, int, int]]:
    """(item, partitions, entries of people, oldest as-of day) of the current partitions: without pads and
    planted ones.
    """
    rows = tx.execute(
        select(
            partitions.c.item,
            partitions.c.planted,  # few kinds an item: by configuration at the time of an import
            func.count().label("parts"),
            func.sum(partitions.c.entries - partitions.c.pads).label("entries"),
            func.min(partitions.c.as_of).label("oldest"),
        )
        .where(partitions.c.is_current, partitions.c.epoch == epoch)
        .group_by(partitions.c.item, partitions.c.planted)
        .order_by(partitions.c.item)
    )
    found: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        parts, entries, oldest = found.get(row.item, (0, 0, row.oldest))
        people = int(row.entries) - row.parts * len(json.loads(row.planted))
        found[row.item] = (parts + row.parts, entries + people, min(oldest, row.oldest))
    return [(item, *values) for item, values in found.items()]


def _partition(row: object) -> PartitionRow:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001
    values["planted"] = tuple((name, value) for name, value in json.loads(values["planted"]))
    values["token_class"] = TokenClass(values["token_class"])
    values["root"] = bytes(values["root"])
    return PartitionRow(**values)
