"""Syncs the mirrors of peers' partitions: by command, by the client library, and on a schedule."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from matcher.retrieval_plan import Reason
from node.context import Node
from node.database import peers as peer_rows
from node.database.leases import Lease
from node.domain.peers import PeerRow
from node.errors import CancelledError, NodeError, UnavailableError
from node.jobs.scheduler import Task
from node.mirror.folder import FOLDER, MirrorFolder, State
from node.requester.checkpoint import MemoryCheckpoint
from node.requester.context import QueryContext
from node.requester.mirror_sync import sync_all
from node.requester.point_cache import PointCache
from node.telemetry import log
from node.transport.peer_client import PeerClient

JITTER = 0.25  # of the interval: when a sync comes says nothing about what its requester does
Show = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did. `left` are the partitions that are not mirrored, as item/origin, with the reason."""

    peer: str
    partitions: int
    issued_at: datetime
    bytes_up: int
    bytes_down: int
    seconds: float
    left: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What there is of one partition. `damaged` are buckets that differ from their leaves."""

    item: str
    origin: str
    state: State
    entries: int
    version: int
    damaged: tuple[int, ...] = ()


class _SyncCheckpoint(MemoryCheckpoint):
    """Shows the progress of a sync, and stops it."""

    def __init__(self, show: Show, stopping: threading.Event) -> None:
        super().__init__()
        self._show, self._stopping = show, stopping
        self.done = 0

    def progress(self, state: str, done: int, total: int, epoch: int = 0) -> None:
        """See node.requester.context.Checkpoint."""
        super().progress(state, done, total, epoch)
        if self._stopping.is_set():
            raise CancelledError("the sync was stopped")
        if state == "sync":
            self.done = done
            self._show(done, total)

    def wait(self, seconds: float) -> None:
        """See node.requester.context.Checkpoint."""
        if self._stopping.wait(seconds):
            raise CancelledError("the sync was stopped")


def mirror_of(node: Node, peer: str) -> MirrorFolder:
    """The mirrors of a peer's partitions in a home."""
    most, own = node.config.requester.mirror_mib, node.catalogue.definitions
    return MirrorFolder(node.config.folder / FOLDER, peer, most, own)


def sync_peer(
    node: Node,
    peer: PeerRow,
    show: Show = lambda _done, _total: None,
    stopping: threading.Event | None = None,
) -> Synced:
    """Bring all granted partitions of a peer up to date. What a stopped sync fetched is not fetched again.

    Raises NodeError kinds; CancelledError soon after `stopping` is set.
    """
    stopping = stopping or threading.Event()
    checkpoint, began = _SyncCheckpoint(show, stopping), time.monotonic()
    while True:
        before = checkpoint.done
        try:
            return _sync_once(node, peer, checkpoint, stopping, began)
        except UnavailableError:
            if checkpoint.done <= before or stopping.is_set():
                raise
            # A large partition takes longer than one call may: it goes on where it stopped.


def _sync_once(
    node: Node, peer: PeerRow, checkpoint: _SyncCheckpoint, stopping: threading.Event, began: float
) -> Synced:
    deadline = node.clock() + timedelta(seconds=node.config.limits.part_timeout_s)
    points = PointCache(node.keys.salts, ())
    with PeerClient.open(node, peer, checkpoint.count, stopping.is_set) as link:
        context = QueryContext.of(node, peer, link, checkpoint, points, deadline)
        offer = sync_all(context)
    left = {place: why for place, why in context.reasons.items() if why in (Reason.NO_ROOM, Reason.DISK)}
    return Synced(
        peer=peer.code,
        partitions=len(offer.content.partitions) - len(left),
        issued_at=offer.content.issued_at,
        bytes_up=checkpoint.bytes_up,
        bytes_down=checkpoint.bytes_down,
        seconds=time.monotonic() - began,
        left=tuple(("/".join(place), why.value) for place, why in sorted(left.items())),
    )


def read_mirror(node: Node, peer: str, *, verify: bool = False) -> tuple[datetime | None, list[Mirrored]]:
    """When the newest manifest was issued, and the state of each partition that it grants.

    `verify` reads every entry, and removes what is damaged, so that the next sync fetches it. Without a
    manifest nothing is known of the partitions.
    """
    folder = mirror_of(node, peer)
    kept = next(iter(folder.manifests()), None)
    if kept is None:
        return None, []
    found = []
    for part in kept.content.partitions:
        state, damaged = folder.state(part), tuple[int, ...]()
        if verify and state is State.WHOLE:
            file = folder.read(part)
            damaged = () if file is None else tuple(file.damaged())
            if file is None or damaged:
                state = State.DAMAGED
                folder.drop(part)
        found.append(Mirrored(part.item, part.origin, state, part.entries, part.version, damaged))
    return kept.content.issued_at, found


def mirror_tasks(node: Node) -> Sequence[Task]:
    """The scheduled sync, where the configuration has one; jitter is drawn once a process and once a peer."""
    hours = node.config.requester.mirror_sync_hours
    if not hours:
        return ()
    every = timedelta(hours=hours) * (1 - JITTER * random.SystemRandom().random())
    return (Task("mirrors", every, lambda lease: _sync_every_peer(node, lease, every)),)


def _sync_every_peer(node: Node, lease: Lease, every: timedelta) -> None:
    with node.store.transaction("list peers") as tx:
        peers = [peer for peer in peer_rows.list_peers(tx) if not peer.paused]
    draw = random.SystemRandom()
    draw.shuffle(peers)
    for place, peer in enumerate(peers):
        if place and lease.stopping.wait(draw.uniform(0, every.total_seconds() * JITTER / 60 / len(peers))):
            return
        try:
            done = sync_peer(node, peer, stopping=lease.stopping)
        except NodeError as error:
            log.get_logger().warning("mirror_not_synced", peer=peer.code, code=error.code)
        else:
            log.get_logger().info(
                "mirror_synced", peer=peer.code, bytes=done.bytes_down, seconds=done.seconds
            )
