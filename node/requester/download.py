"""Fetching from a responder what step 3 needs: whole buckets, and filters (design.md section 3)."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from matcher import buckets as index
from matcher import filter as filters
from matcher import merkle
from matcher.errors import BucketError, FilterError
from node.errors import UnavailableError
from node.mirror.filters import parse_filter
from node.requester.context import QueryContext, Session, dishonest, with_retries
from node.wire.manifest import Manifest, PartitionOffer
from node.wire.match_messages import BucketRequest, BucketSlice, FilterRequest

BLOCK_BYTES = 4 * 1024 * 1024
MAX_BUCKET_BYTES = 64 * 1024 * 1024  # twice the largest k_anonymity that a configuration may have, and more


def fetch_filter(context: QueryContext, session: Session, part: PartitionOffer) -> filters.Filter:
    """The filter of a partition version, from the cache or the peer. It is verified before it is kept."""
    if context.filters is None:
        raise UnavailableError("this caller keeps no filters")
    kept = context.filters.read(context.peer.code, part)
    if kept is not None:
        return kept
    request = FilterRequest(part.epoch, session.query_id, part.item, part.origin, part.version)

    def download() -> bytes:
        data = bytearray()
        for offset, piece in context.link.fetch_filter(request):
            if offset != len(data) or not piece or len(data) + len(piece) > part.filter_size:
                raise dishonest("the peer sends a filter of another size", "filter_size")
            data += piece
            context.checkpoint.progress("fetch", len(data), part.filter_size)
        if len(data) < part.filter_size:
            raise UnavailableError("the peer ended the stream early")
        return bytes(data)

    data = with_retries(context, download)
    try:
        found = parse_filter(data, part.filter_digest, part.entries)
    except FilterError:
        raise dishonest("a filter is not the one in the signed manifest", "filter_digest") from None
    context.filters.keep(context.peer.code, part, data)
    return found


def fetch_buckets(
    context: QueryContext,
    session: Session,
    manifest: Manifest,
    part: PartitionOffer,
    numbers: Sequence[int],
    use: Callable[[index.Block], None],
    keep: Callable[[Sequence[tuple[int, bytes]]], None] = lambda _buckets: None,
) -> None:
    """Hand the buckets to `use` once their paths to the signed root hold; a broken stream goes on.

    They come in blocks of some megabytes, so that a search has many entries at once and memory stays small.
    `keep` has them as they are.
    """
    left = list(numbers)
    held: list[tuple[int, bytes]] = []

    def hand_over() -> None:
        if held:
            use(_read_block(held))
            keep(held)
            del left[: len(held)]
            held.clear()
            context.checkpoint.progress("fetch", len(numbers) - len(left), len(numbers), manifest.epoch)

    def stream() -> None:
        held.clear()
        while left:
            asked = left[: manifest.limits.max_buckets_per_request]
            request = BucketRequest(
                part.epoch, session.query_id, part.item, part.origin, part.version, tuple(asked)
            )
            size = 0
            try:
                for bucket in whole_buckets(context.link.fetch_buckets(request), part, asked):
                    held.append(bucket)
                    size += len(bucket[1])
                    if size >= BLOCK_BYTES:
                        hand_over()
                        size = 0
            except UnavailableError:
                hand_over()  # what came before a stream broke need not come again
                raise
            hand_over()

    with_retries(context, stream)


def whole_buckets(
    slices: Iterable[BucketSlice], part: PartitionOffer, asked: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """Put parts together and verify each bucket. Raises DishonestPeerError; UnavailableError if cut off."""
    most, tree = largest_bucket(part), merkle.Verifier(part.buckets, part.root)
    waiting = list(reversed(asked))
    data, size = bytearray(), 0
    path: tuple[bytes, ...] = ()
    for piece in slices:
        if not waiting or piece.bucket != waiting[-1] or piece.offset != len(data):
            raise dishonest("the peer sends buckets out of order", "bucket_order")
        if piece.offset == 0:
            path, size = piece.path, piece.size
        if size and not piece.data:
            raise dishonest("the peer sends an empty part of a bucket", "bucket_size")
        data += piece.data
        if piece.size != size or size > most or len(data) > size:
            raise dishonest("the peer sends a larger bucket than its partition can have", "bucket_size")
        if len(data) < size:
            continue
        # Most buckets come in one piece, which then need not be copied.
        number, entries = waiting.pop(), piece.data if len(piece.data) == size else bytes(data)
        leaf = index.bucket_leaf(number, entries)
        if not tree.verify(leaf, number, path):
            raise dishonest("a bucket is not the one in the signed manifest", "bucket_digest")
        yield number, entries
        data = bytearray()
    if waiting:
        raise UnavailableError("the peer ended the stream early")


def _read_block(buckets: Sequence[tuple[int, bytes]]) -> index.Block:
    try:
        return index.read_block(buckets)
    except BucketError:
        raise dishonest("a bucket is malformed", "bucket_form") from None


def largest_bucket(part: PartitionOffer) -> int:
    """Bytes that a bucket may have at most: prefixes spread entries evenly, and memory is finite."""
    average = -(-part.entries // part.buckets)
    return min(min(part.entries, 4 * average + 1024) * index.ENTRY_SIZE, MAX_BUCKET_BYTES)
