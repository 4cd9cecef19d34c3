"""A partition's filter: which tags it may hold, in a little over four bytes an entry (design.md section 3).

Tags are uniform already, so no further hashing is needed. The first q bits of a tag are its bin, the
next 32 its remainder; remainders are sorted within their bin. With 16 to 32 entries a bin, a tag that
is not there is taken for present about 2^-27 of the times (16 to 32 chances in 2^32).

Serialised: "HQF1", q (1 byte), zero (3), number of entries (u64), then entries per bin (2^q times u16)
and the remainders in order (u32), all little endian.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.errors import FilterError
from matcher.suites.tokens import TAG_SIZE

MAGIC = b"HQF1"
_HEADER = struct.Struct("<4sB3xQ")
_ENTRIES_PER_BIN_BITS = 4
MAX_BIN_BITS = 28
_MAX_PER_BIN = 65_535


@dataclass(frozen=True, slots=True)
class Filter:
    """`starts[b]` to `starts[b + 1]` are the places of bin b's remainders."""

    bin_bits: int
    starts: NDArray[np.int64]
    remainders: NDArray[np.uint32]

    @property
    def entries(self) -> int:
        """The number of tags it was built from."""
        return len(self.remainders)


def build(tags: bytes) -> Filter:
    """The filter of n tags (n * 10 bytes, in any order). Raises FilterError for a ragged length."""
    if len(tags) % TAG_SIZE:
        raise FilterError("tags must be a multiple of 10 bytes")
    count = len(tags) // TAG_SIZE
    bits = bin_bits(count)
    return _arrange(_keys(tags, bits), bits)


def _arrange(keys: NDArray[np.uint64], bits: int) -> Filter:
    keys.sort()
    counts = np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=1 << bits)
    return Filter(bits, _starts(counts), (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32))


def change(found: Filter, removed: bytes, added: bytes) -> Filter | None:
    """The filter after some tags were removed and others added; None where the number of bins must change.

    Raises FilterError for a ragged length, or a removed tag that was not there.
    """
    if len(removed) % TAG_SIZE or len(added) % TAG_SIZE:
        raise FilterError("tags must be a multiple of 10 bytes")
    count = found.entries + (len(added) - len(removed)) // TAG_SIZE
    if bin_bits(count) != found.bin_bits:
        return None
    bins = np.repeat(np.arange(1 << found.bin_bits, dtype=np.uint64), np.diff(found.starts))
    keys = (bins << np.uint64(32)) | found.remainders
    dropped = np.sort(_keys(removed, found.bin_bits))
    first = np.searchsorted(keys, dropped)
    # Different tags may have the same key: the second of equal keys removes the next place.
    places = first + np.arange(len(dropped)) - np.searchsorted(dropped, dropped)
    if len(dropped) and (int(places.max()) >= len(keys) or bool((keys[places] != dropped).any())):
        raise FilterError("a tag to be removed is not in the filter")
    keys = np.concatenate((np.delete(keys, places), _keys(added, found.bin_bits)))
    return _arrange(keys, found.bin_bits)


def contains(found: Filter, tags: bytes) -> NDArray[np.bool_]:
    """For each of m tags (m * 10 bytes) whether the partition may hold it; never False for one it holds."""
    if len(tags) % TAG_SIZE:
        raise FilterError("tags must be a multiple of 10 bytes")
    keys = _keys(tags, found.bin_bits)
    bins = (keys >> np.uint64(32)).astype(np.int64)
    wanted = (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    low, high = found.starts[bins], found.starts[bins + 1]
    end = high.copy()
    # One binary search for all tags at once; bins are small, so a few steps suffice.
    while bool((low < high).any()):
        middle = (low + high) // 2
        open_ = low < high
        below = np.zeros(len(wanted), dtype=bool)
        below[open_] = found.remainders[middle[open_]] < wanted[open_]
        low = np.where(open_ & below, middle + 1, low)
        high = np.where(open_ & ~below, middle, high)
    inside = low < end
    present = np.zeros(len(wanted), dtype=bool)
    present[inside] = found.remainders[low[inside]] == wanted[inside]
    return present


def serialise(built: Filter) -> bytes:
    """The served bytes."""
    counts = np.diff(built.starts).astype("<u2")
    header = _HEADER.pack(MAGIC, built.bin_bits, built.entries)
    return header + counts.tobytes() + built.remainders.astype("<u4").tobytes()


def parse(data: bytes | memoryview) -> Filter:
    """Read a served filter; nothing is copied. Raises FilterError unless lengths, counts and order fit."""
    try:
        magic, bits, count = _HEADER.unpack_from(data)
    except struct.error:
        raise FilterError("a filter is shorter than its header") from None
    if magic != MAGIC or bits > MAX_BIN_BITS:
        raise FilterError("these bytes are no filter of a known form")
    if len(data) != serialised_size(count, bits):
        raise FilterError("a filter has the wrong length")
    counts = np.frombuffer(data, dtype="<u2", count=1 << bits, offset=_HEADER.size)
    starts = _starts(counts)
    if int(starts[-1]) != count:
        raise FilterError("a filter's bins do not add up")
    remainders = np.frombuffer(data, dtype="<u4", count=count, offset=_HEADER.size + (2 << bits))
    falls = np.flatnonzero(remainders[1:] < remainders[:-1]) + 1
    if not np.isin(falls, starts).all():
        raise FilterError("a filter's bins are not sorted")
    return Filter(bits, starts, remainders)


def bin_bits(entries: int) -> int:
    """q: the largest that keeps 16 entries per bin on average."""
    return min(max(entries.bit_length() - 1 - _ENTRIES_PER_BIN_BITS, 0), MAX_BIN_BITS)


def serialised_size(entries: int, bits: int | None = None) -> int:
    """Bytes of a served filter."""
    return _HEADER.size + (2 << (bin_bits(entries) if bits is None else bits)) + 4 * entries


def _keys(tags: bytes, bits: int) -> NDArray[np.uint64]:
    """Bin and remainder of each tag as one number: the first q + 32 bits of the tag."""
    rows = np.frombuffer(tags, dtype=np.uint8).reshape(-1, TAG_SIZE)
    first = np.ascontiguousarray(rows[:, :8]).view(">u8")[:, 0].astype(np.uint64)
    return first >> np.uint64(32 - bits)


def _starts(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    if len(counts) and int(counts.max()) > _MAX_PER_BIN:
        raise FilterError("a bin overflows: the tags are not uniform")
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
