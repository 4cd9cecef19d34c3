"""Compares this node's catalogue with those of its peers, as they are now (docs/catalogue.md)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keys import KeyringError
from matcher import MatcherError
from node.context import Node
from node.database import peers as peer_rows
from node.domain.catalogue_differences import DifferenceKind, ItemDifference, compare_definitions
from node.domain.peers import PeerRow
from node.errors import CatalogueMismatchError, DishonestPeerError, NodeError, NotFoundError
from node.requester import handshake
from node.requester.checkpoint import MemoryCheckpoint
from node.requester.context import QueryContext
from node.requester.point_cache import PointCache
from node.transport.peer_client import PeerClient
from node.wire.catalogue import MOST_DESCRIBED
from node.wire.common import malformed
from node.wire.manifest import Manifest

_AT_ONCE: Final = 8


class ComparisonState(StrEnum):
    """How the catalogues of two nodes compare."""

    SAME = "same"
    DIFFERS = "differs"
    OTHER_MAJOR = "other_major"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class PeerComparison:
    """The catalogue of this node beside that of a peer.

    `version` is the peer's, empty where it is not known; `is_same_document` says that the catalogues are
    equal in all they say. `reason` is the code of the error of a peer that could not be asked.
    """

    peer: str
    state: ComparisonState
    version: str = ""
    items: tuple[ItemDifference, ...] = ()
    is_same_document: bool = False
    reason: str = ""

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The items that both have and define differently."""
        return tuple(one.item for one in self.items if one.kind is DifferenceKind.CONFLICT)


def compare_peers(node: Node, peers: Sequence[PeerRow]) -> list[PeerComparison]:
    """Every peer at once; one that cannot be asked, or is not trusted, is UNAVAILABLE."""
    if not peers:
        return []
    with ThreadPoolExecutor(min(len(peers), _AT_ONCE), thread_name_prefix="catalogue") as pool:
        return list(pool.map(lambda peer: _try_peer(node, peer), peers))


def _try_peer(node: Node, peer: PeerRow) -> PeerComparison:
    try:
        return compare_peer(node, peer)
    except (NodeError, KeyringError, MatcherError) as error:
        return PeerComparison(peer.code, ComparisonState.UNAVAILABLE, reason=error.code)


def compare_known_peer(node: Node, code: str) -> PeerComparison:
    """The peer of a code. Raises NotFoundError where there is none, and as `compare_peer`."""
    with node.store.transaction("find peer") as tx:
        peer = peer_rows.find_peer(tx, code)
    if peer is None:
        raise NotFoundError(f"there is no peer {code}", "`heqiao peers list` lists the peers")
    return compare_peer(node, peer)


def compare_peer(node: Node, peer: PeerRow) -> PeerComparison:
    """Fetch a peer's manifest, and the definitions of what differs. Raises NodeError kinds."""
    checkpoint = MemoryCheckpoint()
    with PeerClient.open(node, peer, checkpoint.count) as calls:
        points = PointCache(node.keys.salts, ())
        query = QueryContext.of(node, peer, calls, checkpoint, points, node.clock())
        serialised, signature = calls.get_manifest()
        try:
            manifest = handshake.check_manifest(query, serialised, signature).content
        except CatalogueMismatchError as error:
            version = error.details.get("catalogue", "")
            return PeerComparison(peer.code, ComparisonState.OTHER_MAJOR, version)
        return compare_manifest(node, peer.code, calls, manifest)


def compare_manifest(node: Node, peer: str, calls: PeerClient, manifest: Manifest) -> PeerComparison:
    """What differs from a peer with a trusted manifest. Raises DishonestPeerError for definitions that are
    not those of the manifest.
    """
    codes = sorted(manifest.conflicts)
    described: dict[str, bytes] = {}
    for at in range(0, len(codes), MOST_DESCRIBED):
        some = codes[at : at + MOST_DESCRIBED]
        described |= dict(zip(some, calls.describe_items(some), strict=True))
    try:
        items = compare_definitions(node.catalogue, manifest.definitions, described)
    except ValueError:
        raise _other_definition() from None
    return PeerComparison(
        peer,
        ComparisonState.DIFFERS if manifest.conflicts else ComparisonState.SAME,
        manifest.catalogue_version,
        items,
        manifest.catalogue_digest == node.catalogue.digest,
    )


def _other_definition() -> DishonestPeerError:
    return malformed("the peer describes an item otherwise than its manifest says", "catalogue_definition")
