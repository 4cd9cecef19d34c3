"""The mirrors of one peer's partitions on disk, which several processes share (docs/data-model.md).

    mirror/<peer>/<item>-<origin>-<root>.hqm    a whole partition, named by its Merkle root
    mirror/<peer>/<item>-<origin>-<epoch>.part  one that is being fetched
    mirror/<peer>/<digest>.manifest             signature (64) and bytes of a manifest that was mirrored
    mirror/<peer>/lock                          held by the process that changes the folder

Files appear and are replaced whole, so readers need no lock. A reader keeps the file that it has open.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

from keys.store.locks import hold_lock
from node.errors import ConflictError, DishonestPeerError
from node.files import write_atomically
from node.mirror.partition_file import Head, PartitionFile, file_size, read_head, renumber
from node.wire.manifest import Manifest, PartitionOffer, comparable_part, digest
from node.wire.match import parse_manifest

FOLDER: Final = "mirror"
MEBIBYTE: Final = 1_048_576
FRESH: Final = timedelta(hours=24)  # a mirror whose manifest is not older is used as it is
IN_USE: Final = timedelta(days=7)  # a mirror that was used since is not removed to make room
_ENDINGS = ("hqm", "part", "carry")
_SIGNATURE = 64
_NOTE_USE_S = 3_600.0


class State(StrEnum):
    """What there is of a partition."""

    ABSENT = "absent"
    PARTIAL = "partial"
    WHOLE = "whole"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class KeptManifest:
    """A manifest under which partitions were mirrored; its signature was verified when it came."""

    serialised: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    content: Manifest = field(repr=False)

    @property
    def name(self) -> str:
        """Its file."""
        return f"{digest(self.serialised).hex()}.manifest"


class MirrorFolder:
    """The mirrors of one peer; `most_mib` bounds those of all peers together, where they share `root`.

    With the definitions `own` of this node, manifests are read without what cannot be compared.
    """

    def __init__(self, root: Path, peer: str, most_mib: int, own: Mapping[str, bytes] | None = None) -> None:
        self.root, self.peer, self._own = root, peer, own
        self.folder, self._most = root / peer, most_mib * MEBIBYTE

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder while it is changed. Raises ConflictError while another process does, OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        busy = ConflictError("another process brings this mirror up to date", "wait until it has ended")
        with hold_lock(self.folder / "lock", busy, create=True):
            yield

    # ---- partitions
    def target(self, part: PartitionOffer) -> Path:
        """The file of a whole partition."""
        return self.folder / f"{part.item}-{part.origin}-{part.root.hex()}.hqm"

    def unfinished(self, part: PartitionOffer) -> Path:
        """The file of a partition that is being fetched."""
        return self.folder / f"{part.item}-{part.origin}-{part.epoch}.part"

    def is_whole(self, part: PartitionOffer) -> bool:
        """Whether the offered version is there, by its name and its head."""
        return self.read(part) is not None

    def read(self, part: PartitionOffer) -> PartitionFile | None:
        """The offered version, None where it is not there or its file is damaged."""
        path = self.target(part)
        try:
            stat = path.stat()
            found = _open(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size), part.root)
        except (OSError, ValueError):
            return None
        head = found.head
        same = (head.item, head.origin, head.epoch, head.bits, head.entry_size)
        if same != (part.item, part.origin, part.epoch, part.bits, part.entry_size):
            return None
        _note_use(path, stat.st_atime)
        return found

    def state(self, part: PartitionOffer) -> State:
        """What there is of the offered version; only `verify` reads its entries."""
        if self.read(part) is not None:
            return State.WHOLE
        if self.target(part).exists():
            return State.DAMAGED
        return State.PARTIAL if self.unfinished(part).exists() else State.ABSENT

    def base(self, part: PartitionOffer) -> PartitionFile | None:
        """The newest whole older version of the same partition and epoch, from which a delta may lead."""
        found: list[PartitionFile] = []
        for path in self._files(part):
            try:
                head = read_head(path)
                if (head.epoch, head.bits, head.entry_size) == (part.epoch, part.bits, part.entry_size):
                    found.append(PartitionFile(path, head.root))
            except (OSError, ValueError):
                continue
        older = [one for one in found if one.head.version < part.version]
        return max(older, key=lambda one: one.head.version, default=None)

    def note_version(self, part: PartitionOffer) -> None:
        """Write the number of the offered version to the file of the same root. Raises OSError."""
        path = self.target(part)
        head = read_head(path)
        if head.version != part.version:
            renumber(path, Head.of(part, suspect=head.suspect))

    def drop(self, part: PartitionOffer) -> None:
        """Remove a damaged file."""
        self.target(part).unlink(missing_ok=True)

    def _files(self, part: PartitionOffer) -> list[Path]:
        return sorted(self.folder.glob(f"{part.item}-{part.origin}-*.hqm"))

    # ---- room
    def has_room(self, part: PartitionOffer) -> bool:
        """Whether there is room for a partition, which replaces its own older versions."""
        own = {*self._files(part), self.unfinished(part)}
        used = sum(size for path, size, _ in self._sizes() if path not in own)
        return used + file_size(part) <= self._most

    def make_room(self, part: PartitionOffer, now: datetime) -> bool:
        """Remove mirrors that no job has used for a week, the longest unused first, until a partition fits.

        Nothing is removed where that would not be enough. Returns whether it fits.
        """
        if self.has_room(part):
            return True
        own = {*self._files(part), self.unfinished(part)}
        others = [one for one in self._sizes() if one[0] not in own]
        missing = sum(size for _, size, _ in others) + file_size(part) - self._most
        oldest = (now - IN_USE).timestamp()
        chosen: list[Path] = []
        for path, size, used in sorted(others, key=lambda one: one[2]):
            if missing <= 0 or used >= oldest:
                break
            chosen.append(path)
            missing -= size
        if missing > 0:
            return False
        for path in chosen:
            path.unlink(missing_ok=True)
        return True

    def bytes_used(self) -> int:
        """Bytes of this peer's files."""
        return sum(size for path, size, _ in self._sizes() if path.parent == self.folder)

    def _sizes(self) -> Iterator[tuple[Path, int, float]]:
        """All files of all peers with their sizes and the time of their last use."""
        for path in (path for ending in _ENDINGS for path in self.root.glob(f"*/*.{ending}")):
            with suppress(OSError):
                stat = path.stat()
                yield path, stat.st_size, max(stat.st_atime, stat.st_mtime)

    # ---- manifests
    def manifests(self) -> list[KeptManifest]:
        """The manifests whose partitions were fetched, the newest first; damaged files are left out."""
        found = []
        for path in self.folder.glob("*.manifest"):
            with suppress(OSError, DishonestPeerError):
                stat = path.stat()
                kept = _read_manifest(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size))
                if kept.name == path.name:
                    found.append(self._comparable(kept))
        return sorted(found, key=lambda one: one.content.issued_at, reverse=True)

    def _comparable(self, kept: KeptManifest) -> KeptManifest:
        if self._own is None:
            return kept
        return replace(kept, content=comparable_part(kept.content, self._own))

    def usable(self, items: Iterable[str], now: datetime) -> KeptManifest | None:
        """The newest fresh manifest under which every granted partition of some items is whole."""
        codes = set(items)
        for kept in self.manifests():
            wanted = [part for part in kept.content.partitions if part.item in codes]
            is_fresh = now - FRESH <= kept.content.issued_at and now < kept.content.expires_at
            if is_fresh and wanted and all(map(self.is_whole, wanted)):
                return kept
        return None

    def keep(self, new: KeptManifest, now: datetime) -> None:
        """Keep a manifest whose partitions are whole, and remove files and manifests that it replaces.

        Those of another epoch stay until each of their partitions is whole under the new one.
        """
        write_atomically(self.folder / new.name, (new.signature, new.serialised))
        done = {(part.item, part.origin) for part in new.content.partitions if self.is_whole(part)}
        names = {self.target(part).name for part in new.content.partitions}
        for path in self.folder.glob("*.hqm"):
            place = tuple(path.name.split("-")[:2])
            if path.name not in names and place in done:
                path.unlink(missing_ok=True)
        for path in (*self.folder.glob("*.part"), *self.folder.glob("*.carry")):
            place = tuple(path.name.split("-")[:2])
            if place in done or not _is_granted(place, new.content):
                path.unlink(missing_ok=True)
        served = self._whole_items(new)
        for kept in self.manifests():
            is_old = kept.content.issued_at < now - FRESH
            if kept.name != new.name and (is_old or self._whole_items(kept) <= served):
                (self.folder / kept.name).unlink(missing_ok=True)

    def _whole_items(self, kept: KeptManifest) -> set[str]:
        """The items of a manifest with all their partitions."""
        by_item: dict[str, list[PartitionOffer]] = {}
        for part in kept.content.partitions:
            by_item.setdefault(part.item, []).append(part)
        return {item for item, parts in by_item.items() if all(map(self.is_whole, parts))}

    def drop_all(self) -> int:
        """Remove everything of this peer; return the bytes. Raises OSError."""
        freed = self.bytes_used()
        for ending in ("manifest", *_ENDINGS):
            for path in self.folder.glob(f"*.{ending}"):
                path.unlink(missing_ok=True)
        return freed


def _is_granted(place: tuple[str, ...], manifest: Manifest) -> bool:
    return any((part.item, part.origin) == place for part in manifest.partitions)


def _note_use(path: Path, noted: float) -> None:
    """Keep the time of the last use as the file's time of access, once an hour."""
    if time.time() - noted > _NOTE_USE_S:
        with suppress(OSError):
            os.utime(path, (time.time(), path.stat().st_mtime))


@lru_cache(maxsize=64)
def _open(path: Path, _state: tuple[int, int, int], root: bytes) -> PartitionFile:
    """A mapped file, cached because most queries use the same partitions. A changed state is another file."""
    return PartitionFile(path, root)


@lru_cache(maxsize=32)
def _read_manifest(path: Path, _state: tuple[int, int, int]) -> KeptManifest:
    """A kept manifest, parsed once. Raises OSError, DishonestPeerError."""
    data = path.read_bytes()
    return KeptManifest(data[_SIGNATURE:], data[:_SIGNATURE], parse_manifest(data[_SIGNATURE:]))
