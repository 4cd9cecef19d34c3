"""Which peers a job asks that names none: all that offer one of its items and grant it (domain.md section 6).

Decided by the peers' manifests, never by a number's first digits: these tell where a person was registered
first. A peer is left out only where its own manifest says that it has nothing to answer, or where it does not
admit this node. One that is away, or with which something is wrong, is asked: its part waits, or says what is
wrong.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final

from node.context import Node
from node.database import peers as peer_rows
from node.domain.peers import PeerRow
from node.errors import CancelledError, NodeError, RefusedError, UnknownCallerError
from node.jobs.mirrors import mirror_of
from node.mirror.folder import FRESH
from node.requester.checkpoint import MemoryCheckpoint
from node.requester.context import QueryContext
from node.requester.handshake import fetch_offer
from node.requester.point_cache import PointCache
from node.transport.peer_client import PeerClient
from node.wire.manifest import Manifest

NOT_OFFERED, NOT_GRANTED, NOT_ADMITTED = "not_offered", "not_granted", "not_admitted"
_AT_ONCE: Final = 8  # peers whose manifests are fetched at the same time


@dataclass(frozen=True, slots=True)
class PeerChoice:
    """The peers that a job asks, and the others with the reason why each was left out."""

    asked: tuple[str, ...]
    left_out: Mapping[str, str]


def choose_peers(node: Node, items: Collection[str], stopping: Callable[[], bool]) -> PeerChoice:
    """Consider every peer that this node knows. Raises CancelledError soon after `stopping`."""
    with node.store.transaction("list peers") as tx:
        known = peer_rows.list_peers(tx)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="manifest") as pool:
        reasons = list(pool.map(partial(_reason, node, items, stopping), known))
    if stopping():
        raise CancelledError("the node is stopping")
    found = dict(zip([peer.code for peer in known], reasons, strict=True))
    return PeerChoice(
        tuple(peer for peer, reason in found.items() if not reason),
        {peer: reason for peer, reason in found.items() if reason},
    )


def _reason(node: Node, items: Collection[str], stopping: Callable[[], bool], peer: PeerRow) -> str:
    """Why a peer is left out; empty where it is asked. The part of one that is paused waits, and says so."""
    if peer.paused:
        return ""
    try:
        manifest = _kept(node, peer) or _fetch(node, peer, stopping)
    except (RefusedError, UnknownCallerError):
        return NOT_ADMITTED
    except NodeError:  # its part waits for it, or says what is wrong
        return ""
    if any(manifest.has(item) for item in items):
        return ""
    return NOT_GRANTED if set(items) & set(manifest.items) else NOT_OFFERED


def _kept(node: Node, peer: PeerRow) -> Manifest | None:
    """The manifest of the peer's mirror, if a job would use it as it is."""
    now = node.clock()
    newest = next(iter(mirror_of(node, peer.code).manifests()), None)
    if newest is None or not timedelta(0) <= now - newest.content.issued_at <= FRESH:
        return None
    return newest.content


def _fetch(node: Node, peer: PeerRow, stopping: Callable[[], bool]) -> Manifest:
    checkpoint, limits = MemoryCheckpoint(), node.config.limits
    deadline = node.clock() + timedelta(seconds=limits.call_timeout_s)
    with PeerClient.open(node, peer, checkpoint.count, stopping) as link:
        context = QueryContext.of(node, peer, link, checkpoint, PointCache(node.keys.salts, ()), deadline)
        once = context.settings.model_copy(update={"retry_attempts": 1})
        return fetch_offer(replace(context, settings=once), link.get_manifest).content
