"""Filters of peers' partitions that this node downloaded, kept as files named by their digest.

The digest in the peer's signed manifest names the file, so that a stale or altered file is never used:
it has another name, or its bytes do not have that digest.
"""

import mmap
from functools import lru_cache
from pathlib import Path

from blake3 import blake3

from keys.store.atomic_files import PRIVATE, replace
from matcher import filter as filters
from matcher.errors import FilterError
from node.errors import UnavailableError
from node.wire.manifest import PartitionOffer

FOLDER = "cache/filters"


class FilterCache:
    """A folder with one file for each peer, item and origin: the newest downloaded filter."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def holds(self, peer: str, part: PartitionOffer) -> bool:
        """Whether the filter of this partition version is kept."""
        return self._file(peer, part).is_file()

    def read(self, peer: str, part: PartitionOffer) -> filters.Filter | None:
        """The filter of this version, None when it is not kept or its file is damaged."""
        path = self._file(peer, part)
        try:
            stat = path.stat()
            return _open(
                path, (stat.st_ino, stat.st_mtime_ns, stat.st_size), part.filter_digest, part.entries
            )
        except (OSError, ValueError, FilterError):
            return None

    def keep(self, peer: str, part: PartitionOffer, data: bytes) -> None:
        """Keep a verified filter in place of an older one. Raises UnavailableError for a disk error."""
        target = self._file(peer, part)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace(target, data, PRIVATE)
            for old in self._folder.glob(f"{self._name(peer, part)}-*.hqf"):
                if old != target:
                    old.unlink(missing_ok=True)
        except OSError:
            raise UnavailableError(
                "a peer's filter cannot be kept", "check the disk that holds this node's home"
            ) from None

    def _name(self, peer: str, part: PartitionOffer) -> str:
        return f"{peer}-{part.item}-{part.origin}"

    def _file(self, peer: str, part: PartitionOffer) -> Path:
        return self._folder / f"{self._name(peer, part)}-{part.filter_digest.hex()[:32]}.hqf"


def parse_filter(data: bytes | memoryview, digest: bytes, entries: int) -> filters.Filter:
    """Check a filter against digest and count in the signed manifest. Raises FilterError."""
    if blake3(data).digest() != digest:
        raise FilterError("a filter is not the one in the signed manifest")
    found = filters.parse(data)
    if found.entries != entries:
        raise FilterError("a filter is of another number of entries")
    return found


@lru_cache(maxsize=16)
def _open(path: Path, _state: tuple[int, int, int], digest: bytes, entries: int) -> filters.Filter:
    """A mapped file, verified once: a query about one person must not read ten million entries.

    A changed state is another file. Raises OSError, ValueError (an empty file), FilterError.
    """
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return parse_filter(memoryview(data), digest, entries)
