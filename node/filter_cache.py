"""Filters of peers' partitions that this node downloaded, kept as files under their digest.

The digest in the peer's signed manifest names the file, so that a stale or altered file is never used:
it has another name, or its bytes do not have that digest.
"""

import os
import secrets
from pathlib import Path

from blake3 import blake3

from matcher import filter as filters
from matcher.errors import FilterError
from node.errors import UnavailableError
from node.manifest import PartitionOffer

FOLDER = "cache/filters"


class FilterCache:
    """A folder with one file for each peer, item and origin: the newest filter seen."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def holds(self, peer: str, part: PartitionOffer) -> bool:
        """Whether the very filter of this partition version is here."""
        return self._file(peer, part).is_file()

    def read(self, peer: str, part: PartitionOffer) -> filters.Filter | None:
        """The filter of this version, None when it is not here or its file is damaged."""
        try:
            data = self._file(peer, part).read_bytes()
            return parse_filter(data, part)
        except (OSError, FilterError):
            return None

    def keep(self, peer: str, part: PartitionOffer, data: bytes) -> None:
        """Keep a verified filter in place of an older one. Raises UnavailableError when the disk refuses."""
        target = self._file(peer, part)
        partial = target.with_suffix(f".{secrets.token_hex(4)}.part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial.write_bytes(data)
            partial.chmod(0o600)
            os.replace(partial, target)  # noqa: PTH105 - replaces atomically
            for old in self._folder.glob(f"{self._name(peer, part)}-*.hqf"):
                if old != target:
                    old.unlink(missing_ok=True)
        except OSError:
            partial.unlink(missing_ok=True)
            raise UnavailableError(
                "a peer's filter cannot be kept", "check the disk that holds this node's home"
            ) from None

    def _name(self, peer: str, part: PartitionOffer) -> str:
        return f"{peer}-{part.item}-{part.origin}"

    def _file(self, peer: str, part: PartitionOffer) -> Path:
        return self._folder / f"{self._name(peer, part)}-{part.filter_digest.hex()[:32]}.hqf"


def parse_filter(data: bytes, part: PartitionOffer) -> filters.Filter:
    """Check a filter against the signed manifest. Raises FilterError."""
    if blake3(data).digest() != part.filter_digest:
        raise FilterError("a filter is not the one in the signed manifest")
    found = filters.parse(data)
    if found.entries != part.entries:
        raise FilterError("a filter is of another number of entries")
    return found
