"""Peers' partitions that this node keeps whole, so that later queries need no download (docs/protocol.md).

The root in the peer's signed manifest names the file. A file is "HQP" and the version of its form (one byte),
the leaves of its buckets, 32 bytes each, their sizes in bytes (u32, little endian), then the entries of all
buckets in order. The leaves must lead to the root; a bucket is compared with its leaf before its first use
in a process. A file of another form is not read: its partition is fetched again.
"""

import mmap
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from keys.store.atomic_files import PRIVATE, NewFile
from matcher import buckets as index
from matcher import merkle
from node.wire.manifest import PartitionOffer

FOLDER = "cache/partitions"
MEBIBYTE = 1_048_576
MAGIC = b"HQP\x01"
_HEAD_SIZE = merkle.DIGEST_SIZE + 4  # for each bucket: leaf and size


class KeptPartition:
    """A kept partition on disk, in which tags can be found."""

    def __init__(self, path: Path, buckets: int, root: bytes, size: int) -> None:
        """Map a file with entries of `size` bytes.

        Raises OSError, and ValueError where it is not the partition of this root.
        """
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._size, self._first = size, len(MAGIC) + _HEAD_SIZE * buckets
        if self._data[: len(MAGIC)] != MAGIC:
            raise ValueError("not a partition in this form")
        head = self._data[len(MAGIC) : self._first]
        self._leaves = [
            head[at : at + merkle.DIGEST_SIZE]
            for at in range(0, merkle.DIGEST_SIZE * buckets, merkle.DIGEST_SIZE)
        ]
        sizes = np.frombuffer(head, dtype="<u4", offset=merkle.DIGEST_SIZE * buckets).astype(np.int64)
        if len(self._data) != self._first + int(sizes.sum()) or bool((sizes % size).any()):
            raise ValueError("not a whole partition")
        if merkle.root(self._leaves) != root:
            raise ValueError("not the partition of this root")
        self._starts = np.concatenate(([0], np.cumsum(sizes)))
        self._good, self._lock = np.zeros(buckets, dtype=bool), threading.Lock()

    def block(self, numbers: NDArray[np.int64]) -> index.Block | None:
        """All buckets, after verifying those of some numbers; None where one of them is damaged."""
        wanted = np.unique(numbers)
        with self._lock:
            for number in wanted[~self._good[wanted]].tolist():
                start, end = (self._first + int(at) for at in self._starts[number : number + 2])
                if index.bucket_leaf(number, self._data[start:end]) != self._leaves[number]:
                    return None
                self._good[number] = True
        entries = np.frombuffer(self._data, dtype=np.uint8, offset=self._first)
        starts = self._starts // self._size
        return index.Block(np.arange(len(self._leaves)), starts, entries.reshape(-1, self._size))


class PartitionCache:
    """A folder with one file for each peer, item and origin: the newest version that was fetched whole."""

    def __init__(self, home: Path, most_mib: int) -> None:
        self._folder, self._most = home / FOLDER, most_mib * MEBIBYTE

    def read(self, peer: str, part: PartitionOffer) -> KeptPartition | None:
        """The offered partition version, None when it is not kept or its file is damaged."""
        path = self._file(peer, part)
        try:
            stat = path.stat()
            return _open(path, (stat.st_ino, stat.st_mtime_ns), part.buckets, part.root, part.entry_size)
        except (OSError, ValueError):
            return None

    def drop(self, peer: str, part: PartitionOffer) -> None:
        """Remove a damaged file."""
        self._file(peer, part).unlink(missing_ok=True)

    def has_room(self, peer: str, part: PartitionOffer) -> bool:
        """Whether there is room for a partition, which replaces its own older versions."""
        others = (file for file in self._folder.glob("*.hqp") if not self._is_of(file, peer, part))
        size = part.entries * part.entry_size + part.buckets * _HEAD_SIZE + len(MAGIC)
        try:
            return sum(file.stat().st_size for file in others) + size <= self._most
        except OSError:
            return False

    def keeper(self, peer: str, part: PartitionOffer) -> "Keeper | None":
        """A writer that keeps a partition while it is fetched; None where there is no room for it."""
        if not self.has_room(peer, part):
            return None
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            older = [file for file in self._folder.glob("*.hqp") if self._is_of(file, peer, part)]
            return Keeper(self._file(peer, part), part.buckets, older)
        except OSError:
            return None

    def _is_of(self, file: Path, peer: str, part: PartitionOffer) -> bool:
        return file.name.startswith(f"{peer}-{part.item}-{part.origin}-")

    def _file(self, peer: str, part: PartitionOffer) -> Path:
        return self._folder / f"{peer}-{part.item}-{part.origin}-{part.root.hex()[:32]}.hqp"


class Keeper:
    """Writes verified buckets, all of a partition in order; the file appears after the last one.

    After an error of the disk the partition is not kept; the query continues.
    """

    def __init__(self, target: Path, buckets: int, older: Sequence[Path]) -> None:
        """Raises OSError."""
        self._target, self._buckets, self._older = target, buckets, older
        self._leaves: list[bytes] = []
        self._sizes: list[int] = []
        self._new = NewFile(target, PRIVATE)
        self._failed = False
        self._new.file.seek(len(MAGIC) + _HEAD_SIZE * buckets)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with suppress(OSError), self._new:
            if kind is None and not self._failed and len(self._leaves) == self._buckets:
                self._publish()

    def add(self, buckets: Sequence[tuple[int, bytes]]) -> None:
        """The next buckets, verified."""
        if self._failed:
            return
        try:
            for number, entries in buckets:
                self._new.file.write(entries)
                self._leaves.append(index.bucket_leaf(number, entries))
                self._sizes.append(len(entries))
        except OSError:
            self._failed = True

    def _publish(self) -> None:
        self._new.file.seek(0)
        self._new.file.write(MAGIC + b"".join(self._leaves) + np.array(self._sizes, dtype="<u4").tobytes())
        self._new.publish()
        for old in self._older:
            if old != self._target:
                old.unlink(missing_ok=True)


@lru_cache(maxsize=16)
def _open(path: Path, _state: tuple[int, int], buckets: int, root: bytes, size: int) -> KeptPartition:
    """A mapped file, cached because most queries use the same partitions. A changed state is another file."""
    return KeptPartition(path, buckets, root, size)
