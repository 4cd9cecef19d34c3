"""Brings the mirrors of a peer up to date, and opens queries on them (design.md 3.3).

A job uses mirrors whose manifest is at most 24 hours old as they are, under that manifest, so that nothing it
fetches depends on the people it asks about. Only what is older or missing is brought up to date, and then all
granted partitions of the job's items.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from matcher.retrieval_plan import Reason
from node.errors import ConflictError, EpochError, NodeError, PartitionVersionError, UnavailableError
from node.mirror.folder import KeptManifest, MirrorFolder
from node.requester.context import OpenSession, QueryContext
from node.requester.handshake import (
    RESTARTS,
    Offer,
    change_manifest,
    check_kept,
    fetch_offer,
    start_session,
)
from node.requester.partition_fetch import Fetch
from node.requester.trusted_manifest import require_same_batch
from node.telemetry import log
from node.wire.manifest import Manifest, PartitionOffer

_LOCK_WAIT_S = 0.5


def open_query(
    context: QueryContext,
    items: Sequence[str],
    wanted: Collection[str],
    *,
    before: OpenSession | None = None,
    refused: bytes = b"",
) -> OpenSession:
    """A new query about items of one class: its manifest and a fresh seed.

    `wanted` are the items of all queries of the part, whose partitions are mirrored. The manifest is that of
    the query `before`, unless it has expired; `refused` is one that the peer no longer accepts. Raises
    NodeError kinds.
    """
    context.checkpoint.progress("manifest", 0, 0)
    if before is None or before.manifest.expires_at < context.clock():
        return start_session(context, items, find_offer(context, wanted, refused))
    kept = before.session
    return start_session(context, items, check_kept(context, kept.manifest, kept.signature, before.manifest))


def renew_query(context: QueryContext, opened: OpenSession, items: Collection[str]) -> OpenSession:
    """The same query under newer partition versions of some items. Raises EpochError, OfferChangedError."""
    offer = find_offer(context, items, opened.session.manifest)
    require_same_batch(offer.content, opened.manifest, opened.layout)
    return change_manifest(context, opened, offer)


def find_offer(context: QueryContext, items: Collection[str], refused: bytes = b"") -> Offer:
    """A manifest for a query, with the granted partitions of its items in the mirror where that has room."""
    folder = context.mirror
    if folder is None:
        return fetch_offer(context, context.calls.get_manifest)
    kept = _use_kept(context, folder, items, refused)
    if kept is not None:
        return kept
    with _locked(context, folder):
        kept = _use_kept(context, folder, items, refused)  # another process may have been quicker
        if kept is not None:
            return kept
        offer = fetch_offer(context, context.calls.get_manifest)
        older = _whole_epoch(folder, items)
        if context.is_scheduled and older not in (None, offer.content.epoch):
            # The schedule fetches the new epoch; meanwhile the old one answers.
            try:
                return _Sync(context, folder, items, epoch=older or 0).run()
            except (EpochError, PartitionVersionError):
                pass
        return _Sync(context, folder, items).run(offer)


def sync_all(context: QueryContext) -> Offer:
    """Bring all granted partitions up to date; those unused for a week make room for others.

    Why a partition is not mirrored is in `context.reasons`. Raises NodeError kinds.
    """
    folder = context.mirror
    if folder is None:
        raise UnavailableError("this caller keeps no mirrors")
    with _locked(context, folder):
        return _Sync(context, folder, None, make_room=True).run()


def _use_kept(
    context: QueryContext, folder: MirrorFolder, items: Collection[str], refused: bytes
) -> Offer | None:
    """The newest usable manifest of the mirror, if it still holds."""
    kept = folder.usable(items, context.clock())
    if kept is None or kept.serialised == refused:
        return None
    try:
        offer = check_kept(context, kept.serialised, kept.signature, kept.content)
    except NodeError:  # another catalogue, salt, or key by now: asked for anew, which says what is wrong
        return None
    context.reasons.update({_place(part): Reason.KEPT for part in _wanted(kept.content, items)})
    return offer


def _whole_epoch(folder: MirrorFolder, items: Collection[str]) -> int | None:
    """The epoch of the newest manifest, of any age, under which all partitions of the items are whole."""
    for kept in folder.manifests():
        parts = _wanted(kept.content, items)
        if parts and all(map(folder.is_whole, parts)):
            return kept.content.epoch
    return None


@contextmanager
def _locked(context: QueryContext, folder: MirrorFolder) -> Iterator[None]:
    """Wait until no other process changes the folder. Raises CancelledError when the part must stop."""
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(folder.lock())
            except ConflictError:
                context.checkpoint.wait(_LOCK_WAIT_S)
            except OSError:
                # Without a folder that can be written, queries fetch buckets.
                break
            else:
                break
        yield


@dataclass
class _Sync:
    """One run over the granted partitions of some items, or of all (None)."""

    context: QueryContext
    folder: MirrorFolder
    items: Collection[str] | None
    make_room: bool = False
    epoch: int = 0
    moved: int = 0
    total: int = 0

    def run(self, offer: Offer | None = None) -> Offer:
        """Until all partitions of one manifest are there, however often the peer publishes meanwhile."""
        stalled, before = 0, -1
        while True:
            offer = offer or self._fetch_offer()
            try:
                self._bring_up(offer.content)
            except (PartitionVersionError, EpochError):
                stalled = 0 if self.moved > before else stalled + 1
                if stalled >= RESTARTS or self.epoch:
                    raise
                before, offer = self.moved, None
                continue
            self._keep(offer)
            return offer

    def _fetch_offer(self) -> Offer:
        get = self.context.calls.get_manifest
        if not self.epoch:
            return fetch_offer(self.context, get)
        return fetch_offer(self.context, partial(get, self.epoch), older_epoch=True)

    def _bring_up(self, manifest: Manifest) -> None:
        missing = [part for part in _wanted(manifest, self.items) if not self._is_there(part)]
        fitting = [part for part in missing if self._fits(part)]
        self.total = self.moved + sum(part.entries * part.entry_size for part in fitting)
        for part in fitting:
            end = self.moved + part.entries * part.entry_size
            self._show(manifest.epoch)

            def count(size: int, epoch: int = manifest.epoch) -> None:
                self.moved += size
                self._show(epoch)

            try:
                Fetch(self.context, self.folder, part, count).run()
            except OSError as error:
                log.get_logger().warning(
                    "mirror_not_written", peer=self.folder.peer, kind=type(error).__name__
                )
                with suppress(OSError):  # a full disk stops other work too
                    self.folder.unfinished(part).unlink(missing_ok=True)
                self.context.reasons[_place(part)] = Reason.DISK
                continue
            self.moved = end
            self.context.reasons[_place(part)] = Reason.SYNCED

    def _is_there(self, part: PartitionOffer) -> bool:
        if not self.folder.is_whole(part):
            return False
        self.folder.note_version(part)
        self.context.reasons[_place(part)] = Reason.SYNCED
        return True

    def _fits(self, part: PartitionOffer) -> bool:
        fits = (
            self.folder.make_room(part, self.context.clock())
            if self.make_room
            else self.folder.has_room(part)
        )
        if not fits:
            self.context.reasons[_place(part)] = Reason.NO_ROOM
        return fits

    def _show(self, epoch: int) -> None:
        self.context.checkpoint.progress("sync", self.moved, self.total, epoch)

    def _keep(self, offer: Offer) -> None:
        kept = KeptManifest(offer.serialised, offer.signature, offer.content)
        try:
            self.folder.keep(kept, self.context.clock())
        except (OSError, UnavailableError):
            log.get_logger().warning("mirror_not_written", peer=self.folder.peer, kind="manifest")


def _wanted(manifest: Manifest, items: Collection[str] | None) -> list[PartitionOffer]:
    return [part for part in manifest.partitions if items is None or part.item in items]


def _place(part: PartitionOffer) -> tuple[str, str]:
    return part.item, part.origin
