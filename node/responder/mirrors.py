"""What a responder sends to the mirrors of its peers: whole partitions and deltas (design.md 3.3)."""

from collections.abc import Iterator
from itertools import chain as joined

from matcher import buckets, merkle
from matcher.bucket_changes import BucketChange, merge
from node.context import Node
from node.database import deltas
from node.database import partitions as index_rows
from node.domain.peers import PeerRow
from node.errors import DeltaGoneError, InvalidRequestError
from node.responder.match import read_in_order, replaced, require_partition
from node.responder.queries import require_query
from node.wire.mirror_messages import DeltaRequest, PartitionRequest

_BUCKETS_AT_ONCE = 256  # of a delta, read in one transaction


def serve_partition(node: Node, peer: PeerRow, request: PartitionRequest) -> tuple[bytes, Iterator[bytes]]:
    """The leaves of a granted partition version, and its buckets from the one asked on.

    Raises EpochError, RefusedError, ItemNotOfferedError, PartitionVersionError, InvalidRequestError, and
    QueryUnknownError where it names a query; the buckets PartitionVersionError when the version is replaced
    twice while they are read.
    """
    part = require_partition(node, peer, request)
    count = 1 << part.bits
    if request.first_bucket > count:
        raise InvalidRequestError("the first bucket is beyond the partition")
    if request.query_id:
        require_query(node, peer, request.query_id, request.epoch, request.item)
    with node.store.transaction("read bucket digests") as tx:
        leaves = index_rows.read_leaves(tx, part.id)
    if len(leaves) != merkle.DIGEST_SIZE * count:
        raise replaced()
    found = read_in_order(node, part, range(request.first_bucket, count))
    return leaves, (entries for _, entries in found)


def serve_delta(node: Node, peer: PeerRow, request: DeltaRequest) -> tuple[int, Iterator[BucketChange]]:
    """Bytes of an entry, and the buckets changed between an older version of a partition and a served one.

    Raises EpochError, RefusedError, ItemNotOfferedError, PartitionVersionError, and DeltaGoneError where the
    older version is not known or too old, also in the middle.
    """
    part = require_partition(node, peer, request)
    with node.store.transaction("find deltas") as tx:
        chain = deltas.find_chain(tx, part, request.from_version, request.from_root)
    if chain is None:
        raise _gone()
    size = buckets.entry_size(part.width)

    def read() -> Iterator[BucketChange]:
        for first in range(0, 1 << part.bits, _BUCKETS_AT_ONCE):
            with node.store.transaction("read deltas") as tx:
                if not deltas.is_kept(tx, chain):
                    raise _gone()
                found = deltas.read_changes(tx, chain, first, first + _BUCKETS_AT_ONCE)
            yield from (merge(changes, size) for changes in found)

    if not chain:
        return size, iter(())
    changes = read()
    first = next(changes, None)  # the first read may find the deltas gone
    return size, iter(()) if first is None else joined((first,), changes)


def _gone() -> DeltaGoneError:
    return DeltaGoneError("no delta leads from this version", "fetch the partition whole")
