"""Refusals before any work: an unknown salt, an epoch that is not served, an unknown item."""

from datetime import date
from functools import lru_cache

from matcher import merkle
from matcher.types import Level
from node.context import Node
from node.domain.catalogue import Item
from node.domain.days import FIRST_DAY, china_day
from node.domain.mandate import LEGAL_BASIS, MONITORING, PROGRAMMES
from node.domain.peers import PeerRow
from node.domain.watches import MOST_KEPT_DAYS
from node.errors import (
    EpochError,
    InvalidPointsError,
    InvalidRequestError,
    ItemNotOfferedError,
    RefusedError,
    SaltError,
)
from node.wire.match_messages import EvaluateStart


def require_epoch(node: Node, epoch: int) -> bytes:
    """The key of an epoch that is answered: the active one, or one before in its grace. Raises EpochError."""
    key = node.keys.oprf_of(epoch, node.clock())
    if key is None:
        # Another process of this province may just have switched.
        current = node.ring.refresh()
        key = current.oprf_of(epoch, node.clock())
        if key is None:
            raise EpochError(
                "this epoch is not current", "fetch the manifest again", {"epoch": str(current.epoch)}
            )
    return key


def require_salt(node: Node, epoch: int, version: int) -> None:
    """Raises SaltError unless a query of this epoch is under the salt that the epoch was made with."""
    keys = node.keys
    if version != keys.salt_version_of(epoch, node.clock()):
        raise salt_error(keys.salt_version)


def salt_error(version: int) -> SaltError:
    """The refusal of another salt than `version`, which is current here."""
    return SaltError(
        "this salt version is not current",
        "the federation's administrator issues the current salt",
        {"salt_version": str(version)},
    )


def require_granted(peer: PeerRow, item: Item, origin: str | None = None) -> None:
    """Raises RefusedError unless the peer is granted the item about people of an origin, or of any."""
    origins = peer.origins_of(item)
    if not origins:
        raise RefusedError(
            "this peer is not granted an item that it asks for",
            "the two administrators agree on grants; see `heqiao peers grant`",
            {"rule": "item_not_granted"},
        )
    if origin is not None and origin not in origins:
        raise RefusedError(
            "this peer is not granted the people of this origin",
            "the two administrators agree on grants; see `heqiao peers grant`",
            {"rule": "origin_not_granted"},
        )


def require_known_items(node: Node, peer: PeerRow, start: EvaluateStart) -> None:
    """Items, purpose and legal basis of a start must be known, the items granted, and its size allowed.

    Raises ItemNotOfferedError, RefusedError, InvalidRequestError, InvalidPointsError.
    """
    for code in start.items:
        if code not in node.catalogue.codes:
            raise ItemNotOfferedError("an item is not in this node's catalogue")
        item = node.catalogue.item(code)
        if not item.is_shared:
            raise RefusedError("an item is not shared with other provinces", details={"rule": "not_shared"})
        if item.level is Level.AGGREGATE:
            raise RefusedError("an item is answered as a sum only", details={"rule": "aggregate_only"})
        if item.token_class is not start.token_class:
            raise RefusedError(
                "an item is not of the query's class", "one query for each class", {"rule": "item_class"}
            )
        require_granted(peer, item)
    if start.purpose not in PROGRAMMES:
        raise InvalidRequestError("the purpose is not one of the catalogue's codes")
    require_monitoring(peer, start, china_day(node.clock()))
    if not start.legal_basis or not LEGAL_BASIS.fullmatch(start.legal_basis):
        # It goes into the audit chain, which must never contain an identity number.
        raise InvalidRequestError("a query needs a legal basis, and it must be a code")
    if start.points_announced > node.config.limits.max_points_per_query:
        raise InvalidPointsError("more points announced than one query may hold", "split the query")


def require_monitoring(peer: PeerRow, start: EvaluateStart, today: date) -> None:
    """Tokens are kept for monitoring only, for one epoch at most, and where the peer may monitor.

    Raises RefusedError (`monitoring_not_granted`), InvalidRequestError.
    """
    monitors = start.purpose == MONITORING
    if monitors and not peer.allow_monitoring:
        raise RefusedError(
            "this peer is not granted monitoring",
            "the two administrators agree on it; see `heqiao peers grant --monitoring`",
            {"rule": "monitoring_not_granted"},
        )
    if not start.tokens_until:
        return
    left = start.tokens_until - (today - FIRST_DAY).days
    # A day more or less: the two clocks may be on two days.
    if not monitors or not -1 <= left <= MOST_KEPT_DAYS + 1:
        raise InvalidRequestError(
            "tokens are kept for monitoring only, and not longer than an epoch lasts",
            f"at most {MOST_KEPT_DAYS} days",
        )


@lru_cache(maxsize=32)
def merkle_tree(leaves: bytes) -> list[list[bytes]]:
    """All levels over a partition's bucket digests; cached, because most queries use the same partitions."""
    size = merkle.DIGEST_SIZE
    return merkle.levels([leaves[at : at + size] for at in range(0, len(leaves), size)])
