"""Writes partitions: buckets first, in many transactions, then one that makes the version current.

Rows written before that last transaction belong to a cut or version that is not published, so no query
reads them. A run that ends half-way leaves such rows, and `sweep` removes them. Only one run at a time
writes (node/index/update_lock.py), so all unpublished rows at its start are left over.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import dropwhile, groupby, islice

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, select, update

from matcher.types import TokenClass
from node.database.engine import Store
from node.database.index_tables import buckets, cuts, partitions

KEPT_VERSIONS = 2  # the one that peers are offered, and the one before, which running queries may still read
_SWEPT = 256  # buckets removed in one transaction, to keep locks short and the log small
# Built once, as in node/database/partitions.py. Names of columns are those of what is set.
_SAME_PLACE = (
    partitions.c.item == bindparam("of_item"),
    partitions.c.origin == bindparam("of_origin"),
    partitions.c.epoch == bindparam("of_epoch"),
)
_LAST = (
    select(partitions.c.origin, func.max(partitions.c.version).label("last"))
    .where(partitions.c.item == bindparam("of_item"), partitions.c.epoch == bindparam("of_epoch"))
    .group_by(partitions.c.origin)
)
_NEW_CUT = insert(cuts).returning(cuts.c.id)
_WRITTEN = insert(partitions).returning(partitions.c.id)
_PLACES_OF = select(
    partitions.c.item.label("of_item"),
    partitions.c.origin.label("of_origin"),
    partitions.c.epoch.label("of_epoch"),
).where(partitions.c.id.in_(bindparam("prepared", expanding=True)))
_SUPERSEDE = update(partitions).where(*_SAME_PLACE, partitions.c.is_current).values(is_current=False)
_PUBLISH = (
    update(partitions)
    .where(partitions.c.id.in_(bindparam("prepared", expanding=True)))
    .values(is_current=True, published_at=bindparam("now"), offered_at=bindparam("offered"))
)
_REDATE = (
    update(partitions)
    .where(partitions.c.id == bindparam("redated"))
    .values(date=bindparam("new_date"), as_of=bindparam("new_as_of"))
)


@dataclass(frozen=True, slots=True)
class NewBucket:
    """A bucket to be written; `oldest` is an as-of day."""

    number: int
    oldest: int
    entries: bytes
    kept_sealed: bytes
    links_sealed: bytes


@dataclass(frozen=True, slots=True)
class NewPartition:
    """A version whose buckets are written.

    `date` is that of its records that name none, `pads` how many of its entries are pads.
    """

    item: str
    token_class: TokenClass
    origin: str
    epoch: int
    version: int
    cut: int
    entries: int
    bits: int
    root: bytes
    leaves: bytes
    as_of: int
    date: int
    record_size: int
    pads: int
    planted: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """Versions and cuts of unfinished runs that a sweep removed."""

    versions: int
    cuts: int

    def __bool__(self) -> bool:
        return bool(self.versions or self.cuts)


def version_after(last: int, now: datetime) -> int:
    """The number of a new version: the time in milliseconds, and above the last one.

    So versions also rise past those that a database restored from a backup has forgotten.
    """
    return max(last + 1, int(now.timestamp() * 1000))


def last_versions(tx: Connection, item: str, epoch: int) -> dict[str, int]:
    """The newest version of each partition of an item, by origin."""
    return {row.origin: row.last for row in tx.execute(_LAST, {"of_item": item, "of_epoch": epoch})}


def open_cut(tx: Connection, item: str, origin: str, epoch: int, bits: int, now: datetime) -> int:
    """A new cut without buckets; return its id."""
    values = {"item": item, "origin": origin, "epoch": epoch, "bits": bits, "begun_at": now}
    return int(tx.execute(_NEW_CUT, values).scalar_one())


def add_buckets(tx: Connection, cut: int, version: int, new: Sequence[NewBucket]) -> None:
    """Write buckets of a version that is not published yet."""
    if not new:
        return
    tx.execute(
        insert(buckets),
        [
            {
                "cut_id": cut,
                "number": bucket.number,
                "version": version,
                "oldest": bucket.oldest,
                "entries": bucket.entries,
                "kept_sealed": bucket.kept_sealed,
                "links_sealed": bucket.links_sealed,
            }
            for bucket in new
        ],
    )


def prepare(tx: Connection, new: NewPartition) -> int:
    """Write the row of a version, unpublished; return its id."""
    values = {
        "item": new.item,
        "token_class": new.token_class,
        "origin": new.origin,
        "epoch": new.epoch,
        "version": new.version,
        "cut_id": new.cut,
        "is_current": False,
        "entries": new.entries,
        "bits": new.bits,
        "root": new.root,
        "leaves": new.leaves,
        "as_of": new.as_of,
        "date": new.date,
        "record_size": new.record_size,
        "pads": new.pads,
        "planted": json.dumps(new.planted),
        "published_at": None,
    }
    return int(tx.execute(_WRITTEN, values).scalar_one())


def publish(tx: Connection, prepared: Iterable[int], now: datetime, *, offered: bool = True) -> None:
    """Make prepared versions current; readers see all of them when the transaction commits, or none.

    Those that are not `offered` are what the next import changes, and peers still get the one before.
    """
    identifiers = list(prepared)
    places = [dict(place) for place in tx.execute(_PLACES_OF, {"prepared": identifiers}).mappings()]
    if len({tuple(place.values()) for place in places}) != len(identifiers):
        raise ValueError("versions that are to be published are not one of each partition")
    if places:
        tx.execute(_SUPERSEDE, places)
        tx.execute(_PUBLISH, {"prepared": identifiers, "now": now, "offered": now if offered else None})


def offer(tx: Connection, now: datetime, *, item: str | None = None, before: datetime | None = None) -> int:
    """Offer peers the current versions that they are not offered yet, by default all; return how many.

    Of one item, or those that became current before an instant.
    """
    waiting = [partitions.c.is_current, partitions.c.offered_at.is_(None)]
    if item is not None:
        waiting.append(partitions.c.item == item)
    if before is not None:
        waiting.append(partitions.c.published_at < before)
    return tx.execute(update(partitions).where(*waiting).values(offered_at=now)).rowcount


def are_waiting(tx: Connection) -> bool:
    """Whether there are current versions that peers are not offered yet."""
    waiting = select(partitions.c.id).where(partitions.c.is_current, partitions.c.offered_at.is_(None))
    return tx.execute(waiting.limit(1)).first() is not None


def raise_versions(tx: Connection, now: datetime) -> int:
    """Give every current partition a higher version with the same buckets, and offer it; return how many."""
    rows = tx.execute(select(partitions.c.id, partitions.c.version).where(partitions.c.is_current)).all()
    for row in rows:
        version = version_after(row.version, now)
        tx.execute(update(partitions).where(partitions.c.id == row.id).values(version=version))
    offer(tx, now)
    return len(rows)


@dataclass(frozen=True, slots=True)
class Redated:
    """A served version (its id) whose bytes a full import left as they are, with its new dates."""

    partition: int
    date: int
    as_of: int


def redate(tx: Connection, versions: Iterable[Redated]) -> None:
    """Give served versions new dates."""
    dates = [{"redated": one.partition, "new_date": one.date, "new_as_of": one.as_of} for one in versions]
    if dates:
        tx.execute(_REDATE, dates)


def sweep(store: Store, preparing: Sequence[int] = ()) -> Swept:
    """Remove the rows of unfinished runs, and versions and buckets that no query may read any more.

    Whole versions of the epochs in `preparing` stay: an interrupted rotation will continue with them.
    """

    def forget(tx: Connection) -> tuple[int, list[tuple[int, int]], list[int]]:
        unpublished = and_(partitions.c.published_at.is_(None), partitions.c.epoch.not_in(preparing))
        left = tx.execute(delete(partitions).where(unpublished)).rowcount
        unused = tx.execute(
            select(cuts.c.id, cuts.c.bits).where(~exists().where(partitions.c.cut_id == cuts.c.id))
        ).all()
        return left, [(row.id, row.bits) for row in unused], list(tx.scalars(select(cuts.c.id)))

    left, unused, every = store.retry_write("sweep unpublished versions", forget)
    remove_cuts(store, unused)
    used = sorted(set(every) - {identifier for identifier, _ in unused})
    store.retry_write("sweep unpublished buckets", partial(_remove_unread, of=used))
    return Swept(left, len(unused))


def retire(store: Store, item: str, epoch: int) -> None:
    """Remove versions of an item that are no longer kept, and the buckets that only they used."""

    def forget(tx: Connection) -> tuple[list[tuple[int, int]], list[int]]:
        rows = tx.execute(
            select(partitions.c.id, partitions.c.origin, partitions.c.is_current, partitions.c.offered_at)
            .where(partitions.c.item == item, partitions.c.epoch == epoch)
            .order_by(partitions.c.origin, partitions.c.version.desc())
        ).all()
        old: list[int] = []
        for _, versions in groupby(rows, key=lambda row: row.origin):
            served = list(dropwhile(lambda row: not row.is_current, versions))
            kept = {row.id for row in served[:1]}
            kept |= {row.id for row in islice((r for r in served if r.offered_at), KEPT_VERSIONS)}
            old += (row.id for row in served if row.id not in kept)
        for at in range(0, len(old), _SWEPT):
            tx.execute(delete(partitions).where(partitions.c.id.in_(old[at : at + _SWEPT])))
        place = (cuts.c.item == item, cuts.c.epoch == epoch)
        used = exists().where(partitions.c.cut_id == cuts.c.id)
        unused = tx.execute(select(cuts.c.id, cuts.c.bits).where(*place, ~used)).all()
        return [(row.id, row.bits) for row in unused], list(tx.scalars(select(cuts.c.id).where(*place, used)))

    unused, used = store.retry_write("retire versions", forget)
    remove_cuts(store, unused)
    store.retry_write("retire buckets", partial(_remove_unread, of=used))


def remove_cuts(store: Store, unused: Sequence[tuple[int, int]]) -> None:
    """Remove cuts (id, bits) with their buckets: many small ones at once, large ones in steps."""
    small = [identifier for identifier, bits in unused if 1 << bits <= _SWEPT]
    for at in range(0, len(small), _SWEPT // 8):
        some = small[at : at + _SWEPT // 8]
        store.retry_write("remove cuts", partial(_forget, some=some))
    for identifier, bits in unused:
        if 1 << bits <= _SWEPT:
            continue
        for first in range(0, 1 << bits, _SWEPT):
            remove = partial(_remove_some, cut=identifier, first=first)
            store.retry_write("remove buckets", remove)
        store.retry_write("remove a cut", partial(_forget, some=[identifier]))


def _remove_some(tx: Connection, cut: int, first: int) -> None:
    some = and_(buckets.c.number >= first, buckets.c.number < first + _SWEPT)
    tx.execute(delete(buckets).where(buckets.c.cut_id == cut, some))


def _forget(tx: Connection, some: Sequence[int]) -> None:
    tx.execute(delete(buckets).where(buckets.c.cut_id.in_(some)))
    tx.execute(delete(cuts).where(cuts.c.id.in_(some)))


def _remove_unread(tx: Connection, of: Sequence[int]) -> None:
    """Remove buckets of some cuts that no kept version reads: never published, or superseded in all."""
    version = partitions.c.version
    kept = partitions.c.cut_id == buckets.c.cut_id
    newest = select(func.max(version)).where(kept).scalar_subquery()
    oldest = select(func.min(version)).where(kept).scalar_subquery()
    newer = buckets.alias()
    superseded = exists().where(
        newer.c.cut_id == buckets.c.cut_id,
        newer.c.number == buckets.c.number,
        newer.c.version > buckets.c.version,
        newer.c.version <= oldest,
    )
    for at in range(0, len(of), _SWEPT):
        some = buckets.c.cut_id.in_(of[at : at + _SWEPT])
        tx.execute(delete(buckets).where(some, buckets.c.version > newest))
        tx.execute(delete(buckets).where(some, superseded))
