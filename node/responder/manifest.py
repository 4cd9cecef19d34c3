"""The signed manifest that a responder offers to one peer (design.md section 3)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from keys.signing_chain import Succession
from matcher.suites.suite import CURRENT
from node.context import Node
from node.credentials.keyring import NodeKeys
from node.database import Connection
from node.database import partitions as index_rows
from node.database import queries as query_rows
from node.database import signing_keys as succession_rows
from node.database import sum_tables as sum_rows
from node.database.imported_items import read_contents
from node.domain.peers import PeerRow
from node.responder.epochs import require_epoch, salt_error
from node.wire import manifest as manifests
from node.wire import match
from node.wire.manifest import Manifest, PartitionOffer, PeerLimits, PlantedSubject
from node.wire.query_head import require_suite
from node.wire.sum_messages import (
    MAX_COHORT_POINTS,
    SumGroupOffer,
    SumOffer,
)

MANIFEST_LIFE = timedelta(hours=24)
MANIFEST_REUSED = timedelta(minutes=5)  # requesters accept a time of issue that goes back by so much
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAX_BUCKETS_PER_REQUEST = 16_384


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A serialised manifest and its signature; `successions` lead to the key from those before it."""

    serialised: bytes
    signature: bytes
    successions: tuple[Succession, ...] = ()


def offer_manifest(
    node: Node,
    peer: PeerRow,
    suites: tuple[str, ...],
    *,
    with_sums: bool = False,
    salt_versions: tuple[int, ...] = (),
    epoch: int = 0,
) -> SignedManifest:
    """Step 1: what this node offers to a peer, signed; of an epoch under a salt that the peer has.

    `epoch` is the one that the peer wants, 0 for the active one. Raises UnknownSuiteError, SaltError,
    EpochError.
    """
    require_suite(CURRENT.name if CURRENT.name in suites else "")
    now, keys = node.clock(), _keys_for(node, salt_versions, epoch)
    with node.store.transaction("offer manifest") as tx:
        chain = succession_rows.served_statements(tx, node.code, now)
        held = index_rows.current_items(tx, keys.epoch)
        contents = read_contents(tx)
        rows = index_rows.offered_partitions(tx, keys.epoch, sorted(peer.origins))
    # An item whose class or content the catalogue changed is not connected until a full import.
    items = {
        item.code: item
        for item in node.catalogue.items
        if item.is_shared
        and held.get(item.code) is item.token_class
        and contents.get(item.code) == item.content
    }
    granted = {code: peer.origins_of(item) for code, item in items.items()}
    offered = Manifest(
        responder=node.code,
        requester=peer.code,
        suites=(CURRENT.name,),
        epoch=keys.epoch,
        salt_version=keys.salt_version,
        salt_check=CURRENT.salt_check(keys.salt),
        catalogue_version=node.catalogue.version,
        catalogue_digest=node.catalogue.digest,
        items=tuple(sorted(items)),
        partitions=tuple(_offer(row) for row in rows if row.origin in granted.get(row.item, ())),
        canaries=keys.canaries,
        limits=_limits(node),
        issued_at=now,
        expires_at=now + MANIFEST_LIFE,
        sums=offer_sums(node, peer, keys) if with_sums else None,
        definitions={item.code: item.definition for item in node.catalogue.items if item.is_shared},
    )
    serialised = _issue(node, offered)
    return SignedManifest(serialised, manifests.sign(serialised, keys.signing), chain)


def _issue(node: Node, offered: Manifest) -> bytes:
    """The bytes of a manifest, noted as issued, so that queries may name it.

    One that says the same is issued again as it was for some minutes, so that asking again costs no rows.
    """
    peer, now = offered.requester, offered.issued_at
    content = manifests.digest(match.manifest_bytes(replace(offered, issued_at=_NEVER, expires_at=_NEVER)))

    def find(tx: Connection) -> datetime | None:
        last = query_rows.last_issued(tx, peer, content)
        return last if last is not None and now - MANIFEST_REUSED < last <= now else None

    def write(tx: Connection) -> bytes:
        last = find(tx)
        if last is not None:
            return _issued(offered, last)
        serialised = match.manifest_bytes(offered)
        query_rows.add_manifest(tx, peer, manifests.digest(serialised), content, now)
        return serialised

    with node.store.transaction("find manifest") as tx:
        last = find(tx)
    return _issued(offered, last) if last is not None else node.store.retry_write("issue a manifest", write)


def _issued(offered: Manifest, at: datetime) -> bytes:
    return match.manifest_bytes(replace(offered, issued_at=at, expires_at=at + MANIFEST_LIFE))


def _keys_for(node: Node, salt_versions: tuple[int, ...], epoch: int) -> NodeKeys:
    """The keys of an epoch that is answered, under a salt that the peer has. Raises EpochError, SaltError."""
    if epoch:
        require_epoch(node, epoch)
    current, now = node.keys, node.clock()
    keys = current.of_epoch(epoch, now) if epoch else current.under_salt(salt_versions, now)
    if keys is None or (salt_versions and keys.salt_version not in salt_versions):
        raise salt_error(current.salt_version)
    return keys


def _limits(node: Node) -> PeerLimits:
    limits = node.config.limits
    return PeerLimits(
        max_message_bytes=limits.max_message_bytes,
        chunk_points=limits.chunk_points,
        max_points_per_query=limits.max_points_per_query,
        max_buckets_per_request=MAX_BUCKETS_PER_REQUEST,
    )


def _offer(row: index_rows.PartitionRow) -> PartitionOffer:
    return PartitionOffer(
        item=row.item,
        origin=row.origin,
        epoch=row.epoch,
        version=row.version,
        entries=row.entries,
        bits=row.bits,
        root=row.root,
        as_of=row.as_of,
        date=row.date,
        record_size=row.record_size,
        planted=tuple(PlantedSubject(name, value) for name, value in row.planted),
    )


def offer_sums(node: Node, peer: PeerRow, current: NodeKeys | None = None) -> SumOffer | None:
    """The offer of sums in the manifest, of the items and areas that the peer is granted; None without keys.

    Rows that another release or another catalogue packed are not offered (node/index/sum_packing.py).
    `current` are the keys of the salt that the peer has, by default those of the active epochs.
    """
    keys = (current or node.keys).sums
    if keys is None:
        return None
    with node.store.transaction("offer sums") as tx:
        groups = sum_rows.granted_groups(tx, keys.epoch, sorted(peer.origins))
        contents = read_contents(tx)
    summed = {
        item.code: item
        for item in node.catalogue.items
        if item.sum is not None and item.is_shared and contents.get(item.code) == item.content
    }
    granted = {code: peer.origins_of(item) for code, item in summed.items()}
    packings = {code: item.sum.packing for code, item in summed.items() if item.sum is not None}
    return SumOffer(
        epoch=keys.epoch,
        modulus=keys.modulus,
        proof=keys.proof,
        canaries=keys.canaries,
        max_cohort_points=min(MAX_COHORT_POINTS, node.config.limits.max_points_per_query),
        groups=tuple(
            SumGroupOffer(g.item, g.prefix, g.version, g.rows, g.digest, g.as_of_from, g.as_of_to)
            for g in groups
            if g.prefix[:2] in granted.get(g.item, ()) and g.packing == packings.get(g.item)
        ),
    )
