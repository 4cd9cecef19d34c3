"""Checks that entries, their tokens and their links fit each other (design.md section 3.1).

    stored buckets -> pointers and tags, by the first bits of the prefix -> compared with the tokens

Tokens without entries are no fault. A slot that does not exist, a tag that its token does not give, a bucket
that is missing or altered are: a full import of the item mends them.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from matcher import buckets
from matcher.errors import BucketError
from matcher.pads import pad_key
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.compute.engine import Engine, cores, open_engine
from node.compute.scratch import KEY_SIZE, Piece, SealedScratch
from node.context import Node
from node.credentials.keyring import KeyRing
from node.database import partitions as index_rows
from node.database.partitions import PartitionRow
from node.index.entries import load_entries
from node.index.layout import LINK, Place, part_bits
from node.index.partition_writer import PartitionWriter
from node.index.stored_entries import (
    EntriesToCopy,
    OpenedBuckets,
    copy_entries,
    find_tokens,
    read_partition,
)
from node.index.sum_packing import outdated_sums
from node.index.token_blocks import PREFIX_BITS, Blocks, TokenTable
from node.index.token_store import TokenStore
from node.index.update_lock import open_workspace
from node.telemetry.progress import Progress

SMALL_ENTRIES = 20_000  # below this, starting processes costs more than it gains


@dataclass(frozen=True, slots=True)
class ItemCheck:
    """What was found of one item in one epoch: its entries of people and pads, and how many do not fit.

    `buckets` are missing, altered or not whole, `links` lead from an entry that is not there.
    """

    item: str
    epoch: int
    entries: int
    buckets: int
    tokens: int
    links: int

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.buckets or self.tokens or self.links)


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """What was found of all items; `blocks` is how many token blocks do not open, `sums` are the items whose
    rows of sums are packed by an older rule.
    """

    items: Sequence[ItemCheck]
    blocks: int
    sums: Sequence[str] = ()

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.blocks and not self.sums and all(one.good for one in self.items)

    @property
    def to_import(self) -> list[str]:
        """The items that a full import mends: those with faults, or all where only unused tokens have."""
        wrong = {one.item for one in self.items if not one.good} | set(self.sums)
        return sorted(wrong or {one.item for one in self.items if not self.good})


@dataclass(frozen=True, slots=True)
class _Checking:
    """What every process of a run needs."""

    folder: Path
    scratch_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EntriesToCheck:
    """Entries of one part, with the blocks that they point to."""

    place: Place
    pieces: Sequence[Piece]
    blocks: Blocks = field(repr=False)


def count_unfit(_work: object, scratch: SealedScratch, task: EntriesToCheck) -> int:
    """How many entries have no token, or one that does not give their tag."""
    entries = load_entries(task.place, scratch, task.pieces)
    return int(np.count_nonzero(find_tokens(task.place, entries, TokenTable(task.blocks)) < 0))


def verify_index(
    node: Node,
    *,
    workers: int | None = None,
    wait: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
) -> IndexCheck:
    """Check every current partition of the epochs that imports write.

    Raises ConflictError while an import or rotation runs, unless it is to `wait`; UnavailableError.
    """
    with open_workspace(node, wait=wait) as space:
        nodes = [node] + [
            replace(node, ring=KeyRing.fixed(keys)) for keys in node.keys.other_salts(node.clock())
        ]
        with node.store.transaction("find partitions") as tx:
            every = [index_rows.partitions_of_epoch(tx, one.keys.epoch) for one in nodes]
        total = sum(part.entries for parts in every for part in parts)
        if workers is None:
            workers = cores() if total >= SMALL_ENTRIES else 0
        work = _Checking(space.folder, secrets.token_bytes(KEY_SIZE))
        with open_engine(work, workers) as engine:
            run = _Run(engine, progress, total)
            found = [
                run.check(one, [part for part in parts if part.item == item])
                for one, parts in zip(nodes, every, strict=True)
                for item in sorted({part.item for part in parts})
            ]
        return IndexCheck(found, sum(_count_damaged(one) for one in nodes), outdated_sums(node))


def _count_damaged(node: Node) -> int:
    stores = [TokenStore(node, each, node.keys.epoch, mend=True) for each in TokenClass]
    return sum(not content for store in stores for some in store.slices() for content in some.values())


@dataclass
class _Run:
    engine: Engine
    progress: Progress
    total: int
    done: int = 0

    def check(self, node: Node, parts: Sequence[PartitionRow]) -> ItemCheck:
        """One item."""
        first = parts[0]
        store = TokenStore(node, first.token_class, node.keys.epoch, mend=True)
        bits = part_bits(max(sum(part.entries for part in parts), store.count()))
        entries, wrong, links = defaultdict[int, list[Piece]](list), 0, 0
        waiting: list[OpenedBuckets] = []
        for pieces in self.engine.map(copy_entries, self._tasks(node, parts, bits, waiting)):
            opened = waiting.pop(0)
            for part, piece in pieces or ():
                entries[part].append(piece)
            wrong += pieces is None or not opened.whole
            links += _count_dangling(opened, first.width)
            self.done += sum(len(each.entries) for each in opened.buckets.stored.values()) // (
                buckets.entry_size(first.width)
            )
            self.progress("verify", self.done, self.total)
        place = Place(first.item, first.width, first.epoch)
        unfit = sum(self.engine.map(count_unfit, _parts(place, entries, bits, store)))
        count = sum(part.entries for part in parts)
        return ItemCheck(first.item, first.epoch, count, wrong, unfit, links)

    def _tasks(
        self, node: Node, parts: Sequence[PartitionRow], bits: int, waiting: list[OpenedBuckets]
    ) -> Iterator[EntriesToCopy]:
        for part in parts:
            key = pad_key(CURRENT.class_key(node.keys.oprf, part.token_class))
            writer = PartitionWriter(node, part.item, part.token_class, part.epoch)
            for opened in read_partition(node, writer, part, key):
                waiting.append(opened)
                yield EntriesToCopy(opened.buckets, bits)


def _parts(
    place: Place, entries: Mapping[int, Sequence[Piece]], bits: int, store: TokenStore
) -> Iterator[EntriesToCheck]:
    shift = PREFIX_BITS - bits
    for part, pieces in entries.items():
        blocks = {
            prefix: content
            for prefix, content in store.read(range(part << shift, (part + 1) << shift)).items()
            if content
        }
        yield EntriesToCheck(place, pieces, blocks)


def _count_dangling(opened: OpenedBuckets, width: int) -> int:
    """Links that lead from an entry that is not in their bucket."""
    found = 0
    for number, links in opened.links.items():
        stored = opened.buckets.stored.get(number)
        if links and stored:
            try:
                pointers, _ = buckets.read_kept(stored.kept, width)
            except BucketError:
                continue
            found += int(np.count_nonzero(~np.isin(np.frombuffer(links, LINK)["pointer"], pointers)))
    return found
