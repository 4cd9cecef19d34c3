"""Writes new versions of partitions (design.md section 3).

Buckets are written as they come, in transactions of bounded size, as versions that are not served yet; the
caller publishes them all in one short transaction at the end (node/database/partition_versions.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from keys.errors import StoreDamagedError
from matcher import buckets, label, merkle
from matcher.types import TokenClass
from node.context import Node
from node.database import Connection, partition_versions
from node.database import partitions as index_rows
from node.database.partition_versions import NewBucket, NewPartition
from node.database.partitions import PartitionRow
from node.domain import sealed_names as names
from node.index.entries import CutBucket, StoredEntries
from node.index.layout import LINK, Entries, split

FLUSH_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """How a version is made: bucket bits, pads, date and width of its records, planted subjects."""

    bits: int
    pads: int
    date: int
    width: int
    planted: tuple[tuple[str, int], ...]


@dataclass
class Version:
    """A version that is being written: its digests and sizes so far.

    `written` says whether any bucket is another one than `before`, the version whose cut it shares and whose
    digests are `leaves_before`.
    """

    origin: int
    number: int
    cut: int
    layout: Layout
    entries: int = 0
    leaves: bytearray = field(default_factory=bytearray)
    oldest: int = buckets.NO_DAY
    before: PartitionRow | None = None
    leaves_before: bytes = b""
    written: bool = False

    @property
    def as_of(self) -> int:
        """The date of its oldest record."""
        return min(self.layout.date, self.oldest)

    @property
    def changed(self) -> bool:
        """Whether it must be published as a new version."""
        return self.written or self.before is None or self.before.planted != self.layout.planted


class PartitionWriter:
    """Writes buckets and version rows of one item."""

    def __init__(self, node: Node, item: str, token_class: TokenClass, epoch: int) -> None:
        self._node = node
        self._item = item
        self._token_class = token_class
        self._epoch = epoch
        self._waiting: list[tuple[int, int, NewBucket]] = []
        self._bytes = 0

    def open(
        self, layouts: Mapping[int, Layout], present: Mapping[int, PartitionRow] | None = None
    ) -> dict[int, Version]:
        """Begin new versions, by origin; one that is cut as its `present` version shares the cut."""
        versions = {}
        with self._node.store.transaction("begin versions", write=True) as tx:
            last = partition_versions.last_versions(tx, self._item, self._epoch)
            for code, layout in layouts.items():
                place = (self._item, f"{code:02}", self._epoch)
                number = partition_versions.version_after(last.get(place[1], 0), self._node.clock())
                old = (present or {}).get(code)
                if old is not None and (old.bits, old.width) == (layout.bits, layout.width):
                    leaves = index_rows.read_leaves(tx, old.id)
                    versions[code] = Version(code, number, old.cut, layout, before=old, leaves_before=leaves)
                else:
                    cut = partition_versions.open_cut(tx, *place, layout.bits, self._node.clock())
                    versions[code] = Version(code, number, cut, layout)
        return versions

    def read_stored(
        self, version: Version, numbers: range, links: Mapping[tuple[int, int], bytes]
    ) -> dict[int, StoredEntries]:
        """What the version before holds of some buckets, without those that are damaged: these are mended.

        `links` are those of the new version.
        """
        before = version.before
        if before is None:
            return {}
        with self._node.store.transaction("compare buckets") as tx:
            rows = index_rows.read_cut(tx, before.cut, before.version, numbers)
        found = {}
        for row in rows:
            try:
                kept, old = self.unseal(version.origin, row)
            except StoreDamagedError:
                continue
            place = slice(row.number * merkle.DIGEST_SIZE, (row.number + 1) * merkle.DIGEST_SIZE)
            if buckets.bucket_leaf(row.number, row.entries) == version.leaves_before[place]:
                settled = sort_links(old) == links.get((version.origin, row.number), b"")
                found[row.number] = StoredEntries(row.entries, kept, settled)
        return found

    def append(self, version: Version, made: CutBucket, links: bytes = b"") -> None:
        """Add the next bucket of a version; what the version before holds already is not written again."""
        if not made.stored:
            self.put(version, made, links)
        version.leaves += made.leaf
        version.entries += len(made.bucket.entries) // buckets.entry_size(version.layout.width)
        version.oldest = min(version.oldest, made.oldest)

    def put(self, version: Version, made: CutBucket, links: bytes) -> None:
        """Add a bucket to the next write."""
        bucket, vault = made.bucket, self._node.keys.vault
        version.written = True
        new = NewBucket(
            bucket.number,
            made.oldest,
            bucket.entries,
            # Sealed, because the plain records are among it (docs/adr/0017).
            vault.seal(self._place("kept", version.origin, bucket.number), bucket.kept),
            vault.seal(self._place("links", version.origin, bucket.number), links) if links else b"",
        )
        self._waiting.append((version.cut, version.number, new))
        self._bytes += len(new.entries) + len(new.kept_sealed) + len(new.links_sealed)
        if self._bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction. Raises UnavailableError when the disk is full."""
        if self._waiting:
            self._node.store.retry_write("write buckets", self._write)
            self._waiting, self._bytes = [], 0

    def finish(self, finished: Iterable[Version]) -> list[int]:
        """Write the rows of versions whose buckets are whole. Return their ids, to be published."""
        self.flush()
        waiting = [self._new_partition(version) for version in finished]

        def write(tx: Connection) -> list[int]:
            return [partition_versions.prepare(tx, new) for new in waiting]

        return self._node.store.retry_write("write versions", write) if waiting else []

    def _new_partition(self, version: Version) -> NewPartition:
        layout, leaves = version.layout, bytes(version.leaves)
        return NewPartition(
            item=self._item,
            token_class=self._token_class,
            origin=f"{version.origin:02}",
            epoch=self._epoch,
            version=version.number,
            cut=version.cut,
            entries=version.entries,
            bits=layout.bits,
            root=merkle.root(
                [leaves[at : at + merkle.DIGEST_SIZE] for at in range(0, len(leaves), merkle.DIGEST_SIZE)]
            ),
            leaves=leaves,
            as_of=version.as_of,
            date=layout.date,
            record_size=label.record_size(layout.width),
            pads=layout.pads,
            planted=layout.planted,
        )

    def unseal(self, origin: int, stored: index_rows.StoredBucket) -> tuple[bytes, bytes]:
        """What is kept of a stored bucket, and its links. Raises StoreDamagedError."""
        vault, links, number = self._node.keys.vault, stored.links_sealed, stored.number
        kept = self.unseal_kept(origin, number, stored.kept_sealed)
        return kept, vault.unseal(self._place("links", origin, number), links) if links else b""

    def unseal_kept(self, origin: int, number: int, sealed: bytes) -> bytes:
        """What is kept of a bucket. Raises StoreDamagedError."""
        return self._node.keys.vault.unseal(self._place("kept", origin, number), sealed)

    def _place(self, kind: str, origin: int, number: int) -> str:
        """Where something sealed belongs."""
        return names.of_bucket(kind, self._item, origin, self._epoch, number)

    def _write(self, tx: Connection) -> None:
        grouped: dict[tuple[int, int], list[NewBucket]] = {}
        for cut, number, bucket in self._waiting:
            grouped.setdefault((cut, number), []).append(bucket)
        for (cut, number), some in grouped.items():
            partition_versions.add_buckets(tx, cut, number, some)


def links_by_bucket(links: Entries, bits_of: Mapping[int, int]) -> dict[tuple[int, int], bytes]:
    """Stored links in order, by (origin, bucket number) of the entry they start from, of PLACED_LINK rows."""
    found = {}
    for code, which in split(links["place"]):
        mine = links[which]
        for number, some in split(buckets.places_of(mine["prefix"], bits_of[code])):
            found[code, number] = sort_links(mine["link"][some].tobytes())
    return found


def sort_links(links: bytes) -> bytes:
    """LINK rows in their one order."""
    size = LINK.itemsize
    return b"".join(sorted(links[at : at + size] for at in range(0, len(links), size)))
