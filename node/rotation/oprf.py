"""Rotation of the OPRF key: the index is written under the next key too (design.md section 6).

Every partition is written under the next epoch, unpublished, over the cores (node/rotation/oprf_tasks.py);
after a kill the next run keeps the complete partitions.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from keys import KeyStore
from keys.store.kinds import generate_secret
from matcher import buckets, oprf
from matcher.errors import ScalarError
from matcher.oprf import RandomBytes
from matcher.pads import pad_key
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.compute.engine import Engine, cores, open_engine
from node.compute.scratch import KEY_SIZE
from node.context import Node
from node.credentials.active_keys import OPRF
from node.database import Connection, Store, epoch_switch, partition_versions
from node.database import partitions as index_rows
from node.database.partitions import PartitionRow, StoredBucket
from node.index.entries import pad_entries
from node.index.layout import Entries
from node.index.partition_writer import Layout, PartitionWriter, Version
from node.rotation.epochs import make_epoch, read_keyring
from node.rotation.oprf_tasks import Batch, LinkMap, Rekeyed, Rekeying, altered, rekey_batch
from node.rotation.run import Amount, Home, Keyring, Rotation, Run, require_node
from node.telemetry.progress import Progress

SMALL_ENTRIES = 20_000  # below this, starting processes costs more than it gains
BATCH_ENTRIES = 1 << 14  # entries of one task
GROUP_ENTRIES = 1 << 18  # entries of partitions that are finished together
_BUCKETS_AT_ONCE = 512  # of one task
_LINKED_AT_ONCE = 64  # stored buckets held in memory at once


class OprfRotation(Rotation):
    """Rotation of the key of the index."""

    purposes = (OPRF,)

    def read(self, home: Home, keys: KeyStore) -> Keyring:
        """All epochs; before the first rotation the only key."""
        return read_keyring(home, keys, self.purposes)

    def measure(self, home: Home) -> Amount:
        """Partitions and entries under the active key."""
        node = require_node(home)
        with node.store.transaction("count entries") as tx:
            return _measure(tx, node.keys.epoch)

    def make(self, run: Run) -> None:
        """Make a key to which the stored points can be converted."""
        old = run.keys.get(f"{OPRF}.{run.old(OPRF).epoch}")
        make_epoch(run, self.purposes, lambda _: draw_key(OPRF, old, run.home.random_bytes, _class_keys))

    def rekey(self, run: Run) -> Amount:
        """Every partition that has no counterpart yet. Raises UnavailableError for altered entries."""
        folder = run.require_folder()
        old, new = run.old(OPRF).epoch, run.epoch(OPRF)
        secret, next_secret = (run.keys.get(f"{OPRF}.{epoch}") for epoch in (old, new))
        work = Rekeying(old, secret, new, next_secret, folder, secrets.token_bytes(KEY_SIZE))
        return _rekey_all(run.node, work, run.workers, run.progress)

    def switch(self, tx: Connection, run: Run) -> Amount:
        """Partitions become current. Raises ConflictError unless all are there."""
        epoch_switch.publish_epoch(tx, run.old(OPRF).epoch, run.epoch(OPRF), run.home.clock())
        return _measure(tx, run.epoch(OPRF))

    def retire(self, store: Store, epoch: int) -> None:
        """Remove its partitions."""
        epoch_switch.forget_epoch(store, epoch)


def _only(secret: bytes) -> Sequence[bytes]:
    return (oprf.clamp(secret),)


def _class_keys(secret: bytes) -> Sequence[bytes]:
    return tuple(CURRENT.class_keys(secret).values())


def draw_key(
    purpose: str, old: bytes, random_bytes: RandomBytes, scalars: Callable[[bytes], Sequence[bytes]] = _only
) -> bytes:
    """A fresh key to which points of the old one can be converted: nearly every one is.

    `scalars` are those that multiply points under a key; each needs a ratio with a clamped representative.
    """
    while True:
        secret = generate_secret(purpose, random_bytes)
        try:
            for new, before in zip(scalars(secret), scalars(old), strict=True):
                oprf.ratio(new, before)
        except ScalarError:
            continue
        return secret


@dataclass(frozen=True, slots=True)
class _Pads:
    """The pads of a partition under one key, and the bucket of each."""

    entries: Entries = field(repr=False)
    places: NDArray[np.uint64] = field(repr=False)

    @classmethod
    def draw(cls, part: PartitionRow, epoch: int, key: bytes) -> "_Pads":
        """As many as the partition has."""
        place = part.item, int(part.origin), epoch, range(part.pads)
        own = pad_key(CURRENT.class_key(key, part.token_class))
        entries = pad_entries(CURRENT, own, *place, part.width)
        return cls(entries, buckets.prefixes(entries["kept"]).astype(np.uint64) >> np.uint64(32 - part.bits))

    def within(self, numbers: range) -> bytes:
        """Those of some neighbouring buckets."""
        return bytes(self.entries[(self.places >= numbers.start) & (self.places < numbers.stop)].tobytes())


def _measure(tx: Connection, epoch: int) -> Amount:
    rows = index_rows.partitions_of_epoch(tx, epoch)
    return Amount(len(rows), sum(row.entries - row.pads for row in rows))


def _rekey_all(node: Node, work: Rekeying, workers: int | None, progress: Progress) -> Amount:
    with node.store.transaction("find partitions") as tx:
        missing, outdated = epoch_switch.split_prepared(tx, work.old_epoch, work.new_epoch)
    epoch_switch.drop(node.store, outdated)
    total = sum(part.entries for part in missing)
    if workers is None:
        workers = cores() if total >= SMALL_ENTRIES else 0
    done = 0
    with open_engine(work, workers) as engine:
        for (item, token_class), parts in groupby(missing, key=lambda part: (part.item, part.token_class)):
            run = _ItemRun(node, work, engine, item, token_class)
            run.collect_links()
            for group in _groups(parts):
                for entries in run.rekey(group):
                    done += entries
                    progress("rekey", done, total)
        people = total - sum(part.pads for part in missing)
        return Amount(len(missing), people, engine.usage(), workers)


def _groups(parts: Iterable[PartitionRow]) -> Iterator[list[PartitionRow]]:
    """Partitions that are written in the same transactions: many small ones, or one large one."""
    group: list[PartitionRow] = []
    for part in parts:
        group.append(part)
        if sum(each.entries for each in group) >= GROUP_ENTRIES:
            yield group
            group = []
    if group:
        yield group


class _ItemRun:
    """Writes the partitions of one item under the next epoch."""

    def __init__(
        self, node: Node, work: Rekeying, engine: Engine, item: str, token_class: TokenClass
    ) -> None:
        self._node, self._work, self._engine, self._item = node, work, engine, item
        self._old = PartitionWriter(node, item, token_class, work.old_epoch)
        self._new = PartitionWriter(node, item, token_class, work.new_epoch)
        self._class, self._links = token_class, LinkMap(work, item, token_class)

    def collect_links(self) -> None:
        """Collect every entry that is linked with another, in all partitions of the item."""
        with self._node.store.transaction("find partitions") as tx:
            parts = index_rows.partitions_of(tx, self._item, self._work.old_epoch)
        for part in parts:
            after = -1
            while True:
                with self._node.store.transaction("read linked buckets") as tx:
                    stored = index_rows.linked_buckets(tx, part.cut, part.version, after, _LINKED_AT_ONCE)
                if not stored:
                    break
                for each in stored:
                    points, links = self._old.unseal(int(part.origin), each)
                    self._links.add(links, each.entries, points, part.width)
                after = stored[-1].number
        self._links.close()

    def rekey(self, group: Sequence[PartitionRow]) -> Iterator[int]:
        """Write new versions of some partitions; yield entries as they are done."""
        versions = self._open(group)
        links: dict[tuple[int, int], bytes] = {}
        tasks = (task for part in group for task in self._batches(part, links))
        for made in self._engine.map(rekey_batch, tasks):
            yield self._append(versions, made, links)
        for part in group:
            versions[part.origin].oldest = part.as_of  # unchanged, also in an empty partition
        self._new.finish(versions.values())

    def _append(
        self, versions: dict[str, Version], made: Rekeyed, links: dict[tuple[int, int], bytes]
    ) -> int:
        version = versions[f"{made.buckets[0].origin:02}"]
        before = version.entries
        for bucket in made.buckets:
            self._new.append(version, bucket, links.pop((bucket.origin, bucket.bucket.number), b""))
        return version.entries - before

    def _open(self, group: Sequence[PartitionRow]) -> dict[str, Version]:
        """Begin versions with the version numbers and bucket bits of the old ones."""
        epoch, now = self._work.new_epoch, self._node.clock()

        def write(tx: Connection) -> dict[str, Version]:
            found = {}
            for part in group:
                cut = partition_versions.open_cut(tx, self._item, part.origin, epoch, part.bits, now)
                layout = Layout(part.bits, part.pads, part.date, part.width, part.planted)
                found[part.origin] = Version(int(part.origin), part.version, cut, layout)
            return found

        return self._node.store.retry_write("begin versions", write)

    def _batches(self, part: PartitionRow, links: dict[tuple[int, int], bytes]) -> Iterator[Batch]:
        """Stored buckets in order, as tasks; their links wait in `links` until the task is back."""
        code, count = int(part.origin), 1 << part.bits
        step = max(BATCH_ENTRIES * count // max(part.entries, 1), 1)
        old, new = (
            _Pads.draw(part, epoch, key)
            for epoch, key in (
                (self._work.old_epoch, self._work.old),
                (self._work.new_epoch, self._work.new),
            )
        )
        for first in range(0, count, min(step, _BUCKETS_AT_ONCE)):
            numbers = range(first, min(first + min(step, _BUCKETS_AT_ONCE), count))
            with self._node.store.transaction("read buckets") as tx:
                stored = index_rows.read_cut(tx, part.cut, part.version, numbers)
            if len(stored) != len(numbers):
                raise altered(self._item)
            yield Batch(
                self._item,
                self._class,
                code,
                part.width,
                part.bits,
                first,
                old.within(numbers),
                new.within(numbers),
                [self._opened(code, each, links) for each in stored],
            )

    def _opened(
        self, code: int, stored: StoredBucket, links: dict[tuple[int, int], bytes]
    ) -> tuple[bytes, bytes]:
        points, found = self._old.unseal(code, stored)
        if found:
            links[code, stored.number] = self._links.move(found)
        return stored.entries, points
