"""The index of one partition: entries cut into buckets, sorted by tag (design.md section 3).

An entry is tag (10) || sealed label (26 + w), w the width of the item's value; all entries of a partition
have one size. A bucket's entries are sorted by tag and distinct. Besides the served bytes a bucket keeps, in
the same order and never served, n pointers (u32: where the entry's token is, PAD for a pad) and then n plain
records (10 + w): rotation, re-cutting and the next import need them (design.md section 3.1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher import label, merkle
from matcher.errors import BucketError
from matcher.suites.tokens import TAG_SIZE

Bytes = NDArray[np.uint8]

POINTER_SIZE = 4
PAD = 0xFFFFFFFF  # the pointer of an entry of nobody
_DATE = slice(2, 4)  # of a plain record
NO_DAY = 0xFFFFFFFF  # the oldest date of entries that all have the date of the partition
MAX_BITS = 13
_TAG = np.dtype([("first", ">u8"), ("second", ">u2")])


def entry_size(width: int) -> int:
    """Bytes of a served entry whose value has `width` bytes."""
    return TAG_SIZE + label.sealed_size(width)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a partition under one identity."""

    tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    record: bytes = field(repr=False)
    prefix: int = field(repr=False)
    pointer: int = field(repr=False, default=PAD)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket: `entries` is served whole, `kept` is never served (both in tag order)."""

    number: int
    entries: bytes = field(repr=False)
    kept: bytes = field(repr=False)


def bucket_bits(entries: int, k_anonymity: int, present: int | None = None) -> int:
    """How many bits a partition of so many entries is cut by; `present` are those of the version before.

    The largest b that keeps `k_anonymity` entries per bucket on average, 0 for small partitions. It falls at
    once and rises only at 1.25 k 2^b entries, because each change is a whole fetch for every peer.
    """
    k = max(k_anonymity, 1)
    most = _floor_bits(entries, k)
    if present is None or most <= present:
        return most
    return max(min(_floor_bits(entries * 4, k * 5), MAX_BITS), present)


def _floor_bits(entries: int, k: int) -> int:
    return min(max((entries // k).bit_length() - 1, 0), MAX_BITS)


def bucket_number(prefix: int, bits: int) -> int:
    """The bucket of a 32-bit prefix when a partition has 2^bits buckets."""
    return prefix >> (32 - bits)


def build_buckets(entries: Sequence[Entry], bits: int) -> Iterator[Bucket]:
    """Cut a partition into all its 2^bits buckets, in order, empty ones included.

    Raises BucketError when two entries carry one tag: a subject would have two records.
    """
    if len({e.tag for e in entries}) != len(entries):
        raise BucketError("two entries of a partition carry one tag")
    size = TAG_SIZE + len(entries[0].sealed) if entries else entry_size(0)
    served = _rows(b"".join(e.tag + e.sealed for e in entries), size)
    kept = kept_rows(
        np.array([e.pointer for e in entries], dtype=np.uint32),
        _rows(b"".join(e.record for e in entries), size - TAG_SIZE - label.OVERHEAD),
    )
    places = np.array([e.prefix for e in entries], dtype=np.uint32)
    yield from cut(served, kept, places, bits, range(2**bits))


def cut(
    served: Bytes, kept: Bytes, prefixes: NDArray[np.uint32], bits: int, numbers: range
) -> Iterator[Bucket]:
    """Cut entries (n, size) with their kept rows and 32-bit prefixes into the buckets `numbers`.

    Raises BucketError when two entries carry one tag, or one belongs to another bucket.
    """
    places = places_of(prefixes, bits) - numbers.start
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
        pointers, records = kept[part, :POINTER_SIZE], kept[part, POINTER_SIZE:]
        yield Bucket(number, served[part].tobytes(), pointers.tobytes() + records.tobytes())


def places_of(prefixes: NDArray[np.integer], bits: int) -> NDArray[np.int64]:
    """The bucket number of each 32-bit prefix when a partition has 2^bits buckets."""
    return (prefixes.astype(np.uint64) >> np.uint64(32 - bits)).astype(np.int64)


def kept_rows(pointers: NDArray[np.integer], records: Bytes) -> Bytes:
    """What is kept of entries beside their served bytes, a row each: pointer (4), plain record."""
    return np.hstack([pointers.astype(">u4").view(np.uint8).reshape(-1, POINTER_SIZE), records])


def read_kept(kept: bytes, width: int) -> tuple[NDArray[np.uint32], Bytes]:
    """Pointers (n,) and plain records (n, 10 + width) of a bucket.

    Raises BucketError unless they are whole.
    """
    count, rest = divmod(len(kept), POINTER_SIZE + label.record_size(width))
    if rest:
        raise BucketError("what is kept of a bucket is not whole")
    pointers = np.frombuffer(kept, dtype=">u4", count=count).astype(np.uint32)
    return pointers, _rows(kept[POINTER_SIZE * count :], label.record_size(width))


def oldest(records: Bytes) -> int:
    """The oldest date in plain records; NO_DAY where all have the date of the partition."""
    days = np.ascontiguousarray(records[:, _DATE]).view(">u2").astype(np.int64)
    return int(days.min(initial=NO_DAY, where=days != 0))


def bucket_leaf(number: int, entries: bytes) -> bytes:
    """The Merkle leaf of a bucket, bound to its number."""
    return merkle.leaf(number.to_bytes(4, "big"), entries)


class Block:
    """Several buckets of one partition, one after another; all tags are searched for at once.

    `numbers` are ascending; the entries of the bucket at place p are those from `starts[p]` to
    `starts[p + 1]`. Nothing is copied: only the entries that a search meets are read.
    """

    def __init__(self, numbers: NDArray[np.int64], starts: NDArray[np.int64], entries: Bytes) -> None:
        self._numbers, self._starts = numbers, starts
        sealed = ("sealed", f"V{entries.shape[1] - TAG_SIZE}")
        entry = np.dtype([("first", _TAG["first"]), ("second", _TAG["second"]), sealed])
        self._entries = np.ascontiguousarray(entries).view(entry)[:, 0]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Block({len(self._numbers)} buckets, {len(self)} entries)"

    def holding(self, buckets: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which bucket numbers are in this block."""
        places = np.minimum(np.searchsorted(self._numbers, buckets), len(self._numbers) - 1)
        return np.asarray(self._numbers[places] == buckets)

    def find(self, buckets: NDArray[np.integer], tags: Bytes) -> NDArray[np.int64]:
        """The entry of each tag (n, 10) in its bucket, which must be in this block; -1 for none."""
        places = np.searchsorted(self._numbers, buckets)
        low, end = self._starts[places], self._starts[places + 1]
        high = end.copy()
        first, second = _tag_words(tags)
        # One word at a time: gathering whole entries would cost four times as much.
        firsts, seconds = self._entries["first"], self._entries["second"]
        open_ = np.flatnonzero(low < high)
        while len(open_):
            bottom, top, wanted = low[open_], high[open_], first[open_]
            middle = (bottom + top) // 2
            met = firsts[middle]
            below = met < wanted
            equal = np.flatnonzero(met == wanted)
            below[equal] = seconds[middle[equal]] < second[open_[equal]]
            bottom, top = np.where(below, middle + 1, bottom), np.where(below, top, middle)
            low[open_], high[open_] = bottom, top
            open_ = open_[bottom < top]
        inside = np.flatnonzero(low < end)
        places = low[inside]
        same = (firsts[places] == first[inside]) & (seconds[places] == second[inside])
        found = np.full(len(tags), -1, dtype=np.int64)
        found[inside[same]] = places[same]
        return found

    def sealed(self, places: NDArray[np.integer]) -> Bytes:
        """The sealed labels of some entries, (n, sealed)."""
        chosen = np.ascontiguousarray(self._entries[places])
        return chosen.view(np.uint8).reshape(-1, chosen.dtype.itemsize)[:, TAG_SIZE:]


def read_bucket(entries: bytes, size: int) -> dict[bytes, bytes]:
    """Sealed labels by tag of one fetched bucket with entries of `size` bytes.

    Raises BucketError unless whole, sorted and distinct.
    """
    read_block([(0, entries)], size)
    starts = range(0, len(entries), size)
    return {entries[at : at + TAG_SIZE]: entries[at + TAG_SIZE : at + size] for at in starts}


def read_block(buckets: Sequence[tuple[int, bytes]], size: int) -> Block:
    """Fetched buckets, ascending, with entries of `size` bytes.

    Raises BucketError unless each is whole, sorted and distinct.
    """
    if any(len(entries) % size for _, entries in buckets):
        raise BucketError("a bucket is not a whole number of entries")
    served = _rows(b"".join(entries for _, entries in buckets), size)
    numbers = np.array([number for number, _ in buckets], dtype=np.int64)
    sizes = [len(entries) // size for _, entries in buckets]
    starts = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    first, second = _tag_words(served)
    rising = (first[1:] > first[:-1]) | ((first[1:] == first[:-1]) & (second[1:] > second[:-1]))
    borders = starts[1:-1]
    rising[borders[(borders > 0) & (borders < len(served))] - 1] = True
    if not rising.all():
        raise BucketError("a bucket is not sorted")
    return Block(numbers, starts, served)


def _rows(data: bytes, size: int) -> NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, size)


def _tag_words(served: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
    words = np.ascontiguousarray(served[:, :TAG_SIZE]).view(_TAG)[:, 0]
    return words["first"].astype(np.uint64), words["second"].astype(np.uint16)
