"""The index of one partition: entries cut into buckets, sorted by tag (design.md section 3).

An entry is tag (16) || sealed label (52) = 68 bytes. A bucket's entries are sorted by tag and
distinct. Beside the served bytes a bucket keeps, in the same order, the points T (32), the bucket
prefix (4) and the as-of day (4) of each entry, never served: rotation, re-cutting and incremental
import need them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher import label, merkle
from matcher.errors import BucketError
from matcher.token import TAG_SIZE

Bytes = NDArray[np.uint8]

ENTRY_SIZE = TAG_SIZE + label.SEALED_SIZE
POINT_ROW_SIZE = 40
NO_DAY = 0xFFFFFFFF  # of an entry whose date says nothing about the records: a planted one
MAX_BITS = 24


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a partition under one identity."""

    tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    token: bytes = field(repr=False)
    prefix: int = field(repr=False)
    as_of: int = NO_DAY


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket: `entries` is served whole, `points` stays home (both in tag order)."""

    number: int
    entries: bytes = field(repr=False)
    points: bytes = field(repr=False)


def bucket_bits(entries: int, k_anonymity: int) -> int:
    """The largest b that keeps `k_anonymity` entries per bucket on average; 0 for small partitions."""
    return min(max((entries // max(k_anonymity, 1)).bit_length() - 1, 0), MAX_BITS)


def bucket_number(prefix: int, bits: int) -> int:
    """The bucket of a 32-bit prefix when a partition has 2^bits buckets."""
    return prefix >> (32 - bits)


def build_buckets(entries: Sequence[Entry], bits: int) -> Iterator[Bucket]:
    """Cut a partition into all its 2^bits buckets, in order, empty ones included.

    Raises BucketError when two entries carry one tag: a subject would have two records.
    """
    if len({e.tag for e in entries}) != len(entries):
        raise BucketError("two entries of a partition carry one tag")
    served = _rows(b"".join(e.tag + e.sealed for e in entries), ENTRY_SIZE)
    kept = b"".join(e.token + e.prefix.to_bytes(4, "big") + e.as_of.to_bytes(4, "big") for e in entries)
    yield from cut(served, _rows(kept, POINT_ROW_SIZE), bits, range(2**bits))


def cut(served: Bytes, kept: Bytes, bits: int, numbers: range) -> Iterator[Bucket]:
    """Cut entries (n, 68) and what is kept of them (n, 40) into the buckets `numbers`, which hold them all.

    Raises BucketError when two entries carry one tag, or one belongs to another bucket.
    """
    found = prefixes(kept).astype(np.uint64) >> np.uint64(32 - bits)
    places = found.astype(np.int64) - numbers.start
    if len(places) and (int(places.min()) < 0 or int(places.max()) >= len(numbers)):
        raise BucketError("an entry belongs to another bucket")
    high, low = _tag_words(served)
    order = np.lexsort((low, high, places))
    high, low = high[order], low[order]
    if bool(((high[1:] == high[:-1]) & (low[1:] == low[:-1])).any()):
        raise BucketError("two entries of a partition carry one tag")
    served, kept = served[order], kept[order]
    ends = np.searchsorted(places[order], np.arange(len(numbers) + 1)).tolist()
    for place, number in enumerate(numbers):
        part = slice(ends[place], ends[place + 1])
        yield Bucket(number, served[part].tobytes(), kept[part].tobytes())


def prefixes(kept: Bytes) -> NDArray[np.uint32]:
    """The bucket prefix of each entry."""
    return np.ascontiguousarray(kept[:, 32:36]).view(">u4")[:, 0].astype(np.uint32)


def oldest(kept: Bytes) -> int:
    """The oldest as-of day of entries (n, 40); NO_DAY where no entry has one."""
    return int(np.ascontiguousarray(kept[:, 36:40]).view(">u4").min(initial=NO_DAY))


def bucket_leaf(number: int, entries: bytes) -> bytes:
    """The Merkle leaf of a bucket, bound to its number."""
    return merkle.leaf(number.to_bytes(4, "big") + entries)


class BucketRows(Mapping[bytes, bytes]):
    """Sealed labels by tag in the bytes of one bucket, found by halving: nothing is copied beforehand."""

    def __init__(self, entries: bytes) -> None:
        self._entries = entries
        self._starts = _rows(entries, ENTRY_SIZE)[:, :8].copy().view(">u8")[:, 0].astype(np.uint64)

    def __len__(self) -> int:
        return len(self._entries) // ENTRY_SIZE

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._entries), ENTRY_SIZE):
            yield self._entries[at : at + TAG_SIZE]

    def __getitem__(self, tag: bytes) -> bytes:
        entries, low, high = self._entries, 0, len(self)
        while low < high:
            middle = (low + high) // 2
            at = middle * ENTRY_SIZE
            found = entries[at : at + TAG_SIZE]
            if found == tag:
                return entries[at + TAG_SIZE : at + ENTRY_SIZE]
            if found < tag:
                low = middle + 1
            else:
                high = middle
        raise KeyError

    def holding(self, tags: Sequence[bytes]) -> list[int]:
        """Places in `tags` of those that are here: all are compared at once by their first eight bytes."""
        if not len(self):
            return []
        starts = np.frombuffer(b"".join(tags), dtype=">u8")[::2].astype(np.uint64)
        places = np.minimum(np.searchsorted(self._starts, starts), len(self) - 1)
        alike = np.flatnonzero(self._starts[places] == starts).tolist()
        return [place for place in alike if tags[place] in self]

    def __repr__(self) -> str:
        return f"BucketRows({len(self)} entries)"


def read_bucket(entries: bytes) -> BucketRows:
    """Sealed labels by tag of a fetched bucket. Raises BucketError unless whole, sorted and distinct."""
    if len(entries) % ENTRY_SIZE:
        raise BucketError("a bucket is not a whole number of entries")
    first, second = _tag_words(_rows(entries, ENTRY_SIZE))
    rising = (first[1:] > first[:-1]) | ((first[1:] == first[:-1]) & (second[1:] > second[:-1]))
    if not rising.all():
        raise BucketError("a bucket is not sorted")
    return BucketRows(entries)


def _rows(data: bytes, size: int) -> NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, size)


def _tag_words(served: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    words = np.ascontiguousarray(served[:, :TAG_SIZE]).view(">u8").astype(np.uint64)
    return words[:, 0], words[:, 1]
