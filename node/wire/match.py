"""Protobuf messages to dataclasses and back; every byte of a peer is checked here before use."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from heqiao.peer.v1 import match_pb2, types_pb2

from keys.signing_chain import MAX_CHAIN, Succession
from matcher import SUITE, buckets
from matcher import filter as filters
from matcher.retrieval_plan import Plan
from matcher.suites import tokens
from node.errors import DishonestPeerError, InvalidRequestError, UnknownSuiteError
from node.wire import sums as sums_wire
from node.wire.manifest import Manifest, PartitionOffer, PeerLimits, PlantedSubject
from node.wire.match_messages import BucketRequest, BucketSlice, EvaluateStart, FilterRequest

MAX_ITEMS = 64
MAX_SALTS = 16  # that a requester holds at once
MAX_PARTITIONS = 10_000
MAX_ENTRIES = 100_000_000  # of one partition; a whole province has as many in all (design.md section 9)
MAX_TEXT = 64
MAX_VERSION = 2**63 - 1  # what a database can be asked for


def manifest_bytes(manifest: Manifest) -> bytes:
    """Serialise a manifest; these bytes are what is signed."""
    message = types_pb2.Manifest(
        responder=manifest.responder,
        requester=manifest.requester,
        suites=manifest.suites,
        epoch=manifest.epoch,
        salt_version=manifest.salt_version,
        salt_check=manifest.salt_check,
        catalogue_version=manifest.catalogue_version,
        catalogue_digest=manifest.catalogue_digest,
        items=manifest.items,
        canaries=manifest.canaries,
        limits=types_pb2.Limits(
            max_message_bytes=manifest.limits.max_message_bytes,
            chunk_points=manifest.limits.chunk_points,
            max_points_per_query=manifest.limits.max_points_per_query,
            max_buckets_per_request=manifest.limits.max_buckets_per_request,
            retrieval_floor=manifest.limits.retrieval_floor,
        ),
        issued_at=_timestamp(manifest.issued_at),
        expires_at=_timestamp(manifest.expires_at),
    )
    for part in manifest.partitions:
        message.partitions.add(
            item=part.item,
            origin=part.origin,
            epoch=part.epoch,
            version=part.version,
            entries=part.entries,
            bucket_bits=part.bits,
            root=part.root,
            as_of=part.as_of,
            filter_size=part.filter_size,
            filter_digest=part.filter_digest,
            planted=[types_pb2.PlantedSubject(name=p.name, value=p.value) for p in part.planted],
        )
    if manifest.sums is not None:
        message.sums.CopyFrom(sums_wire.offer_message(manifest.sums))
    return message.SerializeToString(deterministic=True)


def parse_manifest(serialised: bytes) -> Manifest:
    """The manifest in bytes whose signature holds already. Raises DishonestPeerError if it is malformed."""
    try:
        message = types_pb2.Manifest.FromString(serialised)
        manifest = _manifest(message)
    except (DecodeError, ValueError, OverflowError):
        raise _bad_manifest() from None
    sound = (
        len(manifest.salt_check) == 8
        and len(manifest.catalogue_digest) == 32
        and len(manifest.canaries) == 32 * tokens.CANARIES
        and len(manifest.partitions) <= MAX_PARTITIONS
        and len({(p.item, p.origin) for p in manifest.partitions}) == len(manifest.partitions)
        # Without planted subjects nothing would show that a partition is served empty.
        and all(
            p.planted and len({one.name for one in p.planted}) == len(p.planted) for p in manifest.partitions
        )
        and manifest.limits.chunk_points > 0
        and manifest.limits.max_buckets_per_request > 0
        and manifest.limits.retrieval_floor in tuple(Plan)
        and all(
            len(p.root) == 32
            and len(p.filter_digest) == 32
            and p.filter_size <= filters.serialised_size(p.entries, filters.MAX_BIN_BITS)
            and p.bits <= buckets.MAX_BITS
            and p.entries <= MAX_ENTRIES
            and p.epoch == manifest.epoch
            for p in manifest.partitions
        )
    )
    if not sound:
        raise _bad_manifest()
    return manifest


def salt_versions(message: match_pb2.GetManifestRequest) -> tuple[int, ...]:
    """The salt versions that a requester says it holds. Raises InvalidRequestError."""
    versions = tuple(message.salt_versions)
    _require(len(versions) <= MAX_SALTS, f"salt_versions names more than {MAX_SALTS}")
    _require(all(versions), "a salt version is positive")
    return versions


def parse_start(message: match_pb2.EvaluateStart) -> EvaluateStart:
    """Check and decode the opening of an evaluation. Raises InvalidRequestError or UnknownSuiteError."""
    require_suite(message.suite)
    _require(len(message.query_id) == 16, "query_id must be 16 bytes")
    _require(len(message.manifest_digest) == 32, "manifest_digest must be 32 bytes")
    _require(len(message.mandate_root) == 32, "mandate_root must be 32 bytes")
    _require(message.points_announced > 0, "points_announced must be positive")
    _require(message.first_point < message.points_announced, "first_point is beyond the points announced")
    _require(0 < len(message.items) <= MAX_ITEMS, f"items must name 1 to {MAX_ITEMS} items")
    _require(
        all(len(text) <= MAX_TEXT for text in (*message.items, message.purpose, message.legal_basis)),
        f"a code is longer than {MAX_TEXT} characters",
    )
    return EvaluateStart(
        epoch=message.epoch,
        salt_version=message.salt_version,
        manifest_digest=message.manifest_digest,
        query_id=message.query_id,
        points_announced=message.points_announced,
        first_point=message.first_point,
        items=tuple(message.items),
        purpose=message.purpose,
        legal_basis=message.legal_basis,
        mandate_root=message.mandate_root,
    )


def start_message(start: EvaluateStart) -> match_pb2.EvaluateRequest:
    """The opening of an evaluation."""
    return match_pb2.EvaluateRequest(
        start=match_pb2.EvaluateStart(
            suite=SUITE,
            epoch=start.epoch,
            salt_version=start.salt_version,
            manifest_digest=start.manifest_digest,
            query_id=start.query_id,
            points_announced=start.points_announced,
            first_point=start.first_point,
            items=start.items,
            purpose=start.purpose,
            legal_basis=start.legal_basis,
            mandate_root=start.mandate_root,
        )
    )


def parse_bucket_request(message: match_pb2.FetchBucketsRequest) -> BucketRequest:
    """Check and decode a request for buckets. Raises InvalidRequestError or UnknownSuiteError."""
    require_suite(message.suite)
    _require(len(message.query_id) == 16, "query_id must be 16 bytes")
    _require(len(message.item) <= MAX_TEXT and len(message.origin) == 2, "item or origin is malformed")
    _require(message.version <= MAX_VERSION, "no partition has such a version")
    numbers = tuple(message.buckets)
    _require(bool(numbers), "buckets must name at least one bucket")
    _require(all(a < b for a, b in pairwise(numbers)), "buckets must be strictly ascending")
    return BucketRequest(
        epoch=message.epoch,
        query_id=message.query_id,
        item=message.item,
        origin=message.origin,
        version=message.version,
        buckets=numbers,
    )


def bucket_request_message(request: BucketRequest) -> match_pb2.FetchBucketsRequest:
    """A request for buckets."""
    return match_pb2.FetchBucketsRequest(
        suite=SUITE,
        epoch=request.epoch,
        query_id=request.query_id,
        item=request.item,
        origin=request.origin,
        version=request.version,
        buckets=request.buckets,
        several=True,
    )


def parse_filter_request(message: match_pb2.FetchFilterRequest) -> FilterRequest:
    """Check and decode a request for a filter. Raises InvalidRequestError or UnknownSuiteError."""
    require_suite(message.suite)
    _require(len(message.query_id) == 16, "query_id must be 16 bytes")
    _require(len(message.item) <= MAX_TEXT and len(message.origin) == 2, "item or origin is malformed")
    _require(message.version <= MAX_VERSION, "no partition has such a version")
    return FilterRequest(message.epoch, message.query_id, message.item, message.origin, message.version)


def filter_request_message(request: FilterRequest) -> match_pb2.FetchFilterRequest:
    """A request for a filter."""
    return match_pb2.FetchFilterRequest(
        suite=SUITE,
        epoch=request.epoch,
        query_id=request.query_id,
        item=request.item,
        origin=request.origin,
        version=request.version,
    )


def parse_slices(message: match_pb2.FetchBucketsResponse) -> Iterator[BucketSlice]:
    """A part of a served bucket, and the whole buckets behind it."""
    yield BucketSlice(message.bucket, message.size, message.offset, message.data, tuple(message.path))
    for whole in message.more:
        data = whole.data
        yield BucketSlice(whole.bucket, len(data), 0, data, tuple(whole.path))


def slice_messages(
    parts: Iterable[BucketSlice], most: int, *, several: bool
) -> Iterator[match_pb2.FetchBucketsResponse]:
    """Parts of served buckets; with `several`, small buckets share messages of up to `most` bytes."""
    waiting: list[BucketSlice] = []
    room = most
    for part in parts:
        size = len(part.data) + 48 * (len(part.path) + 1)  # digests, and what frames them
        if waiting and not (several and size <= room and part.size == len(part.data)):
            yield _slices_message(waiting)
            waiting, room = [], most
        waiting.append(part)
        room -= size
    if waiting:
        yield _slices_message(waiting)


def _slices_message(parts: Sequence[BucketSlice]) -> match_pb2.FetchBucketsResponse:
    first, *others = parts
    return match_pb2.FetchBucketsResponse(
        bucket=first.bucket,
        size=first.size,
        offset=first.offset,
        data=first.data,
        path=first.path,
        more=[match_pb2.WholeBucket(bucket=each.bucket, data=each.data, path=each.path) for each in others],
    )


def require_suite(suite: str) -> None:
    """Raises UnknownSuiteError unless this node speaks the suite."""
    if suite != SUITE:
        raise UnknownSuiteError("this node does not know this suite", f"use {SUITE}", {"suite": SUITE})


def _manifest(message: types_pb2.Manifest) -> Manifest:
    return Manifest(
        responder=message.responder,
        requester=message.requester,
        suites=tuple(message.suites),
        epoch=message.epoch,
        salt_version=message.salt_version,
        salt_check=message.salt_check,
        catalogue_version=message.catalogue_version,
        catalogue_digest=message.catalogue_digest,
        items=tuple(message.items),
        partitions=tuple(
            PartitionOffer(
                item=part.item,
                origin=part.origin,
                epoch=part.epoch,
                version=part.version,
                entries=part.entries,
                bits=part.bucket_bits,
                root=part.root,
                as_of=part.as_of,
                planted=tuple(PlantedSubject(p.name, p.value) for p in part.planted),
                filter_size=part.filter_size,
                filter_digest=part.filter_digest,
            )
            for part in message.partitions
        ),
        canaries=message.canaries,
        limits=PeerLimits(
            message.limits.max_message_bytes,
            message.limits.chunk_points,
            message.limits.max_points_per_query,
            message.limits.max_buckets_per_request,
            message.limits.retrieval_floor,
        ),
        issued_at=message.issued_at.ToDatetime(tzinfo=UTC),
        expires_at=message.expires_at.ToDatetime(tzinfo=UTC),
        sums=sums_wire.parse_offer(message.sums) if message.HasField("sums") else None,
    )


def succession_messages(chain: Sequence[Succession]) -> list[types_pb2.Succession]:
    """A chain of signing keys."""
    return [
        types_pb2.Succession(
            code=one.code,
            number=one.number,
            old_key=one.old_key,
            new_key=one.new_key,
            issued_at=one.issued_at,
            expires_at=one.expires_at,
            by_old=one.by_old,
            by_new=one.by_new,
        )
        for one in chain
    ]


def parse_successions(messages: Sequence[types_pb2.Succession]) -> tuple[Succession, ...]:
    """A chain in its form; whether it holds, `pinned_keys` looks. Raises DishonestPeerError if malformed."""
    try:
        if len(messages) > MAX_CHAIN:
            raise ValueError("too many")  # noqa: TRY301  one answer to all of it
        return tuple(
            Succession(**{name: getattr(message, name) for name in Succession.model_fields})
            for message in messages
        )
    except ValueError:
        raise DishonestPeerError(
            "the peer's chain of signing keys is malformed",
            "ask the peer's administrator which version the node runs",
            {"check": "succession_malformed"},
        ) from None


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InvalidRequestError(message)


def _bad_manifest() -> DishonestPeerError:
    return DishonestPeerError(
        "the peer's manifest is signed but malformed",
        "ask the peer's administrator which version the node runs",
        {"check": "manifest_form"},
    )
