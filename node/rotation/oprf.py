"""Rotation of the OPRF key: the next epoch beside the current one, then one switch (design.md section 6).

    make     a key `oprf.<epoch>` in the key store, a row `pending`
    rekey    every partition under it, unpublished, over the cores (node/rotation/oprf_tasks.py)
    switch   states and partitions in one transaction; running nodes see it within half a second
    retire   later: the old epoch is refused, and its partitions go
    destroy  at last: its key goes too

A run that is killed leaves the old epoch served; the next one goes on with the partitions that are whole.
Imports and rotations exclude each other: both hold the lock of node/index/update_lock.py.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from keys import KeyStore
from keys import rotation as plans
from keys.rotation import Action, Step
from keys.store.kinds import fingerprint, generate_secret
from keys.types import EpochKey, KeyState, RotationPolicy
from matcher import oprf
from matcher.errors import ScalarError
from node.compute.engine import Engine, cores, open_engine
from node.compute.scratch import KEY_SIZE
from node.compute.types import Usage
from node.context import Node
from node.credentials.active_keys import OPRF
from node.database import Connection, epoch_switch, key_epochs, partition_versions
from node.database import partitions as index_rows
from node.database.partitions import PartitionRow, StoredBucket
from node.index import tasks as tasks_module
from node.index.partition_writer import PartitionWriter, Version
from node.index.update_lock import open_workspace
from node.rotation import driver
from node.rotation.oprf_tasks import LinkMap, Rekeyed, Rekeying, Stretch, altered, rekey_stretch
from node.telemetry.progress import Progress, Stopwatch

SMALL_ENTRIES = 20_000  # below this, starting processes costs more than it gains
STRETCH_ENTRIES = 1 << 14  # entries of one task
GROUP_ENTRIES = 1 << 18  # entries of partitions that are finished together
_BUCKETS_AT_ONCE = 512  # of one task
_LINKED_AT_ONCE = 64  # stored buckets held in memory at once


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did. `seconds` is wall time by stage; `resumed`: an earlier run had begun it."""

    epoch: int
    fingerprint: str
    grace_until: datetime
    partitions: int
    entries: int
    resumed: bool
    seconds: dict[str, float] = field(default_factory=dict)
    usage: Usage = field(default=Usage(0, 0))
    workers: int = 0


def read_keyring(node: Node, store: KeyStore) -> tuple[EpochKey, ...]:
    """All OPRF epochs; before the first rotation the one key there is, which has no row yet."""
    return driver.read_keyring(node, store, (OPRF,))


def rotate_oprf(
    node: Node,
    store: KeyStore,
    policy: RotationPolicy,
    *,
    workers: int | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Rotated:
    """Make the next epoch of the OPRF key active, or finish a rotation that was begun.

    Raises ConflictError while an import or another rotation runs, KeyStateError for a state or clock that
    does not allow it, UnavailableError for a database or disk that fails; the old epoch stays served.
    """
    watch = Stopwatch()
    with open_workspace(node) as space:
        ring = read_keyring(node, store)
        steps = plans.plan_rotation(ring, OPRF, policy, node.clock())
        resumed = steps[0].action is not Action.MAKE
        current, switch = plans.active(ring, OPRF), steps[-1]
        secret = _make(node, store, current, switch.epoch)
        progress("make", 1, 1)
        watch.lap("make")
        old = store.get(f"{OPRF}.{current.epoch}")
        work = Rekeying(current.epoch, old, switch.epoch, secret, space.folder, secrets.token_bytes(KEY_SIZE))
        usage, workers = _rekey_all(node, work, workers, progress)
        watch.lap("rekey")
        count, entries = _switch(node, store, switch)
        progress("switch", 1, 1)
        watch.lap("switch")
    node.ring.refresh()
    until = switch.until or node.clock()
    named = fingerprint(OPRF, secret)
    return Rotated(switch.epoch, named, until, count, entries, resumed, dict(watch.seconds), usage, workers)


def retire(node: Node, store: KeyStore, *, early: bool = False) -> list[EpochKey]:
    """Refuse every epoch whose grace is over (with `early` all in grace), and remove its partitions."""
    done = _apply(node, store, lambda ring: plans.plan_retirement(ring, OPRF, node.clock(), early=early))
    # Also of epochs whose removal a killed run did not end.
    for key in read_keyring(node, store):
        if key.state in (KeyState.RETIRED, KeyState.DESTROYED):
            epoch_switch.forget_epoch(node.store, key.epoch)
    node.ring.refresh()
    return done


def destroy(node: Node, store: KeyStore, epoch: int | None = None) -> list[EpochKey]:
    """Erase the secrets of retired epochs, or of one. Raises KeyStateError for one still in use."""
    return driver.destroy(node, store, (OPRF,), epoch)


def _apply(
    node: Node, store: KeyStore, plan: Callable[[tuple[EpochKey, ...]], Sequence[Step]]
) -> list[EpochKey]:
    return driver.move(node, store, (OPRF,), plan)


def _make(node: Node, store: KeyStore, current: EpochKey, epoch: int) -> bytes:
    """The secret of the next epoch: the one an earlier run made, or a fresh one."""
    old = store.get(f"{OPRF}.{current.epoch}")
    return driver.make(node, store, (current,), epoch, lambda _: _draw(node, old))[OPRF]


def _draw(node: Node, old: bytes) -> bytes:
    """A fresh key whose ratio to the old one has a clamped representative: nearly every one has."""
    while True:
        secret = generate_secret(OPRF, node.random_bytes)
        try:
            oprf.ratio(oprf.clamp(secret), oprf.clamp(old))
        except ScalarError:
            continue
        return secret


def _switch(node: Node, store: KeyStore, step: Step) -> tuple[int, int]:
    """States and partitions in one transaction; return how many partitions and entries there are."""
    ring, now = read_keyring(node, store), node.clock()
    current = plans.active(ring, OPRF)
    moved = plans.apply(ring, step, now)

    def write(tx: Connection) -> tuple[int, int]:
        key_epochs.move_epochs(tx, ring, moved, now)
        count = epoch_switch.publish_epoch(tx, current.epoch, step.epoch, now)
        return count, sum(row.entries for row in index_rows.partitions_of_epoch(tx, step.epoch))

    return node.store.retry_write("switch epochs", write)


def _rekey_all(node: Node, work: Rekeying, workers: int | None, progress: Progress) -> tuple[Usage, int]:
    with node.store.transaction("find partitions") as tx:
        missing, outdated = epoch_switch.split_prepared(tx, work.old_epoch, work.new_epoch)
    epoch_switch.drop(node.store, outdated)
    total = sum(part.entries for part in missing)
    if workers is None:
        workers = cores() if total >= SMALL_ENTRIES else 0
    done = 0
    with open_engine(work, workers) as engine:
        for item, parts in groupby(missing, key=lambda part: part.item):
            run = _ItemRun(node, work, engine, item)
            run.collect_links()
            for group in _groups(parts):
                for entries in run.rekey(group):
                    done += entries
                    progress("rekey", done, total)
        return engine.usage(), workers


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
    """The partitions of one item, brought under the next epoch."""

    def __init__(self, node: Node, work: Rekeying, engine: Engine, item: str) -> None:
        self._node, self._work, self._engine, self._item = node, work, engine, item
        self._old = PartitionWriter(node, item, work.old_epoch)
        self._new = PartitionWriter(node, item, work.new_epoch)
        self._links = LinkMap(work, item)

    def collect_links(self) -> None:
        """Look at every entry that is linked with another, in any partition of the item."""
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
                    self._links.add(links, each.entries, points)
                after = stored[-1].number
        self._links.close()

    def rekey(self, group: Sequence[PartitionRow]) -> Iterator[int]:
        """Write new versions of some partitions; yield entries as they are done."""
        versions = self._open(group)
        links: dict[tuple[int, int], bytes] = {}
        tasks = (task for part in group for task in self._stretches(part, links))
        for made in self._engine.map(rekey_stretch, tasks):
            yield self._append(versions, made, links)
        for part in group:
            versions[part.origin].oldest = part.as_of  # as it was, also where nobody is in it
        serialised = self._engine.map(
            tasks_module.build_filter, [version.tags for version in versions.values()]
        )
        self._new.finish(zip(versions.values(), serialised, strict=True))

    def _append(
        self, versions: dict[str, Version], made: Rekeyed, links: dict[tuple[int, int], bytes]
    ) -> int:
        version = versions[f"{made.buckets[0].origin:02}"]
        before = version.entries
        for bucket in made.buckets:
            self._new.append(version, bucket, links.pop((bucket.origin, bucket.bucket.number), b""))
        version.tags.append(made.tags)
        return version.entries - before

    def _open(self, group: Sequence[PartitionRow]) -> dict[str, Version]:
        """Begin versions with the numbers, and cuts with the bits, of those they are made from."""
        epoch, now = self._work.new_epoch, self._node.clock()

        def write(tx: Connection) -> dict[str, Version]:
            found = {}
            for part in group:
                cut = partition_versions.open_cut(tx, self._item, part.origin, epoch, part.bits, now)
                found[part.origin] = Version(int(part.origin), part.version, cut, part.bits, part.planted)
            return found

        return self._node.store.retry_write("begin versions", write)

    def _stretches(self, part: PartitionRow, links: dict[tuple[int, int], bytes]) -> Iterator[Stretch]:
        """Stored buckets in order, as tasks; their links wait in `links` until the task is back."""
        code, count = int(part.origin), 1 << part.bits
        step = max(STRETCH_ENTRIES * count // max(part.entries, 1), 1)
        for first in range(0, count, min(step, _BUCKETS_AT_ONCE)):
            numbers = range(first, min(first + min(step, _BUCKETS_AT_ONCE), count))
            with self._node.store.transaction("read buckets") as tx:
                stored = index_rows.read_cut(tx, part.cut, part.version, numbers)
            if len(stored) != len(numbers):
                raise altered(self._item)
            yield Stretch(
                self._item, code, part.bits, first, [self._opened(code, each, links) for each in stored]
            )

    def _opened(
        self, code: int, stored: StoredBucket, links: dict[tuple[int, int], bytes]
    ) -> tuple[bytes, bytes]:
        points, found = self._old.unseal(code, stored)
        if found:
            links[code, stored.number] = self._links.move(found)
        return stored.entries, points
