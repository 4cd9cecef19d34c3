"""The file of one mirrored partition: as served, under its Merkle root (docs/data-model.md).

    head     magic and version of this form (4), bits (1), flags (1), bytes of an entry (2), epoch (4),
             version (8), item (8) and origin (2), all big endian; root (32)
    leaves   32 bytes for each bucket, in order; they lead to the root
    sizes    bytes of each bucket, u32, little endian; FFFFFFFF while it is missing
    entries  of all buckets, in order

Nothing in it is secret beyond what the responder serves, and nothing is trusted: leaves are held against
the root when a file is opened, a bucket against its leaf before it is used first. A file that a killed
process left unfinished goes on after its last good bucket.
"""

import mmap
import os
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from keys.store.atomic_files import PRIVATE, NewFile, sync_folder
from matcher import buckets as index
from matcher import merkle
from node.wire.manifest import PartitionOffer

MAGIC: Final = b"HQM\x02"
MISSING: Final = 0xFFFFFFFF
_HEAD = struct.Struct(">4sBBHIQ8s2s32s")
_SUSPECT = 1  # flag
MOST_BITS: Final = 24


@dataclass(frozen=True, slots=True)
class Head:
    """Which version of which partition a file holds.

    `suspect`: it was fetched whole because the peer's delta was wrong.
    """

    item: str
    origin: str
    epoch: int
    version: int
    bits: int
    entry_size: int
    root: bytes = field(repr=False)
    suspect: bool = False

    @classmethod
    def of(cls, part: PartitionOffer, *, suspect: bool = False) -> "Head":
        """The head for an offered partition."""
        return cls(
            part.item, part.origin, part.epoch, part.version, part.bits, part.entry_size, part.root, suspect
        )

    @property
    def buckets(self) -> int:
        """How many buckets."""
        return 1 << self.bits

    def pack(self) -> bytes:
        """As in the file."""
        flags = _SUSPECT if self.suspect else 0
        names = (self.item.encode(), self.origin.encode())
        return _HEAD.pack(
            MAGIC, self.bits, flags, self.entry_size, self.epoch, self.version, *names, self.root
        )

    @classmethod
    def unpack(cls, data: bytes) -> "Head":
        """What `pack` made. Raises ValueError for anything else, also for a form of another release."""
        if len(data) != _HEAD.size:
            raise ValueError("no head")
        magic, bits, flags, size, epoch, version, item, origin, root = _HEAD.unpack(data)
        if magic != MAGIC or bits > MOST_BITS or not size:
            raise ValueError("not a mirror in this form")
        name = item.rstrip(b"\0").decode("ascii")
        return cls(name, origin.decode("ascii"), epoch, version, bits, size, root, bool(flags & _SUSPECT))


def file_size(part: PartitionOffer) -> int:
    """Bytes of the file of a partition."""
    return _HEAD.size + part.buckets * (merkle.DIGEST_SIZE + 4) + part.entries * part.entry_size


def read_head(path: Path) -> Head:
    """The head of a file. Raises OSError, and ValueError for a file of another form."""
    with path.open("rb") as file:
        return Head.unpack(file.read(_HEAD.size))


class PartitionFile:
    """A whole mirrored partition, mapped into memory, in which tags can be found."""

    def __init__(self, path: Path, root: bytes) -> None:
        """Map a file. Raises OSError, and ValueError where it is not the whole partition of this root."""
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.head = Head.unpack(self._data[: _HEAD.size])
        count = self.head.buckets
        at = _HEAD.size + merkle.DIGEST_SIZE * count
        self._first = at + 4 * count
        if len(self._data) < self._first:
            raise ValueError("not a whole partition")
        self.leaves = split_leaves(self._data[_HEAD.size : at])
        sizes = np.frombuffer(self._data[at : self._first], dtype="<u4").astype(np.int64)
        ragged = bool((sizes % self.head.entry_size).any())
        if ragged or len(self._data) != self._first + int(sizes.sum()):
            raise ValueError("not a whole partition")
        if self.head.root != root or merkle.root(self.leaves) != root:
            raise ValueError("not the partition of this root")
        self._starts = np.concatenate(([0], np.cumsum(sizes)))
        self._good, self._lock = np.zeros(count, dtype=bool), threading.Lock()

    def bucket(self, number: int) -> bytes:
        """The entries of one bucket, not verified."""
        start, end = (self._first + int(at) for at in self._starts[number : number + 2])
        return self._data[start:end]

    def damaged(self, numbers: NDArray[np.int64] | None = None) -> list[int]:
        """Which of some buckets, or of all, differ from their leaves."""
        wanted = np.arange(self.head.buckets) if numbers is None else np.unique(numbers)
        found = []
        with self._lock:
            for number in (wanted if numbers is None else wanted[~self._good[wanted]]).tolist():
                if index.bucket_leaf(number, self.bucket(number)) != self.leaves[number]:
                    found.append(number)
                else:
                    self._good[number] = True
        return found

    def block(self, numbers: NDArray[np.int64]) -> index.Block | None:
        """All buckets, after verifying those of some numbers; None where one of them is damaged."""
        if self.damaged(numbers):
            return None
        entries = np.frombuffer(self._data, dtype=np.uint8, offset=self._first)
        size = self.head.entry_size
        return index.Block(np.arange(self.head.buckets), self._starts // size, entries.reshape(-1, size))


class UnfinishedFile:
    """A partition while it is fetched: verified buckets are added in order, the last one makes it whole.

    Its file has another name until then, and stays when the process is killed.
    """

    def __init__(self, path: Path, descriptor: int, head: Head, leaves: Sequence[bytes]) -> None:
        self._path, self._file = path, os.fdopen(descriptor, "r+b")
        self.head, self.leaves = head, leaves
        self._sizes: list[int] = []
        self._written = 0  # sizes that are in the file
        self._sizes_at = _HEAD.size + merkle.DIGEST_SIZE * head.buckets
        self._end = self._sizes_at + 4 * head.buckets

    @classmethod
    def begin(cls, path: Path, head: Head, leaves: Sequence[bytes]) -> Self:
        """Begin anew, in place of what is there. Raises OSError."""
        made = cls(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, PRIVATE), head, leaves)
        made._file.write(head.pack() + b"".join(leaves) + MISSING.to_bytes(4, "little") * head.buckets)
        return made

    @classmethod
    def resume(cls, path: Path) -> Self | None:
        """What a killed process left, up to its last good bucket; None where nothing can be used."""
        try:
            with path.open("rb") as file:
                head = Head.unpack(file.read(_HEAD.size))
                leaves = split_leaves(file.read(merkle.DIGEST_SIZE * head.buckets))
                sizes = np.frombuffer(file.read(4 * head.buckets), dtype="<u4").tolist()
            if len(sizes) != head.buckets or merkle.root(leaves) != head.root:
                return None
            found = cls(path, os.open(path, os.O_RDWR), head, leaves)
        except (OSError, ValueError):
            return None
        found._take_good(sizes)
        return found

    def _take_good(self, sizes: Sequence[int]) -> None:
        self._file.seek(self._end)
        for number, size in enumerate(sizes):
            if size == MISSING:
                break
            entries = self._file.read(size)
            if len(entries) != size or index.bucket_leaf(number, entries) != self.leaves[number]:
                break
            self._sizes.append(size)
            self._end += size
        self._written = len(self._sizes)
        self._file.truncate(self._end)
        missing = MISSING.to_bytes(4, "little") * (self.head.buckets - self._written)
        os.pwrite(self._file.fileno(), missing, self._sizes_at + 4 * self._written)
        self._file.seek(self._end)

    def close(self) -> None:
        """Close it; what was saved stays."""
        self._file.close()

    @property
    def length(self) -> int:
        """Bytes of the entries that are there."""
        return sum(self._sizes)

    @property
    def count(self) -> int:
        """How many buckets are there."""
        return len(self._sizes)

    def add(self, entries: bytes) -> bool:
        """The next bucket; False, without writing, where it is not the one of its leaf. Raises OSError."""
        if index.bucket_leaf(self.count, entries) != self.leaves[self.count]:
            return False
        self._file.write(entries)
        self._sizes.append(len(entries))
        self._end += len(entries)
        return True

    def read(self) -> Iterator[bytes]:
        """The buckets that are there, in order."""
        self.save()
        at = self._sizes_at + 4 * self.head.buckets
        for size in tuple(self._sizes):
            yield os.pread(self._file.fileno(), size, at)
            at += size

    def save(self) -> None:
        """Give the buckets added so far to the system, so that a killed process has them. Raises OSError."""
        self._file.flush()
        new = np.array(self._sizes[self._written :], dtype="<u4").tobytes()
        os.pwrite(self._file.fileno(), new, self._sizes_at + 4 * self._written)
        self._written = len(self._sizes)

    def rename(self, path: Path) -> None:
        """Take the place of another unfinished file. Raises OSError."""
        self._path.replace(path)
        self._path = path

    def publish(self, target: Path) -> None:
        """Flush a whole file to disk and give it its name. Raises OSError."""
        self.save()
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.replace(target)
        sync_folder(target.parent)


def write_whole(
    target: Path, head: Head, buckets: Iterable[bytes], is_right: Callable[[list[bytes]], bool]
) -> bool:
    """Write all buckets of a partition; the file appears only if `is_right` accepts their leaves.

    Raises OSError, and what `buckets` raises.
    """
    leaves: list[bytes] = []
    sizes: list[int] = []
    with NewFile(target, PRIVATE) as new:
        new.file.seek(_HEAD.size + (merkle.DIGEST_SIZE + 4) * head.buckets)
        for number, entries in enumerate(buckets):
            new.file.write(entries)
            leaves.append(index.bucket_leaf(number, entries))
            sizes.append(len(entries))
        if not is_right(leaves):
            return False
        new.file.seek(0)
        new.file.write(head.pack() + b"".join(leaves) + np.array(sizes, dtype="<u4").tobytes())
        new.publish()
    return True


def split_leaves(joined: bytes) -> list[bytes]:
    """Leaves, one after another."""
    size = merkle.DIGEST_SIZE
    return [joined[at : at + size] for at in range(0, len(joined), size)]


def renumber(path: Path, head: Head) -> None:
    """Write another head over that of a file with the same root. Raises OSError."""
    with path.open("r+b") as file:
        file.write(head.pack())
