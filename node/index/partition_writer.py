"""Writes new versions of partitions (design.md section 3).

Buckets are written as they come, in transactions of bounded size, as versions that are not served yet; the
caller publishes them all in one short transaction at the end (node/database/partition_versions.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from blake3 import blake3

from matcher import buckets, merkle
from matcher.types import TokenClass
from node.compute.scratch import Piece
from node.context import Node
from node.database import Connection, partition_versions
from node.database import partitions as index_rows
from node.database.partition_versions import NewBucket, NewPartition
from node.domain.days import china_day
from node.domain.records import FIRST_DAY
from node.index.entries import CutBucket
from node.index.layout import LINK, Entries

FLUSH_BYTES = 16 << 20


@dataclass
class Version:
    """A version that is being written: its digests and sizes so far, and where its tags are."""

    origin: int
    number: int
    cut: int
    bits: int
    planted: tuple[tuple[str, int], ...]
    entries: int = 0
    leaves: bytearray = field(default_factory=bytearray)
    oldest: int = buckets.NO_DAY
    tags: list[Piece] = field(default_factory=list)


class PartitionWriter:
    """Writes buckets and version rows of one item."""

    def __init__(self, node: Node, item: str, token_class: TokenClass, epoch: int) -> None:
        self._node = node
        self._item = item
        self._token_class = token_class
        self._epoch = epoch
        self._waiting: list[tuple[int, int, NewBucket]] = []
        self._bytes = 0

    def open(self, bits_of: Mapping[int, int], planted: Sequence[tuple[str, int]]) -> dict[int, Version]:
        """Begin new versions with these numbers of bucket bits, by origin."""
        versions = {}
        with self._node.store.transaction("begin versions", write=True) as tx:
            for code, bits in bits_of.items():
                place = (self._item, f"{code:02}", self._epoch)
                number = partition_versions.next_version(tx, *place)
                cut = partition_versions.open_cut(tx, *place, bits, self._node.clock())
                versions[code] = Version(code, number, cut, bits, tuple(planted))
        return versions

    def append(self, version: Version, made: CutBucket, links: bytes = b"") -> None:
        """Add the next bucket of a version."""
        self.put(version, made, links)
        version.leaves += made.leaf
        version.entries += len(made.bucket.entries) // buckets.ENTRY_SIZE
        version.oldest = min(version.oldest, made.oldest)

    def put(self, version: Version, made: CutBucket, links: bytes) -> None:
        """Add a bucket to the next write."""
        bucket, vault = made.bucket, self._node.keys.vault
        place = f"{self._item} {version.origin:02} {self._epoch} {bucket.number}"
        new = NewBucket(
            bucket.number,
            made.oldest,
            bucket.entries,
            # Sealed, because a point opens its label (docs/adr/0001).
            vault.seal(f"points {place}", bucket.points),
            vault.seal(f"links {place}", links) if links else b"",
        )
        self._waiting.append((version.cut, version.number, new))
        self._bytes += len(new.entries) + len(new.points_sealed) + len(new.links_sealed)
        if self._bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction. Raises UnavailableError when the disk is full."""
        if self._waiting:
            self._node.store.retry_write("write buckets", self._write)
            self._waiting, self._bytes = [], 0

    def finish(self, finished: Iterable[tuple[Version, bytes]]) -> list[int]:
        """Write the rows of versions whose buckets are whole, with their serialised filters.

        Return their ids, to be published. Each filter is read after the previous one is written.
        """
        self.flush()
        written: list[int] = []
        waiting: list[tuple[NewPartition, bytes]] = []
        for version, serialised in finished:
            waiting.append((self._new_partition(version, serialised), serialised))
            if sum(len(each) for _, each in waiting) >= FLUSH_BYTES:
                written += self._write_versions(waiting)
                waiting = []
        return written + self._write_versions(waiting)

    def _write_versions(self, waiting: Sequence[tuple[NewPartition, bytes]]) -> list[int]:
        def write(tx: Connection) -> list[int]:
            written = []
            for new, serialised in waiting:
                written.append(partition_versions.prepare(tx, new))
                partition_versions.add_filter(tx, written[-1], serialised)
            return written

        return self._node.store.retry_write("write versions", write) if waiting else []

    def _new_partition(self, version: Version, serialised: bytes) -> NewPartition:
        today = (china_day(self._node.clock()) - FIRST_DAY).days
        leaves = bytes(version.leaves)
        return NewPartition(
            item=self._item,
            token_class=self._token_class,
            origin=f"{version.origin:02}",
            epoch=self._epoch,
            version=version.number,
            cut=version.cut,
            entries=version.entries,
            bits=version.bits,
            root=merkle.root(
                [leaves[at : at + merkle.DIGEST_SIZE] for at in range(0, len(leaves), merkle.DIGEST_SIZE)]
            ),
            leaves=leaves,
            filter_size=len(serialised),
            filter_digest=blake3(serialised).digest(),
            as_of=today if version.oldest == buckets.NO_DAY else version.oldest,
            planted=version.planted,
        )

    def unseal(self, origin: int, stored: index_rows.StoredBucket) -> tuple[bytes, bytes]:
        """Points and links of a stored bucket."""
        place = f"{self._item} {origin:02} {self._epoch} {stored.number}"
        vault, links = self._node.keys.vault, stored.links_sealed
        points = vault.unseal(f"points {place}", stored.points_sealed)
        return points, vault.unseal(f"links {place}", links) if links else b""

    def _write(self, tx: Connection) -> None:
        grouped: dict[tuple[int, int], list[NewBucket]] = {}
        for cut, number, bucket in self._waiting:
            grouped.setdefault((cut, number), []).append(bucket)
        for (cut, number), some in grouped.items():
            partition_versions.add_buckets(tx, cut, number, some)


def links_by_bucket(links: Iterable[bytes], bits_of: Mapping[int, int]) -> dict[tuple[int, int], bytes]:
    """LINK rows in bytes, by (origin, bucket number) of the entry they start from."""
    pieces = [np.frombuffer(piece, dtype=LINK) for piece in links]
    if not pieces:
        return {}
    table: Entries = np.concatenate(pieces)
    found: dict[tuple[int, int], list[bytes]] = {}
    for row in table:
        code = int(row["place"])
        number = buckets.bucket_number(int(row["prefix"]), bits_of[code])
        found.setdefault((code, number), []).append(row.tobytes())
    return {place: b"".join(rows) for place, rows in found.items()}
