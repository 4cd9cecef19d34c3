"""Messages of a verification: protobuf to dataclasses and back; every byte of a peer is checked here."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from itertools import pairwise

from google.protobuf.message import DecodeError
from heqiao.peer.v1 import match_pb2, types_pb2

from keys.signing_chain import MAX_CHAIN, Succession
from matcher import label
from matcher.retrieval_plan import BLOCK
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.domain.catalogue_form import VERSION_PATTERN
from node.domain.catalogue_items import CODE_PATTERN
from node.errors import DishonestPeerError
from node.wire import sums as sums_wire
from node.wire.common import (
    DIGEST_SIZE,
    MAX_TEXT,
    MAX_VERSION,
    malformed,
    require,
    require_digest,
    require_item_count,
    require_short,
    timestamp,
)
from node.wire.manifest import Manifest, PartitionOffer, PeerLimits, PlantedSubject
from node.wire.match_messages import (
    GRANULE_POINTS,
    BucketRequest,
    BucketSlice,
    EvaluatedChunk,
    EvaluateDone,
    EvaluateStart,
)
from node.wire.query_head import require_head

MAX_DEFINITIONS = 500  # items of a catalogue (node/domain/catalogue_form.py)
MAX_SALTS = 16  # salts of a requester at once
MAX_PARTITIONS = 10_000
ORIGIN = re.compile("[0-9]{2}")
ITEM_CODE = re.compile(CODE_PATTERN)
VERSION = re.compile(VERSION_PATTERN)
MAX_BITS = 24  # of a well-formed manifest; what a requester accepts is in [requester] of its configuration
RECORD_SIZES = tuple(map(label.record_size, label.WIDTHS))
MAX_ENTRIES = 100_000_000  # of one partition; a whole province has as many in total (design.md section 9)


def manifest_bytes(manifest: Manifest) -> bytes:
    """Serialise a manifest; these bytes are signed."""
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
        partitions=map(_partition_message, manifest.partitions),
        canaries=[
            types_pb2.ClassCanaries(token_class=each, points=manifest.canaries[each]) for each in TokenClass
        ],
        limits=types_pb2.Limits(
            max_message_bytes=manifest.limits.max_message_bytes,
            chunk_points=manifest.limits.chunk_points,
            max_points_per_query=manifest.limits.max_points_per_query,
            max_buckets_per_request=manifest.limits.max_buckets_per_request,
        ),
        issued_at=timestamp(manifest.issued_at),
        expires_at=timestamp(manifest.expires_at),
        definitions=[
            types_pb2.ItemDefinition(item=code, digest=manifest.definitions[code])
            for code in sorted(manifest.definitions)
        ],
    )
    if manifest.sums is not None:
        message.sums.CopyFrom(sums_wire.offer_message(manifest.sums))
    return message.SerializeToString(deterministic=True)


def _partition_message(part: PartitionOffer) -> types_pb2.Partition:
    return types_pb2.Partition(
        item=part.item,
        origin=part.origin,
        epoch=part.epoch,
        version=part.version,
        entries=part.entries,
        bucket_bits=part.bits,
        root=part.root,
        as_of=part.as_of,
        date=part.date,
        record_size=part.record_size,
        planted=[types_pb2.PlantedSubject(name=p.name, value=p.value) for p in part.planted],
    )


def parse_manifest(serialised: bytes) -> Manifest:
    """The manifest in bytes whose signature was verified. Raises DishonestPeerError if it is malformed."""
    try:
        message = types_pb2.Manifest.FromString(serialised)
        manifest = _manifest(message)
    except (DecodeError, ValueError, OverflowError):
        raise malformed("the peer's manifest is signed but malformed", "manifest_form") from None
    sizes = CURRENT.sizes
    sound = (
        len(manifest.salt_check) == sizes.salt_check
        and len(manifest.catalogue_digest) == DIGEST_SIZE
        and VERSION.fullmatch(manifest.catalogue_version) is not None
        and _are_defined(message, manifest)
        and [each.token_class for each in message.canaries] == list(TokenClass)
        and all(len(each.points) == sizes.point * sizes.canaries for each in message.canaries)
        and len(manifest.partitions) <= MAX_PARTITIONS
        and len({(p.item, p.origin) for p in manifest.partitions}) == len(manifest.partitions)
        # Without planted subjects an emptied partition would not be detected.
        and all(
            p.planted and len({one.name for one in p.planted}) == len(p.planted) for p in manifest.partitions
        )
        and manifest.limits.chunk_points >= GRANULE_POINTS
        and manifest.limits.max_buckets_per_request >= BLOCK
        and all(
            len(p.root) == DIGEST_SIZE
            and ORIGIN.fullmatch(p.origin) is not None
            and p.bits <= MAX_BITS
            and len(p.planted) <= p.entries <= MAX_ENTRIES
            and 0 < p.version <= MAX_VERSION
            and 0 < p.date <= label.MAX_DATE
            and p.record_size in RECORD_SIZES
            and p.epoch == manifest.epoch
            for p in manifest.partitions
        )
    )
    if not sound:
        raise malformed("the peer's manifest is signed but malformed", "manifest_form")
    return manifest


def _are_defined(message: types_pb2.Manifest, manifest: Manifest) -> bool:
    """Whether each item has one definition at most, and each that is offered has one.

    Codes are parts of files' names, and are shown.
    """
    codes = [one.item for one in message.definitions]
    groups = manifest.sums.groups if manifest.sums else ()
    offered = {*manifest.items, *(p.item for p in manifest.partitions), *(g.item for g in groups)}
    return (
        len(codes) <= MAX_DEFINITIONS
        and all(a < b for a, b in pairwise(codes))
        and all(ITEM_CODE.fullmatch(code) for code in codes)
        and all(len(found) == DIGEST_SIZE for found in manifest.definitions.values())
        and offered <= manifest.definitions.keys()
    )


def salt_versions(message: match_pb2.GetManifestRequest) -> tuple[int, ...]:
    """The salt versions that a requester names. Raises InvalidRequestError."""
    versions = tuple(message.salt_versions)
    require(len(versions) <= MAX_SALTS, f"salt_versions names more than {MAX_SALTS}")
    require(all(versions), "a salt version is positive")
    return versions


def parse_start(message: match_pb2.EvaluateStart) -> EvaluateStart:
    """Check and decode the start of an evaluation. Raises InvalidRequestError or UnknownSuiteError."""
    require_head(message.suite, message.query_id)
    require_digest(message.manifest_digest, "manifest_digest")
    require_digest(message.mandate_root, "mandate_root")
    require(message.points_announced > 0, "points_announced must be positive")
    require(message.first_point < message.points_announced, "first_point is beyond the points announced")
    require(message.first_point % GRANULE_POINTS == 0, f"first_point must be a multiple of {GRANULE_POINTS}")
    require_item_count(tuple(message.items))
    require_short(*message.items, message.purpose, message.legal_basis)
    require(message.token_class in tuple(TokenClass), "token_class is unknown")
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
        token_class=TokenClass(message.token_class),
        suite=message.suite,
        tokens_until=message.tokens_until,
    )


def start_message(start: EvaluateStart) -> match_pb2.EvaluateRequest:
    """The start of an evaluation."""
    return match_pb2.EvaluateRequest(
        start=match_pb2.EvaluateStart(
            suite=start.suite,
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
            token_class=start.token_class,
            tokens_until=start.tokens_until,
        )
    )


def answer_message(answer: EvaluatedChunk) -> match_pb2.EvaluateResponse:
    """The answer to a chunk, with the last one the end of the evaluation."""
    message = match_pb2.EvaluateResponse(
        chunk=match_pb2.EvaluatedChunk(sequence=answer.sequence, points=answer.points)
    )
    if answer.done is not None:
        message.done.transcript = answer.done.transcript
        message.done.points_root = answer.done.points_root
    return message


def parse_answer(message: match_pb2.EvaluateResponse) -> EvaluatedChunk:
    """The answer to a chunk. Raises DishonestPeerError where it is none."""
    if not message.HasField("chunk"):
        raise DishonestPeerError("the peer's stream is out of order", details={"check": "stream"})
    done = None
    if message.HasField("done"):
        done = EvaluateDone(message.done.transcript, message.done.points_root)
    return EvaluatedChunk(message.chunk.sequence, message.chunk.points, done)


def parse_bucket_request(message: match_pb2.FetchBucketsRequest) -> BucketRequest:
    """Check and decode a request for buckets. Raises InvalidRequestError or UnknownSuiteError."""
    require_head(message.suite, message.query_id)
    require(len(message.item) <= MAX_TEXT and len(message.origin) == 2, "item or origin is malformed")
    require(message.version <= MAX_VERSION, "no partition has such a version")
    numbers = tuple(message.buckets)
    require(bool(numbers), "buckets must name at least one bucket")
    require(all(a < b for a, b in pairwise(numbers)), "buckets must be strictly ascending")
    return BucketRequest(
        epoch=message.epoch,
        query_id=message.query_id,
        item=message.item,
        origin=message.origin,
        version=message.version,
        buckets=numbers,
        suite=message.suite,
    )


def bucket_request_message(request: BucketRequest) -> match_pb2.FetchBucketsRequest:
    """A request for buckets."""
    return match_pb2.FetchBucketsRequest(
        suite=request.suite,
        epoch=request.epoch,
        query_id=request.query_id,
        item=request.item,
        origin=request.origin,
        version=request.version,
        buckets=request.buckets,
        several=True,
    )


def parse_slices(message: match_pb2.FetchBucketsResponse) -> Iterator[BucketSlice]:
    """A part of a served bucket, and the whole buckets that follow it."""
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
        size = len(part.data) + 48 * (len(part.path) + 1)  # digests, and their framing
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
                date=part.date,
                record_size=part.record_size,
                planted=tuple(PlantedSubject(p.name, p.value) for p in part.planted),
            )
            for part in message.partitions
        ),
        canaries={TokenClass(each.token_class): each.points for each in message.canaries},
        limits=PeerLimits(
            message.limits.max_message_bytes,
            message.limits.chunk_points,
            message.limits.max_points_per_query,
            message.limits.max_buckets_per_request,
        ),
        issued_at=message.issued_at.ToDatetime(tzinfo=UTC),
        expires_at=message.expires_at.ToDatetime(tzinfo=UTC),
        sums=sums_wire.parse_offer(message.sums) if message.HasField("sums") else None,
        definitions={one.item: one.digest for one in message.definitions},
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
    """A well-formed chain; `pinned_keys` verifies it. Raises DishonestPeerError if malformed."""
    try:
        if len(messages) > MAX_CHAIN:
            raise ValueError("too many")  # noqa: TRY301  one answer to all of it
        return tuple(
            Succession(**{name: getattr(message, name) for name in Succession.model_fields})
            for message in messages
        )
    except ValueError:
        raise malformed("the peer's chain of signing keys is malformed", "succession_malformed") from None
