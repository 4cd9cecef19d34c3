"""Rotation of the OPRF key: the index is written under the next key too (design.md sections 3.1 and 6).

    tokens     each block under the next epoch: what an earlier run made is extended
    partitions every one under the next epoch, unpublished: an earlier run's complete ones are kept
    switch     all of it becomes current
    clean up   tokens of the new epoch to which nothing points are zeroed

The work is spread over the cores (node/rotation/oprf_tasks.py).
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from keys import KeyStore
from keys.store.kinds import generate_secret
from matcher import oprf
from matcher.errors import ScalarError
from matcher.oprf import RandomBytes
from matcher.pads import pad_key
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.compute.engine import Engine, cores, open_engine
from node.compute.scratch import KEY_SIZE, Piece
from node.context import Node
from node.credentials.active_keys import OPRF
from node.database import Connection, Store, epoch_switch, partition_versions
from node.database import partitions as index_rows
from node.database.partitions import PartitionRow
from node.errors import ConflictError
from node.index.cutting import Cutting
from node.index.entries import Pads, altered
from node.index.layout import Place, part_bits
from node.index.partition_writer import Layout, PartitionWriter, Version
from node.index.stored_entries import EntriesToCopy, copy_entries, read_partition
from node.index.token_blocks import PREFIX_BITS, SLOT_SIZE
from node.index.token_clearing import clear_unreferenced
from node.index.token_store import TokenStore
from node.rotation.epochs import make_epoch, read_keyring
from node.rotation.oprf_tasks import (
    EntriesToRekey,
    Rekeying,
    TokensToRekey,
    rekey_tokens,
    take_tokens,
)
from node.rotation.run import Amount, Home, Keyring, Rotation, Run, require_node
from node.telemetry.progress import Progress

SMALL_ENTRIES = 20_000  # below this, starting processes costs more than it gains
GROUP_ENTRIES = 1 << 20  # entries of partitions that are finished together, with one pass over the tokens


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

    def clean_up(self, run: Run) -> None:
        """Zero the tokens of identities of which nothing is held any more."""
        clear_unreferenced(run.node, run.epoch(OPRF))

    def retire(self, store: Store, epoch: int) -> None:
        """Remove its partitions and tokens."""
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
    with open_engine(work, workers) as engine:
        run = _OprfRun(node, work, engine, progress, total)
        for token_class in TokenClass:
            run.rekey_tokens(token_class)
        for (item, token_class), parts in groupby(missing, key=lambda part: (part.item, part.token_class)):
            for group in _groups(parts):
                run.rekey_partitions(item, token_class, group)
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


@dataclass
class _OprfRun:
    """Writes tokens and partitions under the next epoch; `done` of `total` entries are written."""

    node: Node
    work: Rekeying
    engine: Engine
    progress: Progress
    total: int
    done: int = 0

    def rekey_tokens(self, token_class: TokenClass) -> None:
        """Every block whose source has changed since it was made, or that was not made yet."""
        old = TokenStore(self.node, token_class, self.work.old_epoch)
        new = TokenStore(self.node, token_class, self.work.new_epoch, mend=True)
        done, total = 0, old.count()
        sources: list[dict[int, int]] = []
        for made in self.engine.map(rekey_tokens, self._outdated(token_class, old, new, sources)):
            if not new.write(made, sources.pop(0)):
                raise ConflictError(
                    "another run wrote the same tokens during the rotation", "run the rotation again"
                )
            done += sum(len(block) // SLOT_SIZE for block in made.values())  # a seal is shorter than a slot
            self.progress("tokens", done, total)

    def _outdated(
        self, token_class: TokenClass, old: TokenStore, new: TokenStore, sources: list[dict[int, int]]
    ) -> Iterator[TokensToRekey]:
        """Blocks to be made; the versions of what each task is made from wait in `sources`."""
        for prefixes in old.ranges():
            before = {row.prefix: row for row in old.rows(prefixes)}
            after = {row.prefix: row for row in new.rows(prefixes)}
            versions = {prefix: row.source_version for prefix, row in after.items()}
            due = [row for row in before.values() if versions.get(row.prefix) != row.version]
            if due:
                sources.append({row.prefix: row.version for row in due})
                made = {row.prefix: new.open(after[row.prefix]) for row in due if row.prefix in after}
                yield TokensToRekey(token_class, {row.prefix: old.open(row) for row in due}, made)

    def rekey_partitions(self, item: str, token_class: TokenClass, group: Sequence[PartitionRow]) -> None:
        """Write new versions of some partitions of an item."""
        work, node = self.work, self.node
        place = Place(item, group[0].width, work.old_epoch)
        stores = [TokenStore(node, token_class, epoch) for epoch in (work.old_epoch, work.new_epoch)]
        bits = part_bits(max(sum(part.entries for part in group), stores[0].count()))
        links: dict[tuple[int, int], bytes] = {}
        copied = self._copy(token_class, group, bits, links)
        entries = self._take_tokens(place, copied, bits, stores)
        writer, versions = PartitionWriter(node, item, token_class, work.new_epoch), self._open(item, group)
        new = replace(place, epoch=work.new_epoch)
        key = pad_key(CURRENT.class_key(work.new, token_class))
        nobody = {
            code: Pads.draw(key, new, code, range(version.layout.pads)) for code, version in versions.items()
        }
        cutting = Cutting(self.engine, writer, new, bits, versions, nobody, links, self.progress, "rekey")
        cutting.run(entries, self.done, self.total)
        for part in group:
            versions[int(part.origin)].oldest = part.as_of  # unchanged, also in an empty partition
        writer.finish(versions.values())
        self.done += sum(version.entries for version in versions.values())

    def _copy(
        self,
        token_class: TokenClass,
        group: Sequence[PartitionRow],
        bits: int,
        links: dict[tuple[int, int], bytes],
    ) -> dict[int, list[Piece]]:
        """All entries of some partitions by part; their links, which stay as they are, go to `links`."""
        key = pad_key(CURRENT.class_key(self.work.old, token_class))

        def stored() -> Iterator[EntriesToCopy]:
            for part in group:
                writer = PartitionWriter(self.node, part.item, token_class, part.epoch)
                for opened in read_partition(self.node, writer, part, key):
                    if not opened.whole:
                        raise altered(part.item)
                    links.update(
                        ((int(part.origin), number), found) for number, found in opened.links.items() if found
                    )
                    yield EntriesToCopy(opened.buckets, bits)

        found: dict[int, list[Piece]] = defaultdict(list)
        for pieces in self.engine.map(copy_entries, stored()):
            if pieces is None:
                raise altered(group[0].item)
            for part, piece in pieces:
                found[part].append(piece)
        return found

    def _take_tokens(
        self, place: Place, copied: Mapping[int, Sequence[Piece]], bits: int, stores: Sequence[TokenStore]
    ) -> dict[int, list[Piece]]:
        """The same entries with the tags and label keys of the new epoch."""

        def tasks() -> Iterator[EntriesToRekey]:
            for part, pieces in copied.items():
                shift = PREFIX_BITS - bits
                old, new = (store.read(range(part << shift, (part + 1) << shift)) for store in stores)
                yield EntriesToRekey(place, pieces, old, new)

        made = self.engine.map(take_tokens, tasks())
        return {part: [piece] for part, piece in zip(copied, made, strict=True)}

    def _open(self, item: str, group: Sequence[PartitionRow]) -> dict[int, Version]:
        """Begin versions with the version numbers and bucket bits of the old ones."""
        epoch, now = self.work.new_epoch, self.node.clock()

        def write(tx: Connection) -> dict[int, Version]:
            found = {}
            for part in group:
                cut = partition_versions.open_cut(tx, item, part.origin, epoch, part.bits, now)
                layout = Layout(part.bits, part.pads, part.date, part.width, part.planted)
                found[int(part.origin)] = Version(int(part.origin), part.version, cut, layout)
            return found

        return self.node.store.retry_write("begin versions", write)
