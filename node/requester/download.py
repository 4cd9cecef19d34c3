"""Fetching blocks of buckets from a responder, where there is no mirror (design.md 3.3)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from matcher import buckets as index
from matcher import merkle
from matcher.errors import BucketError
from matcher.retrieval_plan import BLOCK, widen
from node.errors import UnavailableError
from node.requester.context import OpenSession, QueryContext, dishonest, with_retries
from node.requester.trusted_manifest import MAX_BUCKET_BYTES
from node.wire.manifest import PartitionOffer
from node.wire.match_messages import BucketRequest, BucketSlice

BLOCK_BYTES = 4 * 1024 * 1024


def fetch_buckets(
    context: QueryContext,
    opened: OpenSession,
    part: PartitionOffer,
    numbers: Sequence[int],
    use: Callable[[index.Block], None],
) -> None:
    """Pass the buckets to `use` once their paths to the signed root are verified; resumes a broken stream.

    They come some megabytes at a time: a search gets many entries at once, and memory is bounded. `numbers`
    are whole blocks (matcher/retrieval_plan.py), and so is what a broken stream is resumed with.
    """
    if not numbers:
        return
    download = _Download(context, opened, part, list(numbers), use, len(numbers))
    with_retries(context, download.run)


@dataclass
class _Download:
    """The buckets that are missing, and those that arrived and wait to be used together."""

    context: QueryContext
    opened: OpenSession
    part: PartitionOffer
    left: list[int]
    use: Callable[[index.Block], None]
    total: int
    waiting: list[tuple[int, bytes]] = field(default_factory=list)

    def run(self) -> None:
        """Ask for what is left, as many buckets at a time as the peer takes."""
        self.waiting.clear()
        most = self.opened.manifest.limits.max_buckets_per_request // BLOCK * BLOCK
        while self.left:
            wide = widen(self.left, self.part.bits)
            try:
                self._receive(wide[:most], len(wide) - len(self.left))
            except UnavailableError:
                self._hand_over()  # what arrived before a stream broke is not fetched again
                raise
            self._hand_over()

    def _receive(self, asked: Sequence[int], known: int) -> None:
        """Ask for some buckets, of which the first `known` are there already."""
        part, size = self.part, 0
        query_id, suite = self.opened.session.query_id, self.opened.suite.name
        request = BucketRequest(
            part.epoch, query_id, part.item, part.origin, part.version, tuple(asked), suite
        )
        found = whole_buckets(self.context.calls.fetch_buckets(request), part, asked)
        for bucket in islice(found, known, None):
            self.waiting.append(bucket)
            size += len(bucket[1])
            if size >= BLOCK_BYTES:
                self._hand_over()
                size = 0

    def _hand_over(self) -> None:
        if not self.waiting:
            return
        self.use(_read_block(self.waiting, self.part.entry_size))
        del self.left[: len(self.waiting)]
        self.waiting.clear()
        done, epoch = self.total - len(self.left), self.opened.manifest.epoch
        self.context.checkpoint.progress("fetch", done, self.total, epoch)


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


def _read_block(buckets: Sequence[tuple[int, bytes]], size: int) -> index.Block:
    try:
        return index.read_block(buckets, size)
    except BucketError:
        raise dishonest("a bucket is malformed", "bucket_form") from None


def largest_bucket(part: PartitionOffer) -> int:
    """Bytes that a bucket may have at most: prefixes spread entries evenly, and memory is finite."""
    average = -(-part.entries // part.buckets)
    return min(min(part.entries, 4 * average + 1024) * part.entry_size, MAX_BUCKET_BYTES)
