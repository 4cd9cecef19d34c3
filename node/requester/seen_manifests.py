"""Refuses a peer's manifest that is older than one seen before (design.md 3.3).

Epochs, versions of partitions and the time of issue are kept for each peer and salt version. Of several
processes of a peer one may be a moment behind: that is asked again, for a minute.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from node.clock import Clock
from node.database import Connection, Store
from node.database import seen_manifests as rows
from node.database.seen_manifests import SeenManifest
from node.errors import DishonestPeerError
from node.wire.manifest import Manifest

ISSUED_BACK: Final = timedelta(minutes=5)
BEHIND: Final = timedelta(seconds=60)  # for so long after a rise another process may not know of it
TRIES: Final = 3  # at a newer manifest
NOTE_EVERY: Final = timedelta(minutes=1)  # the time of issue alone is written no more often


class BehindError(Exception):
    """The manifest is older than one seen within the last minute: the peer is asked again."""


@dataclass(frozen=True, slots=True)
class SeenManifests:
    """What was seen of one peer. `asked_epoch` of a manifest asked for by its epoch may be a lower one."""

    store: Store = field(repr=False)
    peer: str
    clock: Clock

    def judge(self, manifest: Manifest, *, is_last: bool, older_epoch: bool = False) -> None:
        """Accept a manifest that just came, and keep what is new in it.

        `is_last`: the peer is not asked again. `older_epoch`: an epoch in its grace was asked for. Raises
        BehindError, and DishonestPeerError for one that goes back.
        """
        now = self.clock()
        with self.store.transaction("read seen manifests") as tx:
            seen = rows.read_seen(tx, self.peer, manifest.salt_version)
        if seen is not None:
            self._require_forward(manifest, seen, now, is_last=is_last, older_epoch=older_epoch)
        new = merge(seen, manifest, now, older_epoch=older_epoch)
        if new != seen:

            def write(tx: Connection) -> None:
                held = rows.read_seen(tx, self.peer, manifest.salt_version)
                rows.put_seen(tx, self.peer, merge(held, manifest, now, older_epoch=older_epoch))

            self.store.retry_write("note a manifest", write)

    def _require_forward(
        self, manifest: Manifest, seen: SeenManifest, now: datetime, *, is_last: bool, older_epoch: bool
    ) -> None:
        if manifest.issued_at < seen.issued_at - ISSUED_BACK:
            raise _rolled_back()
        if older_epoch or not goes_back(manifest, seen):
            return
        if not is_last and now <= seen.raised_at + BEHIND:
            raise BehindError
        raise _rolled_back()


def goes_back(manifest: Manifest, seen: SeenManifest) -> bool:
    """Whether the epoch or the version of a partition is below what was seen."""
    held: Mapping[str, int] = json.loads(seen.versions)
    return manifest.epoch < seen.epoch or any(
        part.version < held.get(f"{part.item}/{part.origin}", 0) for part in manifest.partitions
    )


def merge(
    seen: SeenManifest | None, manifest: Manifest, now: datetime, *, older_epoch: bool = False
) -> SeenManifest:
    """What is known after a manifest: the highest of everything."""
    versions: dict[str, int] = {} if seen is None else json.loads(seen.versions)
    before = dict(versions)
    for part in manifest.partitions:
        place = f"{part.item}/{part.origin}"
        versions[place] = max(versions.get(place, 0), part.version)
    if seen is None:
        return SeenManifest(
            manifest.salt_version, manifest.epoch, manifest.issued_at, _pack(versions), raised_at=now
        )
    epoch = seen.epoch if older_epoch else max(seen.epoch, manifest.epoch)
    rose = versions != before or epoch != seen.epoch
    newer = manifest.issued_at > seen.issued_at + (timedelta(0) if rose else NOTE_EVERY)
    return SeenManifest(
        seen.salt_version,
        epoch,
        manifest.issued_at if newer else seen.issued_at,
        _pack(versions),
        now if rose else seen.raised_at,
    )


def _pack(versions: Mapping[str, int]) -> str:
    return json.dumps(dict(sorted(versions.items())), separators=(",", ":"))


def _rolled_back() -> DishonestPeerError:
    return DishonestPeerError(
        "the peer's manifest is older than one it gave before",
        "if the peer was restored from a backup, its administrator publishes all partitions anew "
        "(`heqiao index republish`)",
        {"check": "manifest_rollback"},
    )
