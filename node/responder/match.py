"""The responder's role, one function per step (design.md sections 2 to 4)."""

from collections.abc import Iterator, Sequence

from matcher import PointError, buckets, merkle
from matcher.retrieval_plan import is_whole_blocks
from matcher.suites.suite import find
from node.context import Node
from node.database import partitions as index_rows
from node.domain.peers import PeerRow
from node.errors import (
    InvalidPointsError,
    InvalidRequestError,
    ItemNotOfferedError,
    PartitionVersionError,
    RefusedError,
)
from node.responder.epochs import (
    merkle_tree,
    require_epoch,
    require_granted,
    require_known_items,
    require_salt,
)
from node.responder.manifest import MAX_BUCKETS_PER_REQUEST
from node.responder.queries import BoundQuery, require_query
from node.wire.match_messages import (
    GRANULE_POINTS,
    BucketRequest,
    BucketSlice,
    EvaluateDone,
    EvaluateStart,
    Transcript,
)
from node.wire.mirror_messages import DeltaRequest, PartitionRequest

SLICE_BYTES = 512 * 1024  # fits, with its path, the smallest allowed max_message_bytes
READ_BYTES = 2 * 1024 * 1024  # of buckets held in memory at once by one stream, if one is not larger
MAX_READ = 256  # numbers in one database query


class Evaluation:
    """Step 2: one stream of blinded points, answered chunk by chunk in order. Close it at its end."""

    def __init__(self, node: Node, peer: PeerRow, start: EvaluateStart, caller: str) -> None:
        """Check the start; the first chunk opens the query.

        Raises EpochError, SaltError, RefusedError, ItemNotOfferedError, InvalidRequestError,
        InvalidPointsError.
        """
        self._node, self._start = node, start
        self._suite = find(start.suite)
        self._class_key()
        require_salt(node, start.epoch, start.salt_version)
        require_known_items(node, peer, start)
        self._chunk_points = node.config.limits.chunk_points
        self._left = start.points_announced - start.first_point
        self._sequence = 0
        self._transcript = Transcript(start)
        self._query = BoundQuery(node, peer, start, caller, self._suite.sizes.point)

    def answer(self, sequence: int, blinded: bytes) -> bytes:
        """E = k * B for one chunk, on record before it is answered.

        Raises InvalidPointsError and InvalidRequestError, EpochError for an epoch that was retired meanwhile,
        and what `BoundQuery.record` raises, answering nothing.
        """
        if not blinded:
            raise InvalidPointsError("a chunk holds no points")
        if sequence != self._sequence:
            raise InvalidRequestError("chunks must be numbered 0, 1, 2 in each stream")
        try:
            points = self._suite.blinded(blinded, min(self._left, self._chunk_points))
        except PointError as error:
            raise InvalidPointsError(str(error)) from None
        if points.count % GRANULE_POINTS and points.count < self._left:
            raise InvalidPointsError(f"only the last chunk may not be a multiple of {GRANULE_POINTS} points")
        key, recorded = self._class_key(), self._query.record(blinded)
        try:
            evaluated = self._suite.evaluate(key, points).points
        except PointError as error:
            raise InvalidPointsError(str(error)) from None
        finally:
            recorded.result()
        self._left -= points.count
        self._sequence += 1
        self._transcript.add(sequence, blinded, evaluated)
        return evaluated

    def _class_key(self) -> bytes:
        """The key of the query's class, looked up anew: its epoch may be retired in mid-stream."""
        return self._suite.class_key(require_epoch(self._node, self._start.epoch), self._start.token_class)

    @property
    def is_complete(self) -> bool:
        """Whether all points that were announced are answered."""
        return not self._left

    def finish(self) -> EvaluateDone:
        """Digest of transcript, root of points, when it is complete."""
        return EvaluateDone(self._transcript.digest(), self._query.points_root)

    def close(self) -> None:
        """The stream has ended."""
        self._query.close()


def serve_buckets(node: Node, peer: PeerRow, request: BucketRequest) -> Iterator[BucketSlice]:
    """Step 3: whole buckets of a granted partition, each with its path to the signed root.

    Raises EpochError, RefusedError, ItemNotOfferedError, PartitionVersionError, InvalidRequestError,
    QueryUnknownError.
    """
    part = require_partition(node, peer, request)
    if request.buckets[-1] >= 1 << part.bits or len(request.buckets) > MAX_BUCKETS_PER_REQUEST:
        raise InvalidRequestError("a bucket number is beyond the partition, or there are too many of them")
    if not is_whole_blocks(request.buckets, part.bits):
        raise RefusedError(
            "only whole blocks of buckets are served, or all buckets of a partition",
            details={"rule": "bucket_blocks"},
        )
    require_query(node, peer, request.query_id, request.epoch, request.item)
    with node.store.transaction("read bucket digests") as tx:
        leaves = index_rows.read_leaves(tx, part.id)
    if not leaves:
        raise replaced()
    tree = merkle_tree(leaves)
    for number, entries in read_in_order(node, part, request.buckets):
        yield from _slices(number, entries, tuple(merkle.path(tree, number)))


def read_in_order(
    node: Node, part: index_rows.PartitionRow, numbers: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """Some buckets of a version, a few megabytes at once. Raises PartitionVersionError if it is removed."""
    average = max(part.entries * buckets.entry_size(part.width) >> part.bits, 1)
    at_once = min(max(READ_BYTES // average, 1), MAX_READ)
    for at in range(0, len(numbers), at_once):
        some = numbers[at : at + at_once]
        with node.store.transaction("read buckets") as tx:
            found = index_rows.read_buckets(tx, part.id, some)
        if len(found) != len(some):
            raise replaced()
        yield from found


def replaced() -> PartitionVersionError:
    """The version was replaced twice while a stream was reading it."""
    return PartitionVersionError("the partition has a newer version", "fetch the manifest again")


def _slices(number: int, entries: bytes, path: tuple[bytes, ...]) -> Iterator[BucketSlice]:
    for offset in range(0, max(len(entries), 1), SLICE_BYTES):
        yield BucketSlice(
            number, len(entries), offset, entries[offset : offset + SLICE_BYTES], path if offset == 0 else ()
        )


def require_partition(
    node: Node, peer: PeerRow, request: BucketRequest | PartitionRequest | DeltaRequest
) -> index_rows.PartitionRow:
    """The granted partition version that a request names; of a delta, the one it leads to.

    Raises EpochError, RefusedError, ItemNotOfferedError, PartitionVersionError.
    """
    version = request.to_version if isinstance(request, DeltaRequest) else request.version
    require_epoch(node, request.epoch)
    if request.item not in node.catalogue.codes:
        raise ItemNotOfferedError("an item is not in this node's catalogue")
    require_granted(peer, node.catalogue.item(request.item), request.origin)
    with node.store.transaction("find partition") as tx:
        part = index_rows.find_partition(tx, request.item, request.origin, request.epoch, version)
        current = index_rows.offered_version(tx, request.item, request.origin, request.epoch)
    if part is not None:
        return part
    if current is None:
        # An epoch may just have been retired, and the loaded keys may be half a second old.
        node.ring.refresh()
        require_epoch(node, request.epoch)
        raise ItemNotOfferedError("this node holds no such partition")
    raise PartitionVersionError(
        "the partition has another version now", "fetch the manifest again", {"version": str(current)}
    )
