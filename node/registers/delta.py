"""Upsert and delete: single subjects of a published item (design.md section 3, "Deltas").

    entries of the named subjects -> the buckets that contain them -> new rows of these buckets only

The source names subjects. All their records are removed, with every entry (a record of a person with two
numbers has two entries, connected by links); an upsert then writes the records of the source. Other buckets
are not changed and keep their database rows.
Each partition that changed gets a new version.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from matcher import buckets, pads
from matcher.vectorised import Bytes
from node.compute.engine import Engine
from node.compute.scratch import Piece
from node.context import Node
from node.database import partition_versions
from node.database import partitions as index_rows
from node.database.partition_versions import Redated
from node.database.partitions import PartitionRow, StoredBucket
from node.domain.catalogue import Item
from node.index.cutting import Cutting
from node.index.entries import Pads, StoredEntries, altered, load_entries
from node.index.layout import LINK, BuildSpec, Entries, split
from node.index.merging import BucketsToMerge, Merged, merge_buckets, tags_of
from node.index.partition_writer import Layout, PartitionWriter, Version, links_by_bucket, sort_links
from node.index.recutting import recut
from node.index.sum_table_writer import SumChange
from node.index.token_blocks import PREFIX_BITS, SLOT_BITS
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
    siblings = run.find_siblings(places, present)
    prepared = []
    for done, code in enumerate(sorted({*places, *siblings}), 1):
        partition, entries = present.get(code), places.get(code, {})
        if partition is None:
            if code in indexed.planted:
                prepared.append(run.write_new(code, entries, indexed.links))
            continue
        version = run.rewrite(partition, entries, siblings.get(code, {}), indexed.links)
        if version is not None:
            prepared.append(version)
        progress("write", done, len(places))
    watch.lap("write")
    counts = Counter[str](added=0, removed=0, changed=0)
    counts.update(run.counts)
    counts["added"] += sum(count for code, count in indexed.origins.items() if code not in present)
    counts["added"] -= sum(len(planted) for code in indexed.planted)
    return Change(tuple(prepared), counts=dict(counts))


Places = Mapping[int, Sequence[Piece]]  # pieces of entries, by part
Leaving = Mapping[int, frozenset[bytes]]  # tags to be removed, by bucket number


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
                entries = load_entries(self.work.place, scratch, [piece])
                for code, which in split(entries["origin"]):
                    found[code][part].append(scratch.write(entries[which].tobytes()))
        return found

    def find_siblings(
        self, places: Mapping[int, Places], present: Mapping[int, PartitionRow]
    ) -> dict[int, Leaving]:
        """Other entries of the subjects' records: tags to be removed, by origin and bucket."""
        wanted: dict[int, dict[int, bytes]] = defaultdict(dict)  # records by origin and pointer
        for code, parts in places.items():
            partition = present.get(code)
            if partition is None:
                continue
            for numbers, entries in self._buckets_of(parts, partition.bits):
                tags = set(tags_of(entries["tag"]))
                for stored in self._stored(partition, numbers):
                    self._follow_links(code, stored, tags, wanted)
        return {code: self._find_tags(present[code], records) for code, records in wanted.items()}

    def _follow_links(
        self, code: int, stored: StoredBucket, tags: set[bytes], wanted: dict[int, dict[int, bytes]]
    ) -> None:
        if not stored.links_sealed:
            return
        kept, links = self.writer.unseal(code, stored)
        pointers, records = buckets.read_kept(kept, self.item.width)
        own = tags_of(_served(stored, self.item.width))
        leaving = {
            pointer: record.tobytes()
            for tag, pointer, record in zip(own, pointers.tolist(), records, strict=True)
            if tag in tags
        }
        for row in np.frombuffer(links, dtype=LINK):
            if int(row["pointer"]) in leaving:
                wanted[int(row["origin"])][int(row["other"])] = leaving[int(row["pointer"])]

    def _find_tags(self, partition: PartitionRow, records: Mapping[int, bytes]) -> Leaving:
        """The tags of the entries with some pointers, which must have these plain records, by bucket."""
        deeper, found = max(partition.bits - PREFIX_BITS, 0), dict[int, set[bytes]]()
        shallower, left = max(PREFIX_BITS - partition.bits, 0), dict(records)
        # The pointer has 12 bits of the prefix, so in the finest cut the entry is in one of two buckets.
        numbers = sorted(
            {
                ((pointer >> SLOT_BITS >> shallower) << deeper) + at
                for pointer in records
                for at in range(1 << deeper)
            }
        )
        for first in range(0, len(numbers), _AT_ONCE):
            for stored in self._stored(partition, numbers[first : first + _AT_ONCE]):
                kept, _ = self.writer.unseal(int(partition.origin), stored)
                pointers, plain = buckets.read_kept(kept, self.item.width)
                tags = tags_of(_served(stored, self.item.width))
                for row in np.flatnonzero(np.isin(pointers, list(left))).tolist():
                    if left.pop(int(pointers[row])) != plain[row].tobytes():
                        raise altered(self.item.code)
                    found.setdefault(stored.number, set()).add(tags[row])
        if left:
            raise altered(self.item.code)
        return {number: frozenset(tags) for number, tags in found.items()}

    def rewrite(
        self, partition: PartitionRow, parts: Places, siblings: Leaving, links: Entries
    ) -> int | None:
        """A new version of one partition with its changed buckets; None where nothing changes."""
        code, writer = int(partition.origin), self.writer
        leaving, coming, padding = self._move_pads(partition, parts, siblings)
        number = partition_versions.version_after(partition.version, self.node.clock())
        layout = Layout(partition.bits, padding, partition.date, partition.width, partition.planted)
        version = Version(code, number, partition.cut, layout, entries=partition.entries)
        with self.node.store.transaction("read digests") as tx:
            version.leaves = bytearray(index_rows.read_leaves(tx, partition.id))
            oldest = index_rows.oldest_days(tx, partition.id)
        mine = links_by_bucket(links[links["place"] == code], {code: partition.bits})
        old_links: dict[int, bytes] = {}
        tasks = self._tasks(partition, parts, leaving, coming, old_links)
        for merged in self.engine.map(merge_buckets, tasks):
            for each in merged:
                at = each.made.bucket.number
                if self._put(writer, version, each, old_links.pop(at), mine.get((code, at), b"")):
                    oldest[at] = each.made.oldest
        writer.flush()
        if not version.written:
            return None
        version.oldest = min(oldest.values())
        bits = buckets.bucket_bits(version.entries, self.node.config.limits.k_anonymity, partition.bits)
        if bits != partition.bits:
            version = recut(self.node, writer, self.work, self.item.token_class, version, bits)
        return writer.finish([version])[0]

    def _tasks(
        self,
        partition: PartitionRow,
        parts: Places,
        leaving: Leaving,
        coming: Pads,
        old_links: dict[int, bytes],
    ) -> Iterator[BucketsToMerge]:
        """The touched buckets, some at a time; their links wait in `old_links`."""
        code, bits, writer = int(partition.origin), partition.bits, self.writer
        also = {*leaving, *buckets.places_of(coming.prefixes, bits).tolist()}
        for numbers, entries in self._touched(parts, bits, also):
            stored = {}
            for each in self._stored(partition, numbers):
                kept, old_links[each.number] = writer.unseal(code, each)
                stored[each.number] = StoredEntries(each.entries, kept)
            some = {number: leaving[number] for number in stored if number in leaving}
            yield BucketsToMerge(self.work.place, code, bits, stored, entries, some, coming)

    def _put(
        self, writer: PartitionWriter, version: Version, merged: Merged, old_links: bytes, links: bytes
    ) -> bool:
        """Write a bucket, and the links of its entries; False where it is as it was."""
        made = merged.made
        rows = np.frombuffer(old_links, dtype=LINK)
        staying = rows[~np.isin(rows["pointer"], merged.left)]
        links_now = sort_links(staying.tobytes() + links)
        version.entries += merged.added - merged.removed
        self.counts.update(changed=merged.changed)
        if made.stored and links_now == sort_links(old_links):
            return False
        at = 32 * made.bucket.number
        version.leaves[at : at + 32] = made.leaf
        writer.put(version, made, links_now)
        return True

    def _move_pads(
        self, partition: PartitionRow, parts: Places, siblings: Leaving
    ) -> tuple[Leaving, Pads, int]:
        """The tags that leave, those of pads too, the pads that come, and how many pads there are then."""
        added, removed = self._count(partition, parts, siblings)
        self.counts.update(added=added, removed=removed)
        people = partition.entries - partition.pads + added - removed
        padding = pads.pad_count(people, self.node.config.limits.k_anonymity)
        going = self._pads(partition, range(padding, partition.pads))
        leaving: dict[int, frozenset[bytes]] = dict(siblings)
        places = buckets.places_of(going.prefixes, partition.bits).tolist()
        for number, tag in zip(places, tags_of(going.served), strict=True):
            leaving[number] = leaving.get(number, frozenset()) | {tag}
        return leaving, self._pads(partition, range(partition.pads, padding)), padding

    def _count(self, partition: PartitionRow, parts: Places, siblings: Leaving) -> tuple[int, int]:
        """How many entries of people will be added and removed."""
        added = removed = 0
        for numbers, entries in self._touched(parts, partition.bits, siblings):
            places = buckets.places_of(entries["prefix"], partition.bits)
            for stored in self._stored(partition, numbers):
                here, also = entries[places == stored.number], siblings.get(stored.number, frozenset())
                old = set(tags_of(_served(stored, self.item.width)))
                new = set(tags_of(here["tag"][here["shown"] != 0]))
                leaving = (set(tags_of(here["tag"])) | also) & old
                added, removed = added + len(new - leaving), removed + len(leaving - new)
        return added, removed

    def _pads(self, partition: PartitionRow, numbers: range) -> Pads:
        return Pads.draw(self.work.pad_key, self.work.place, int(partition.origin), numbers)

    def write_new(self, code: int, parts: Places, links: Entries) -> int:
        """The first version of a new partition."""
        shown = 0
        for pieces in parts.values():
            shown += int(np.count_nonzero(self._load(pieces)["shown"]))
        k, writer, work = self.node.config.limits.k_anonymity, self.writer, self.work
        padding = pads.pad_count(shown, k)
        bits = buckets.bucket_bits(shown + padding, k)
        layout = Layout(bits, padding, self.day, self.item.width, tuple(self.planted))
        versions = writer.open({code: layout})
        nobody = {code: Pads.draw(work.pad_key, work.place, code, range(padding))}
        mine = links_by_bucket(links[links["place"] == code], {code: bits})
        cutting = Cutting(
            self.engine, writer, work.place, work.part_bits, versions, nobody, mine, lambda *_: None
        )
        cutting.run(parts)
        return writer.finish(versions.values())[0]

    def _load(self, pieces: Iterable[Piece]) -> Entries:
        return load_entries(self.work.place, self.engine.scratch, pieces)

    def _touched(self, parts: Places, bits: int, also: Iterable[int]) -> Iterator[tuple[list[int], Entries]]:
        """Bucket numbers in groups with all their new entries; `also` are other buckets that change."""
        left = set(also)
        for numbers, entries in self._buckets_of(parts, bits):
            left -= set(numbers)
            yield numbers, entries
        some = sorted(left)
        for at in range(0, len(some), _AT_ONCE):
            yield some[at : at + _AT_ONCE], np.zeros(0, dtype=self.work.place.entry)

    def _buckets_of(self, parts: Places, bits: int) -> Iterator[tuple[list[int], Entries]]:
        """Entries with the numbers of their buckets, some at a time; a bucket comes once."""
        shallower = max(self.work.part_bits - bits, 0)
        groups: dict[int, list[Piece]] = defaultdict(list)
        for part, pieces in parts.items():
            groups[part >> shallower] += pieces
        for _, pieces in sorted(groups.items()):
            entries = self._load(pieces)
            places = buckets.places_of(entries["prefix"], bits)
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

    def _stored(self, partition: PartitionRow, numbers: Iterable[int]) -> list[StoredBucket]:
        with self.node.store.transaction("read buckets") as tx:
            return index_rows.read_cut(tx, partition.cut, partition.version, list(numbers))


def _served(stored: StoredBucket, width: int) -> Bytes:
    return np.frombuffer(stored.entries, dtype=np.uint8).reshape(-1, buckets.entry_size(width))
