"""Upsert and delete: single subjects of a published item (design.md section 3, "Deltas").

    entries of the named subjects -> the buckets that contain them -> new rows of these buckets only

The source names subjects. All their records are removed, with every entry (a record of a person with two
numbers has two entries, connected by links); an upsert then writes the records of the source. Other buckets
are not changed and keep their database rows.
Each partition that changed gets a new version.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from matcher import buckets, pads
from matcher.suites.tokens import TAG_SIZE
from matcher.vectorised import Bytes
from node.compute.engine import Engine
from node.compute.scratch import Piece
from node.context import Node
from node.database import partition_versions
from node.database import partitions as index_rows
from node.database.partition_versions import Redated
from node.database.partitions import PartitionRow
from node.domain.catalogue import Item
from node.index.entries import (
    CutBucket,
    cut_buckets,
    join_loose,
    load_entries,
    pad_entries,
    write_parts,
)
from node.index.layout import LINK, BuildSpec, Entries, split
from node.index.partition_writer import Layout, PartitionWriter, Version, sort_links
from node.index.sum_table_writer import SumChange
from node.registers.reading import IndexedRows
from node.telemetry.progress import Progress, Stopwatch

_AT_ONCE = 32  # stored buckets held in memory at once


@dataclass(frozen=True, slots=True)
class Change:
    """What a run made: prepared versions, and how many entries changed in which way.

    `redated` are served versions whose bytes stay as they are under a new date.
    """

    prepared: Sequence[int]
    redated: Sequence[Redated] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    sums: SumChange | None = None


@dataclass
class _Tally:
    """Tags of one partition by what happens to them, those of pads too."""

    added: set[bytes] = field(default_factory=set, repr=False)
    removed: set[bytes] = field(default_factory=set, repr=False)
    changed: set[bytes] = field(default_factory=set, repr=False)


def present_partitions(node: Node, item: Item) -> dict[int, PartitionRow]:
    """Current partitions of an item by origin."""
    with node.store.transaction("find partitions") as tx:
        return {int(row.origin): row for row in index_rows.partitions_of(tx, item.code, node.keys.epoch)}


def apply(
    node: Node,
    item: Item,
    engine: Engine,
    work: BuildSpec,
    indexed: IndexedRows,
    present: Mapping[int, PartitionRow],
    planted: Sequence[tuple[str, int]],
    watch: Stopwatch,
    progress: Progress,
) -> Change:
    """Write new versions from indexed rows (made with `every`), unpublished."""
    run = _Delta(node, item, engine, work, planted, indexed.day)
    places = run.split(indexed)
    links = run.new_links(indexed)
    siblings = run.find_siblings(places, present)
    prepared, tallies = [], []
    for done, code in enumerate(sorted({*places, *siblings}), 1):
        partition, entries = present.get(code), places.get(code, {})
        if partition is None:
            if code in indexed.planted:
                prepared.append(run.write_new(code, entries, links))
            continue
        tally, version = run.rewrite(partition, entries, siblings.get(code, {}), links)
        if version is not None:
            prepared.append(version)
            tallies.append(tally)
        progress("write", done, len(places))
    watch.lap("write")
    counts = Counter[str](added=0, removed=0, changed=0)
    counts.update(run.counts)
    for tally in tallies:
        counts.update(changed=len(tally.changed))
    counts["added"] += sum(count for code, count in indexed.origins.items() if code not in present)
    counts["added"] -= sum(len(planted) for code in indexed.planted)
    return Change(tuple(prepared), counts=dict(counts))


Places = Mapping[int, Sequence[Piece]]  # pieces of entries by part
Siblings = Mapping[int, Mapping[int, set[bytes]]]  # tags to be removed by origin and bucket number


@dataclass(frozen=True)
class _Delta:
    node: Node
    item: Item
    engine: Engine
    work: BuildSpec
    planted: Sequence[tuple[str, int]]
    day: int
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def writer(self) -> PartitionWriter:
        """For one partition at a time."""
        return PartitionWriter(self.node, self.item.code, self.item.token_class, self.work.epoch)

    def split(self, indexed: IndexedRows) -> dict[int, dict[int, list[Piece]]]:
        """The pieces of the indexed rows, split again by origin and part."""
        found: dict[int, dict[int, list[Piece]]] = defaultdict(lambda: defaultdict(list))
        scratch = self.engine.scratch
        for part, pieces in indexed.entries.items():
            for piece in pieces:
                entries = load_entries(self.work, scratch, [piece])
                for code, which in split(entries["origin"]):
                    found[code][part].append(scratch.write(entries[which].tobytes()))
        return found

    def new_links(self, indexed: IndexedRows) -> Entries:
        """LINK rows of all new records."""
        pieces = [np.frombuffer(self.engine.scratch.read(piece), dtype=LINK) for piece in indexed.links]
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=LINK)

    def find_siblings(
        self, places: Mapping[int, Places], present: Mapping[int, PartitionRow]
    ) -> dict[int, dict[int, set[bytes]]]:
        """Other entries of the subjects' records: tags to be removed, by origin and bucket."""
        found: dict[int, dict[int, set[bytes]]] = defaultdict(lambda: defaultdict(set))
        for code, parts in places.items():
            partition = present.get(code)
            if partition is None:
                continue
            for numbers, entries in self._buckets_of(parts, partition.bits):
                tags = set(_tags(entries["served"]))
                for stored in self._stored(partition, numbers):
                    _, old = self.writer.unseal(code, stored)
                    for row in np.frombuffer(old, dtype=LINK):
                        if row["tag"].tobytes() in tags:
                            origin = int(row["origin"])
                            number = buckets.bucket_number(int(row["at"]), present[origin].bits)
                            found[origin][number].add(row["other"].tobytes())
        return found

    def rewrite(
        self, partition: PartitionRow, parts: Places, siblings: Mapping[int, set[bytes]], links: Entries
    ) -> tuple[_Tally, int | None]:
        """A new version of one partition with its changed buckets; None where nothing changes."""
        code, writer, tally = int(partition.origin), self.writer, _Tally()
        parts, siblings, padding = self._move_pads(partition, parts, siblings)
        number = partition_versions.version_after(partition.version, self.node.clock())
        layout = Layout(partition.bits, padding, partition.date, partition.width, partition.planted)
        version = Version(code, number, partition.cut, layout)
        with self.node.store.transaction("read digests") as tx:
            version.leaves = bytearray(index_rows.read_leaves(tx, partition.id))
            oldest = index_rows.oldest_days(tx, partition.id)
        mine = links[links["place"] == code]
        for numbers, entries, removed in self._touched(parts, partition.bits, siblings):
            for stored in self._stored(partition, numbers):
                made = self._merge(writer, version, stored, entries, removed, mine, tally)
                if made is not None:
                    version.leaves[32 * stored.number : 32 * stored.number + 32] = made.leaf
                    oldest[stored.number] = made.oldest
        writer.flush()
        if not version.written:
            return tally, None
        version.entries = partition.entries + len(tally.added) - len(tally.removed)
        version.oldest = min(oldest.values())
        bits = buckets.bucket_bits(version.entries, self.node.config.limits.k_anonymity, partition.bits)
        if bits != partition.bits:
            version = self._recut(writer, version, bits)
        return tally, writer.finish([version])[0]

    def _move_pads(
        self, partition: PartitionRow, parts: Places, siblings: Mapping[int, set[bytes]]
    ) -> tuple[dict[int, list[Piece]], dict[int, set[bytes]], int]:
        """The changes with the pads that come or go with them, and how many pads there are then."""
        added, removed = self._count(partition, parts, siblings)
        self.counts.update(added=added, removed=removed)
        people = partition.entries - partition.pads + added - removed
        padding = pads.pad_count(people, self.node.config.limits.k_anonymity)
        with_pads = defaultdict(list, {part: list(pieces) for part, pieces in parts.items()})
        leaving = defaultdict(set, {number: set(tags) for number, tags in siblings.items()})
        code, scratch = int(partition.origin), self.engine.scratch
        coming = self._pads(code, range(partition.pads, padding))
        for part, piece in write_parts(self.work, scratch, coming, buckets.prefixes(coming["kept"])):
            with_pads[part].append(piece)
        going = self._pads(code, range(padding, partition.pads))
        numbers = buckets.prefixes(going["kept"]).astype(np.uint64) >> np.uint64(32 - partition.bits)
        for number, tag in zip(numbers.tolist(), _tags(going["served"]), strict=True):
            leaving[number].add(tag)
        return dict(with_pads), dict(leaving), padding

    def _count(
        self, partition: PartitionRow, parts: Places, siblings: Mapping[int, set[bytes]]
    ) -> tuple[int, int]:
        """How many entries of people will be added and removed."""
        added = removed = 0
        for numbers, entries, also in self._touched(parts, partition.bits, siblings):
            places = buckets.prefixes(entries["kept"]).astype(np.uint64) >> np.uint64(32 - partition.bits)
            for stored in self._stored(partition, numbers):
                here = entries[places == stored.number]
                old, new = set(_tags(self._served(stored))), set(_tags(here["served"][here["shown"] != 0]))
                leaving = (set(_tags(here["served"])) | also) & old
                added, removed = added + len(new - leaving), removed + len(leaving - new)
        return added, removed

    def _pads(self, code: int, numbers: range) -> Entries:
        work, item = self.work, self.item
        return pad_entries(work.suite, work.pad_key, item.code, code, work.epoch, numbers, item.width)

    def _served(self, stored: index_rows.StoredBucket) -> Bytes:
        size = buckets.entry_size(self.item.width)
        return np.frombuffer(stored.entries, dtype=np.uint8).reshape(-1, size)

    def write_new(self, code: int, parts: Places, links: Entries) -> int:
        """The first version of a new partition."""
        pieces = [piece for pieces in parts.values() for piece in pieces]
        entries, writer = load_entries(self.work, self.engine.scratch, pieces), self.writer
        entries = entries[entries["shown"] != 0]
        k, width = self.node.config.limits.k_anonymity, self.item.width
        padding = pads.pad_count(len(entries), k)
        entries = np.concatenate([entries, self._pads(code, range(padding))])
        layout = Layout(buckets.bucket_bits(len(entries), k), padding, self.day, width, tuple(self.planted))
        version = writer.open({code: layout})[code]
        numbers = range(1 << layout.bits)
        mine = links[links["place"] == code]
        for made in cut_buckets(code, entries["served"], entries["kept"], layout.bits, numbers):
            writer.append(version, made, _links_in(mine, made.bucket.number, layout.bits))
        return writer.finish([version])[0]

    def _merge(
        self,
        writer: PartitionWriter,
        version: Version,
        stored: index_rows.StoredBucket,
        entries: Entries,
        removed: set[bytes],
        links: Entries,
        tally: _Tally,
    ) -> CutBucket | None:
        """One stored bucket with its new entries; None where it does not change."""
        code, bits = version.origin, version.layout.bits
        points, old_links = writer.unseal(code, stored)
        served = self._served(stored)
        kept = np.frombuffer(points, dtype=np.uint8).reshape(-1, buckets.POINT_ROW_SIZE)
        here = buckets.prefixes(entries["kept"]).astype(np.uint64) >> np.uint64(32 - bits) == stored.number
        named = entries[here]
        new = named[named["shown"] != 0]
        old_tags, new_tags = _tags(served), set(_tags(new["served"]))
        leaving = (set(_tags(named["served"])) | removed) & set(old_tags)
        stay = np.fromiter((tag not in leaving for tag in old_tags), dtype=bool, count=len(old_tags))
        (made,) = cut_buckets(
            code,
            np.concatenate([served[stay], new["served"]]),
            np.concatenate([kept[stay], new["kept"]]),
            bits,
            range(stored.number, stored.number + 1),
        )
        links_now = sort_links(_staying(old_links, leaving) + _links_in(links, stored.number, bits))
        if served.tobytes() == made.bucket.entries and links_now == sort_links(old_links):
            return None
        before, after = set(map(bytes, served)), set(map(bytes, new["served"]))
        tally.added |= new_tags - leaving
        tally.removed |= leaving - new_tags
        tally.changed |= {row[:TAG_SIZE] for row in after - before} & leaving
        writer.put(version, made, links_now)
        return made

    def _recut(self, writer: PartitionWriter, old: Version, bits: int) -> Version:
        """The same entries in another number of buckets, from the stored rows."""
        version = writer.open({old.origin: replace(old.layout, bits=bits)})[old.origin]
        old_bits = old.layout.bits
        deeper, start = bits - old_bits, 0
        step = 1 if deeper >= 0 else 1 << -deeper  # old buckets that make whole new ones
        while start < 1 << old_bits:
            with self.node.store.transaction("read buckets") as tx:
                stored = index_rows.read_cut(tx, old.cut, old.number, range(start, start + step))
            rows = [(each.entries, *writer.unseal(old.origin, each)) for each in stored]
            served, kept = join_loose([(entries, points) for entries, points, _ in rows], self.item.width)
            links = np.frombuffer(b"".join(found for *_, found in rows), dtype=LINK)
            numbers = (
                range(start << deeper, (start + 1) << deeper)
                if deeper >= 0
                else range(start >> -deeper, (start >> -deeper) + 1)
            )
            for made in cut_buckets(old.origin, served, kept, bits, numbers):
                writer.append(version, made, _links_in(links, made.bucket.number, bits))
            start += step
        writer.flush()
        return version

    def _touched(
        self, parts: Places, bits: int, siblings: Mapping[int, set[bytes]]
    ) -> Iterator[tuple[list[int], Entries, set[bytes]]]:
        """Bucket numbers in groups, with all their new entries and all siblings to be removed."""
        left = dict(siblings)
        for numbers, entries in self._buckets_of(parts, bits):
            removed = [left.pop(number) for number in numbers if number in left]
            yield numbers, entries, set().union(*removed)
        some = sorted(left)
        for at in range(0, len(some), _AT_ONCE):
            numbers = some[at : at + _AT_ONCE]
            yield (
                numbers,
                np.zeros(0, dtype=self.work.entry),
                set().union(*(left[number] for number in numbers)),
            )

    def _buckets_of(self, parts: Places, bits: int) -> Iterator[tuple[list[int], Entries]]:
        """Entries with the numbers of their buckets, some at a time; a bucket comes once."""
        shallower = max(self.work.part_bits - bits, 0)
        groups: dict[int, list[Piece]] = defaultdict(list)
        for part, pieces in parts.items():
            groups[part >> shallower] += pieces
        for _, pieces in sorted(groups.items()):
            entries = load_entries(self.work, self.engine.scratch, pieces)
            places = buckets.prefixes(entries["kept"]).astype(np.uint64) >> np.uint64(32 - bits)
            order = np.argsort(places, kind="stable")
            entries, places = entries[order], places[order]
            numbers = np.unique(places)
            for at in range(0, len(numbers), _AT_ONCE):
                some = numbers[at : at + _AT_ONCE]
                first, last = (
                    np.searchsorted(places, some[0]),
                    np.searchsorted(places, some[-1], side="right"),
                )
                yield [int(number) for number in some], entries[first:last]

    def _stored(self, partition: PartitionRow, numbers: Iterable[int]) -> list[index_rows.StoredBucket]:
        with self.node.store.transaction("read buckets") as tx:
            return index_rows.read_cut(tx, partition.cut, partition.version, list(numbers))


def _tags(served: Bytes) -> list[bytes]:
    data = served[:, :TAG_SIZE].tobytes()
    return [data[at : at + TAG_SIZE] for at in range(0, len(data), TAG_SIZE)]


def _staying(links: bytes, leaving: set[bytes]) -> bytes:
    """LINK rows of the entries that stay."""
    rows = np.frombuffer(links, dtype=LINK)
    return b"".join(row.tobytes() for row in rows if row["tag"].tobytes() not in leaving)


def _links_in(links: Entries, number: int, bits: int) -> bytes:
    if not len(links):
        return b""
    return sort_links(links[links["prefix"].astype(np.uint64) >> np.uint64(32 - bits) == number].tobytes())
