"""The responder's role, one function per step (design.md sections 2 to 4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from keys.succession import Succession
from matcher import SUITE, PointError, index, merkle, oprf, token
from matcher.plan import Plan
from matcher.types import Level
from node import manifest as manifests
from node import wire
from node.aggregate.respond import offer_sums
from node.catalogue import Item
from node.errors import (
    EpochError,
    InvalidPointsError,
    InvalidRequestError,
    ItemNotOfferedError,
    PartitionVersionError,
    RefusedError,
    SaltError,
)
from node.exchange import BucketRequest, BucketSlice, EvaluateStart, FilterRequest, Transcript
from node.mandate import LEGAL_BASIS, PROGRAMMES
from node.manifest import Manifest, PartitionOffer, PeerLimits, PlantedSubject
from node.node import OPRF, Node
from node.store import Connection, epoch_uses
from node.store import audit as audit_rows
from node.store import index as index_rows
from node.store import signing as succession_rows
from node.store.epoch_uses import EpochUse
from node.store.peers import PeerRow

MANIFEST_LIFE = timedelta(hours=24)
MAX_BUCKETS_PER_REQUEST = 16_384
SLICE_BYTES = 512 * 1024  # fits, with its path, the smallest max_message_bytes there is
READ_BYTES = 2 * 1024 * 1024  # of buckets held in memory at once by one stream, if one is not larger
MAX_READ = 256  # numbers in one question to the database


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
) -> SignedManifest:
    """Step 1: what this node offers to a peer, signed; of an epoch under a salt that the peer holds.

    Raises UnknownSuiteError, SaltError.
    """
    wire.require_suite(SUITE if SUITE in suites else "")
    now = node.clock()
    current = node.keys
    keys = current.under_salt(salt_versions, now)
    if keys is None:
        raise _salt_error(current.salt_version)
    with node.store.transaction("offer manifest") as tx:
        chain = succession_rows.served_statements(tx, node.code, now)
        items = index_rows.current_items(tx, keys.epoch)
        rows = index_rows.current_partitions(tx, keys.epoch, peer.grants)
    limits = node.config.limits
    serialised = wire.manifest_bytes(
        Manifest(
            responder=node.code,
            requester=peer.code,
            suites=(SUITE,),
            epoch=keys.epoch,
            salt_version=keys.salt_version,
            salt_check=token.salt_check(keys.salt),
            catalogue_version=node.catalogue.version,
            catalogue_digest=node.catalogue.digest,
            items=tuple(items),
            partitions=tuple(_offer(row) for row in rows),
            canaries=keys.canaries,
            limits=PeerLimits(
                max_message_bytes=limits.max_message_bytes,
                chunk_points=limits.chunk_points,
                max_points_per_query=limits.max_points_per_query,
                max_buckets_per_request=MAX_BUCKETS_PER_REQUEST,
                retrieval_floor=limits.retrieval_floor,
            ),
            issued_at=now,
            expires_at=now + MANIFEST_LIFE,
            sums=offer_sums(node, peer, keys) if with_sums else None,
        )
    )
    return SignedManifest(serialised, manifests.sign(serialised, keys.signing), chain)


class Evaluation:
    """Step 2: one stream of blinded points, answered chunk by chunk in order."""

    def __init__(self, node: Node, peer: PeerRow, start: EvaluateStart, caller: str) -> None:
        """Check the opening and write the exchange to the audit chain before any point is evaluated.

        Raises EpochError, SaltError, InvalidRequestError, InvalidPointsError.
        """
        self._key = _require_epoch(node, start.epoch)
        _require_salt(node, start.epoch, start.salt_version)
        _require_known(node, start)
        self._chunk_points = node.config.limits.chunk_points
        self._left = start.points_announced - start.first_point
        self._sequence = 0
        self._transcript = Transcript(start)
        _record_exchange(node, peer, start, caller)

    def answer(self, sequence: int, blinded: bytes) -> bytes:
        """E = k * B for one chunk. Raises InvalidPointsError and InvalidRequestError, answering nothing."""
        if not blinded:
            raise InvalidPointsError("a chunk holds no points")
        if sequence != self._sequence:
            raise InvalidRequestError("chunks must be numbered 0, 1, 2 in each stream")
        try:
            count = oprf.require_count(blinded, min(self._left, self._chunk_points))
            evaluated = oprf.evaluate(self._key, blinded)
        except PointError as error:
            raise InvalidPointsError(str(error)) from None
        self._left -= count
        self._sequence += 1
        self._transcript.add(sequence, blinded, evaluated)
        return evaluated

    def finish(self) -> bytes:
        """The digest of the transcript. Raises InvalidPointsError when points are missing."""
        if self._left:
            raise InvalidPointsError("fewer points than announced")
        return self._transcript.digest()


def serve_buckets(node: Node, peer: PeerRow, request: BucketRequest) -> Iterator[BucketSlice]:
    """Step 3: whole buckets of a granted partition, each with its path to the signed root.

    Raises EpochError, RefusedError, ItemNotOfferedError, PartitionVersionError, InvalidRequestError.
    """
    part = _require_partition(node, peer, request)
    if request.buckets[-1] >= 1 << part.bits or len(request.buckets) > MAX_BUCKETS_PER_REQUEST:
        raise InvalidRequestError("a bucket number is beyond the partition, or there are too many of them")
    with node.store.transaction("read bucket digests") as tx:
        leaves = index_rows.read_leaves(tx, part.id)
    if not leaves:
        raise _replaced()
    tree = _tree(leaves)
    average = max(part.entries * index.ENTRY_SIZE >> part.bits, 1)
    at_once = min(max(READ_BYTES // average, 1), MAX_READ)
    for at in range(0, len(request.buckets), at_once):
        numbers = request.buckets[at : at + at_once]
        with node.store.transaction("read buckets") as tx:
            found = index_rows.read_buckets(tx, part.id, numbers)
        if len(found) != len(numbers):
            raise _replaced()
        for number, entries in found:
            yield from _slices(number, entries, tuple(merkle.path(tree, number)))


def serve_filter(node: Node, peer: PeerRow, request: FilterRequest) -> Iterator[tuple[int, bytes]]:
    """Step 3 under the filter plan: (offset, bytes) of a granted partition's filter.

    Raises EpochError, RefusedError, ItemNotOfferedError, PartitionVersionError.
    """
    if Plan(node.config.limits.retrieval_floor) is not Plan.FILTER:
        raise RefusedError("this node serves no filters", details={"rule": "retrieval_floor"})
    part = _require_partition(node, peer, request)
    offset, number = 0, 0
    while offset < part.filter_size:
        with node.store.transaction("read filter") as tx:
            data = index_rows.read_filter_part(tx, part.id, number)
        if not data:
            raise _replaced()
        yield offset, data
        offset, number = offset + len(data), number + 1


def _replaced() -> PartitionVersionError:
    """The version was replaced twice while a stream was reading it."""
    return PartitionVersionError("the partition has a newer version", "fetch the manifest again")


def planted_value(item: Item, number: int) -> int:
    """The value that planted subject `number` of an item carries: small, legal at the item's level."""
    if item.level is Level.BAND:
        return number % (len(item.bands) + 1)
    if item.level in (Level.COUNT, Level.VALUE):
        return number + 1
    return 1


def _slices(number: int, entries: bytes, path: tuple[bytes, ...]) -> Iterator[BucketSlice]:
    for offset in range(0, max(len(entries), 1), SLICE_BYTES):
        yield BucketSlice(
            number, len(entries), offset, entries[offset : offset + SLICE_BYTES], path if offset == 0 else ()
        )


def _require_partition(
    node: Node, peer: PeerRow, request: BucketRequest | FilterRequest
) -> index_rows.PartitionRow:
    _require_epoch(node, request.epoch)
    if request.origin not in peer.grants:
        raise RefusedError(
            "this peer is not granted the partition of this origin",
            "the two administrators agree on grants; see `heqiao peers add --grant`",
            {"rule": "origin_not_granted"},
        )
    if request.item not in node.catalogue.codes:
        raise ItemNotOfferedError("an item is not in this node's catalogue")
    with node.store.transaction("find partition") as tx:
        part = index_rows.find_partition(tx, request.item, request.origin, request.epoch, request.version)
        current = index_rows.current_version(tx, request.item, request.origin, request.epoch)
    if part is not None:
        return part
    if current is None:
        # An epoch that was retired a moment ago is gone at once, and our keys may be half a second old.
        node.ring.refresh()
        _require_epoch(node, request.epoch)
        raise ItemNotOfferedError("this node holds no such partition")
    raise PartitionVersionError(
        "the partition has another version now", "fetch the manifest again", {"version": str(current)}
    )


def _require_epoch(node: Node, epoch: int) -> bytes:
    """The key of an epoch that is answered: the active one, or one before in its grace."""
    key = node.keys.oprf_of(epoch, node.clock())
    if key is None:
        # Another process of this province may have switched a moment ago.
        current = node.ring.refresh()
        key = current.oprf_of(epoch, node.clock())
        if key is None:
            raise EpochError(
                "this epoch is not current", "fetch the manifest again", {"epoch": str(current.epoch)}
            )
    return key


def _require_salt(node: Node, epoch: int, version: int) -> None:
    keys = node.keys
    if version != keys.salt_version_of(epoch, node.clock()):
        raise _salt_error(keys.salt_version)


def _salt_error(version: int) -> SaltError:
    return SaltError(
        "this salt version is not current",
        "the federation's administrator issues the current salt",
        {"salt_version": str(version)},
    )


def _require_known(node: Node, start: EvaluateStart) -> None:
    for code in start.items:
        if code not in node.catalogue.codes:
            raise ItemNotOfferedError("an item is not in this node's catalogue")
        if node.catalogue.item(code).level is Level.AGGREGATE:
            raise RefusedError("an item is answered as a sum only", details={"rule": "aggregate_only"})
    if start.purpose not in PROGRAMMES:
        raise InvalidRequestError("the purpose is not one of the catalogue's codes")
    if not LEGAL_BASIS.fullmatch(start.legal_basis):
        # It goes into the audit chain, where no identity number may ever be.
        raise InvalidRequestError("the legal basis is not a code")
    if start.points_announced > node.config.limits.max_points_per_query:
        raise InvalidPointsError("more points announced than one query may hold", "split the query")


def _record_exchange(node: Node, peer: PeerRow, start: EvaluateStart, caller: str) -> None:
    details: dict[str, str | int | list[str]] = {
        "peer": peer.code,
        "caller": caller,
        "query": start.query_id.hex(),
        "points": start.points_announced,
        "first_point": start.first_point,
        "items": list(start.items),
        "purpose": start.purpose,
        "legal_basis": start.legal_basis,
        "mandate_root": start.mandate_root.hex(),
        "manifest": start.manifest_digest.hex(),
        "epoch": start.epoch,
    }
    now = node.clock()

    def write(tx: Connection) -> None:
        audit_rows.append(tx, "query_answered", details, now)
        epoch_uses.note_use(tx, EpochUse(peer.code, OPRF, start.epoch, now))

    node.store.retry_write("audit a query", write)


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
        planted=tuple(PlantedSubject(name, value) for name, value in row.planted),
        filter_size=row.filter_size,
        filter_digest=row.filter_digest,
    )


@lru_cache(maxsize=32)
def _tree(leaves: bytes) -> list[list[bytes]]:
    """All levels over a partition's bucket digests; kept, because most queries ask the same partitions."""
    return merkle.levels([leaves[at : at + 32] for at in range(0, len(leaves), 32)])
