"""Step 3 of the requester: fetch the buckets of an item, open the labels, conclude (design.md 3 and 4)."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from matcher import LabelRecord, index, label, merkle, token
from matcher.errors import BucketError, LabelError
from node.catalogue import Item
from node.errors import UnavailableError
from node.exchange import BucketRequest, BucketSlice
from node.manifest import Manifest, PartitionOffer
from node.outcome import Outcome
from node.query import Answer, Query, Question, conclude, name_check_of
from node.session import Exchange, Session, dishonest, with_retries


def ask_item(
    exchange: Exchange,
    session: Session,
    manifest: Manifest,
    question: Question,
    query: Query,
    tokens: bytes,
    item: Item,
) -> list[Answer]:
    """Step 3 for one item: fetch the buckets of its partitions, open the labels, conclude."""
    if item.code not in manifest.items:
        return [
            Answer(Outcome.NOT_MANDATED, reason=why[item.code])
            if item.code in why
            else Answer(Outcome.NOT_CONNECTED)
            for why in question.uncovered
        ]
    found: list[list[tuple[LabelRecord, int]]] = [[] for _ in question.subjects]
    missing: set[int] = set()
    by_origin: dict[str, list[tuple[int, int, int]]] = {}
    for point in query.subjects:
        if item.code not in question.uncovered[point.subject]:
            by_origin.setdefault(point.origin, []).append((point.prefix, point.position, point.subject))
    for origin, points in sorted(by_origin.items()):
        part = manifest.partition(item.code, origin)
        if part is None:
            missing.update(subject for _, _, subject in points)
            continue
        for subject, opened, check in search_partition(
            exchange, session, manifest, question, query, tokens, part, points
        ):
            found[subject].append((opened, check))
    today = exchange.clock().date()
    return [
        Answer(Outcome.NOT_MANDATED, reason=why[item.code])
        if item.code in why
        else conclude(item, subject, found[number], number in missing, today)
        for number, (subject, why) in enumerate(zip(question.subjects, question.uncovered, strict=True))
    ]


def search_partition(
    exchange: Exchange,
    session: Session,
    manifest: Manifest,
    question: Question,
    query: Query,
    tokens: bytes,
    part: PartitionOffer,
    points: Sequence[tuple[int, int, int]],
) -> list[tuple[int, LabelRecord, int]]:
    """(subject, label, check byte of the asked name) for every label opened in one partition.

    Besides the subjects it looks for planted hits, which must be there, and misses, which must not.
    """
    hits = {p.position: p for p in query.planted if (p.item, p.origin) == (part.item, part.origin)}
    probes: dict[int, list[tuple[int, int | None]]] = {}  # bucket -> (position, subject)
    for prefix, position, subject in points:
        probes.setdefault(part.bucket(prefix), []).append((position, subject))
    for hit in hits.values():
        probes.setdefault(part.bucket(hit.prefix), []).append((hit.position, None))
    for prefix, position in query.misses:
        probes.setdefault(part.bucket(prefix), []).append((position, None))
    associated = label.associated_data(part.item, part.origin, part.epoch)
    opened: list[tuple[int, LabelRecord, int]] = []
    unseen = set(hits)

    def search(number: int, entries: bytes) -> None:
        rows = _read_rows(entries)
        for position, subject in probes[number]:
            secret = token.token_secret(tokens[32 * position : 32 * position + 32])
            tag, label_key = token.entry_keys(secret, part.item, part.epoch)
            if tag not in rows:
                continue
            record = _open(label_key, rows[tag], associated)
            if subject is not None:
                opened.append((subject, record, name_check_of(label_key, question.subjects[subject])))
            elif position in unseen and record.planted and record.value == hits[position].value:
                unseen.discard(position)
            else:
                raise dishonest("a planted test subject has a wrong answer", "planted")

    fetch_buckets(exchange, session, manifest, part, sorted(probes), search)
    if unseen:
        raise dishonest("a planted test subject is missing", "planted")
    return opened


def fetch_buckets(
    exchange: Exchange,
    session: Session,
    manifest: Manifest,
    part: PartitionOffer,
    numbers: Sequence[int],
    use: Callable[[int, bytes], None],
) -> None:
    """Hand each bucket to `use` once its path to the signed root holds; a broken stream goes on."""
    left = list(numbers)

    def stream() -> None:
        while left:
            asked = left[: manifest.limits.max_buckets_per_request]
            request = BucketRequest(
                part.epoch, session.query_id, part.item, part.origin, part.version, tuple(asked)
            )
            for number, entries in whole_buckets(exchange.link.fetch_buckets(request), part, asked):
                use(number, entries)
                left.remove(number)
                exchange.journal.progress("fetch", len(numbers) - len(left), len(numbers), manifest)

    with_retries(exchange, stream)


def whole_buckets(
    slices: Iterable[BucketSlice], part: PartitionOffer, asked: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """Put parts together and verify each bucket. Raises DishonestPeerError; UnavailableError if cut off."""
    most = part.entries * index.ENTRY_SIZE
    waiting = list(reversed(asked))
    data, size = bytearray(), 0
    path: tuple[bytes, ...] = ()
    for piece in slices:
        if not waiting or piece.bucket != waiting[-1] or piece.offset != len(data):
            raise dishonest("the peer sends buckets out of order", "bucket_order")
        if piece.offset == 0:
            path, size = piece.path, piece.size
        data += piece.data
        if piece.size != size or size > most or len(data) > size:
            raise dishonest("the peer sends a bucket larger than its partition", "bucket_size")
        if len(data) < size:
            continue
        number, entries = waiting.pop(), bytes(data)
        leaf = index.bucket_leaf(number, entries)
        if not merkle.verify(leaf, number, part.buckets, path, part.root):
            raise dishonest("a bucket is not the one in the signed manifest", "bucket_digest")
        yield number, entries
        data = bytearray()
    if waiting:
        raise UnavailableError("the peer ended the stream early")


def _read_rows(entries: bytes) -> dict[bytes, bytes]:
    try:
        return index.read_bucket(entries)
    except BucketError:
        raise dishonest("a bucket is malformed", "bucket_form") from None


def _open(label_key: bytes, sealed: bytes, associated: bytes) -> LabelRecord:
    try:
        return label.open_label(label_key, sealed, associated)
    except LabelError:
        raise dishonest("a label does not open under its own token", "label") from None
