"""The index of one partition: entries cut into buckets, sorted by tag (design.md section 3).

An entry is tag (16) || sealed label (52) = 68 bytes. A bucket's entries are sorted by tag and
distinct. Beside the served bytes a bucket keeps, in the same order, the points T and the 32-bit
bucket prefix of each entry (36 bytes), never served: rotation and re-cutting need them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher import label, merkle
from matcher.errors import BucketError
from matcher.token import TAG_SIZE

ENTRY_SIZE = TAG_SIZE + label.SEALED_SIZE
POINT_ROW_SIZE = 36
MAX_BITS = 24


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a partition under one identity."""

    tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    token: bytes = field(repr=False)
    prefix: int = field(repr=False)


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
    served = _rows(b"".join(e.tag + e.sealed for e in entries), ENTRY_SIZE)
    prefixes = np.fromiter((e.prefix for e in entries), dtype=np.uint32, count=len(entries))
    kept = np.hstack(
        [
            _rows(b"".join(e.token for e in entries), 32),
            prefixes.astype(">u4").view(np.uint8).reshape(-1, 4),
        ]
    )
    numbers = (prefixes.astype(np.uint64) >> np.uint64(32 - bits)).astype(np.int64)
    high, low = _tag_words(served)
    order = np.lexsort((low, high))
    if bool(((high[order][1:] == high[order][:-1]) & (low[order][1:] == low[order][:-1])).any()):
        raise BucketError("two entries of a partition carry one tag")
    order = order[np.argsort(numbers[order], kind="stable")]  # by bucket, and by tag within it
    served, kept, numbers = served[order], kept[order], numbers[order]
    ends = np.searchsorted(numbers, np.arange(2**bits + 1))
    for number in range(2**bits):
        part = slice(int(ends[number]), int(ends[number + 1]))
        yield Bucket(number, served[part].tobytes(), kept[part].tobytes())


def bucket_leaf(number: int, entries: bytes) -> bytes:
    """The Merkle leaf of a bucket, bound to its number."""
    return merkle.leaf(number.to_bytes(4, "big") + entries)


class BucketRows(Mapping[bytes, bytes]):
    """Sealed labels by tag in the bytes of one bucket, found by halving: nothing is copied beforehand."""

    def __init__(self, entries: bytes) -> None:
        self._entries = entries

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
