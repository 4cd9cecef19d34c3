"""Messages between a responder and a mirror: protobuf to dataclasses and back."""

from collections.abc import Iterable, Iterator

from heqiao.peer.v1 import mirror_pb2

from matcher.bucket_changes import BucketChange
from matcher.suites.tokens import TAG_SIZE
from node.wire.common import MAX_TEXT, MAX_VERSION, QUERY_ID_SIZE, require, require_digest
from node.wire.mirror_messages import DeltaRequest, PartitionPiece, PartitionRequest
from node.wire.query_head import require_suite


def parse_partition_request(message: mirror_pb2.FetchPartitionRequest) -> PartitionRequest:
    """Check and decode a request for a partition. Raises InvalidRequestError or UnknownSuiteError."""
    require_suite(message.suite)
    _require_place(message.item, message.origin, message.version)
    require(len(message.query_id) in (0, QUERY_ID_SIZE), f"query_id must be empty or {QUERY_ID_SIZE} bytes")
    return PartitionRequest(
        epoch=message.epoch,
        item=message.item,
        origin=message.origin,
        version=message.version,
        first_bucket=message.first_bucket,
        query_id=message.query_id,
        suite=message.suite,
    )


def partition_request_message(request: PartitionRequest) -> mirror_pb2.FetchPartitionRequest:
    """A request for a partition."""
    return mirror_pb2.FetchPartitionRequest(
        suite=request.suite,
        epoch=request.epoch,
        item=request.item,
        origin=request.origin,
        version=request.version,
        first_bucket=request.first_bucket,
        query_id=request.query_id,
    )


def parse_piece(message: mirror_pb2.FetchPartitionResponse) -> PartitionPiece:
    """One message of a partition."""
    return PartitionPiece(message.leaves, tuple(message.sizes), message.data)


def piece_messages(
    leaves: bytes, buckets: Iterable[bytes], most: int
) -> Iterator[mirror_pb2.FetchPartitionResponse]:
    """Leaves, then buckets, in messages with up to `most` bytes of them."""
    for at in range(0, len(leaves), most):
        yield mirror_pb2.FetchPartitionResponse(leaves=leaves[at : at + most])
    sizes: list[int] = []
    waiting = bytearray()
    for entries in buckets:
        sizes.append(len(entries))
        waiting += entries
        while len(waiting) >= most:
            yield mirror_pb2.FetchPartitionResponse(sizes=sizes, data=bytes(waiting[:most]))
            sizes = []
            del waiting[:most]
    if sizes or waiting:
        yield mirror_pb2.FetchPartitionResponse(sizes=sizes, data=bytes(waiting))


def parse_delta_request(message: mirror_pb2.FetchDeltaRequest) -> DeltaRequest:
    """Check and decode a request for a delta. Raises InvalidRequestError or UnknownSuiteError."""
    require_suite(message.suite)
    _require_place(message.item, message.origin, message.to_version)
    require(message.from_version <= MAX_VERSION, "no partition has such a version")
    require_digest(message.from_root, "from_root")
    return DeltaRequest(
        epoch=message.epoch,
        item=message.item,
        origin=message.origin,
        from_version=message.from_version,
        from_root=message.from_root,
        to_version=message.to_version,
        suite=message.suite,
    )


def delta_request_message(request: DeltaRequest) -> mirror_pb2.FetchDeltaRequest:
    """A request for a delta."""
    return mirror_pb2.FetchDeltaRequest(
        suite=request.suite,
        epoch=request.epoch,
        item=request.item,
        origin=request.origin,
        from_version=request.from_version,
        from_root=request.from_root,
        to_version=request.to_version,
    )


def parse_changes(message: mirror_pb2.FetchDeltaResponse) -> tuple[BucketChange, ...]:
    """The changed buckets of one message."""
    return tuple(BucketChange(one.bucket, one.removed, one.set) for one in message.changes)


def change_messages(
    changes: Iterable[BucketChange], size: int, most: int
) -> Iterator[mirror_pb2.FetchDeltaResponse]:
    """Changed buckets, ascending, with entries of `size` bytes, in messages of up to `most` bytes."""
    waiting: list[mirror_pb2.BucketChange] = []
    room = most
    for change in changes:
        for part in _split(change, size, most):
            need = part.length + 16  # numbers and framing
            if waiting and need > room:
                yield mirror_pb2.FetchDeltaResponse(changes=waiting)
                waiting, room = [], most
            waiting.append(
                mirror_pb2.BucketChange(bucket=part.bucket, removed=part.removed, set=part.entries)
            )
            room -= need
    if waiting:
        yield mirror_pb2.FetchDeltaResponse(changes=waiting)


def _split(change: BucketChange, size: int, most: int) -> Iterator[BucketChange]:
    """Parts of one change that fit in a message each."""
    if change.length <= most:
        yield change
        return
    step = most // TAG_SIZE * TAG_SIZE
    for at in range(0, len(change.removed), step):
        yield BucketChange(change.bucket, change.removed[at : at + step], b"")
    step = most // size * size
    for at in range(0, len(change.entries), step):
        yield BucketChange(change.bucket, b"", change.entries[at : at + step])


def _require_place(item: str, origin: str, version: int) -> None:
    require(len(item) <= MAX_TEXT and len(origin) == 2, "item or origin is malformed")
    require(version <= MAX_VERSION, "no partition has such a version")
