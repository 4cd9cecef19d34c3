"""Step 3 of the requester: choose a plan, fetch, open the labels, conclude (design.md sections 3 and 4)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from blake3 import blake3

from matcher import LabelRecord, Level, index, label, token
from matcher import filter as filters
from matcher import plan as plans
from matcher.errors import BucketError, LabelError
from matcher.plan import Choice, Plan
from node.catalogue import Item
from node.fetch import fetch_buckets, fetch_filter
from node.manifest import Manifest, PartitionOffer
from node.outcome import Outcome
from node.query import (
    EPOCH_START,
    Answer,
    PlantedPoint,
    Query,
    Question,
    SubjectPoint,
    conclude,
    name_check_of,
)
from node.session import Exchange, Session, dishonest

MAX_VALUE = 2**53 - 1  # what every reader of JSON keeps exactly
LAST_DAY = (date.max - EPOCH_START).days
_DECOY_CONTEXT = "heqiao v1 decoy buckets"


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What step 3 works on: the finished step 2 of one peer's query.

    `secrets` are those of the batch's tokens, 32 bytes each: all items share them.
    """

    exchange: Exchange
    session: Session
    manifest: Manifest
    question: Question
    query: Query
    secrets: bytes = field(repr=False)

    def item_of(self, part: PartitionOffer) -> Item:
        """The catalogue item of a partition."""
        return self.exchange.catalogue.item(part.item)


@dataclass(frozen=True, slots=True)
class Probe:
    """One tag looked for in one bucket: of a subject, of a planted hit, or (neither) of a miss."""

    bucket: int
    tag: bytes = field(repr=False)
    label_key: bytes = field(repr=False)
    subject: int | None = None
    planted: PlantedPoint | None = None


def ask_item(retrieval: Retrieval, item: Item) -> tuple[list[Answer], list[Choice]]:
    """Step 3 for one item: an answer per subject, and the plan chosen for each partition."""
    question, manifest = retrieval.question, retrieval.manifest
    if item.code not in manifest.items:
        return [
            Answer(Outcome.NOT_MANDATED, reason=why[item.code])
            if item.code in why
            else Answer(Outcome.NOT_CONNECTED)
            for why in question.uncovered
        ], []
    found: list[list[tuple[LabelRecord, int]]] = [[] for _ in question.subjects]
    missing: set[int] = set()
    choices: list[Choice] = []
    by_origin: dict[str, list[SubjectPoint]] = {}
    for point in retrieval.query.subjects:
        if item.code not in question.uncovered[point.subject]:
            by_origin.setdefault(point.origin, []).append(point)
    for origin, points in sorted(by_origin.items()):
        part = manifest.partition(item.code, origin)
        if part is None:
            missing.update(point.subject for point in points)
            continue
        opened, choice = search_partition(retrieval, part, points)
        choices.append(choice)
        for subject, record, check in opened:
            found[subject].append((record, check))
    today = retrieval.exchange.clock().date()
    return [
        Answer(Outcome.NOT_MANDATED, reason=why[item.code])
        if item.code in why
        else conclude(item, subject, found[number], number in missing, today)
        for number, (subject, why) in enumerate(zip(question.subjects, question.uncovered, strict=True))
    ], choices


def search_partition(
    retrieval: Retrieval, part: PartitionOffer, points: Sequence[SubjectPoint]
) -> tuple[list[tuple[int, LabelRecord, int]], Choice]:
    """(subject, label, check byte of the asked name) for every label opened in one partition.

    Besides the subjects it looks for planted hits, which must be there, and misses, which must not.
    """
    probes = list(_probes(retrieval, part, points))
    choice = choose_plan(retrieval.exchange, retrieval.manifest, part, len(probes))
    numbers = choose_buckets(retrieval, part, probes, choice.plan)
    waiting: dict[int, list[Probe]] = {}
    for probe in probes:
        waiting.setdefault(probe.bucket, []).append(probe)
    associated = label.associated_data(part.item, part.origin, part.epoch)
    unseen = {probe.tag for probe in probes if probe.planted is not None}
    opened: list[tuple[int, LabelRecord, int]] = []

    def search(number: int, entries: bytes) -> None:
        rows = _read_rows(entries)
        probing = waiting.get(number, [])
        for place in rows.holding([probe.tag for probe in probing]):
            probe = probing[place]
            record = _open(probe.label_key, rows[probe.tag], associated)
            if probe.subject is not None:
                _require_possible(record, retrieval.item_of(part))
                subject = retrieval.question.subjects[probe.subject]
                opened.append((probe.subject, record, name_check_of(record.record, subject)))
            elif probe.planted is not None and record.planted and record.value == probe.planted.value:
                unseen.discard(probe.tag)
            else:
                raise dishonest("a planted test subject has a wrong answer", "planted")

    fetch_buckets(retrieval.exchange, retrieval.session, retrieval.manifest, part, numbers, search)
    if unseen:
        raise dishonest("a planted test subject is missing", "planted")
    return opened, choice


def choose_plan(exchange: Exchange, manifest: Manifest, part: PartitionOffer, asked: int) -> Choice:
    """The cheapest plan under the responder's floor; never `filter` for a caller that keeps no filters."""
    floor = Plan(manifest.limits.retrieval_floor)
    if exchange.filters is None and floor is Plan.FILTER:
        floor = Plan.BUCKETS
    cached = exchange.filters is not None and exchange.filters.holds(exchange.peer.code, part)
    return plans.choose(plans.Sizes(asked, part.entries, part.bits, cached), floor)


def choose_buckets(
    retrieval: Retrieval, part: PartitionOffer, probes: Sequence[Probe], plan: Plan
) -> list[int]:
    """The buckets to fetch under a plan, ascending and each once."""
    if plan is Plan.PARTITION:
        return list(range(part.buckets))
    asked = {probe.bucket for probe in probes}
    if plan is Plan.BUCKETS:
        return sorted(asked)
    found = fetch_filter(retrieval.exchange, retrieval.session, part)
    present = filters.contains(found, b"".join(probe.tag for probe in probes))
    candidates = {probe.bucket for probe, maybe in zip(probes, present, strict=True) if maybe}
    if any(probe.planted and not maybe for probe, maybe in zip(probes, present, strict=True)):
        raise dishonest("a planted test subject is missing from the filter", "planted")
    wanted = plans.decoy_count(len(candidates), part.bits, len(asked))
    return sorted(candidates | set(_decoys(retrieval.session.seed, part, asked - candidates, wanted)))


def _probes(retrieval: Retrieval, part: PartitionOffer, points: Iterable[SubjectPoint]) -> Iterator[Probe]:
    def keys(position: int) -> tuple[bytes, bytes]:
        secret = retrieval.secrets[32 * position : 32 * position + 32]
        return token.entry_keys(secret, part.item, part.epoch)

    for point in points:
        yield Probe(part.bucket(point.prefix), *keys(point.position), subject=point.subject)
    for hit in retrieval.query.planted:
        if (hit.item, hit.origin) == (part.item, part.origin):
            yield Probe(part.bucket(hit.prefix), *keys(hit.position), planted=hit)
    for prefix, position in retrieval.query.misses:
        yield Probe(part.bucket(prefix), *keys(position))


def _decoys(seed: bytes, part: PartitionOffer, asked: Iterable[int], wanted: int) -> list[int]:
    """Buckets without a candidate that are fetched too, so that not every bucket fetched holds a match.

    They are buckets that the query asks about anyway, and always the same ones in one query: a resumed
    query that drew others would show which buckets stay.
    """
    place = f"{part.item} {part.origin} {part.version} ".encode()
    order = blake3(seed + place, derive_key_context=_DECOY_CONTEXT).digest()
    return sorted(asked, key=lambda number: blake3(number.to_bytes(4, "big"), key=order).digest())[:wanted]


def _require_possible(record: LabelRecord, item: Item) -> None:
    """Refuse a record that no import makes (node.catalogue.disclose): reports rely on the ranges."""
    highest = {
        Level.EXISTENCE: 1,
        Level.THRESHOLD: 1,
        Level.BAND: len(item.bands),
        Level.COUNT: MAX_VALUE,
        Level.VALUE: MAX_VALUE,
    }.get(item.level, -1)
    if record.level is not item.level or record.planted or record.value > highest or record.as_of > LAST_DAY:
        raise dishonest("a label holds what the catalogue does not allow", "label_content")


def _read_rows(entries: bytes) -> index.BucketRows:
    try:
        return index.read_bucket(entries)
    except BucketError:
        raise dishonest("a bucket is malformed", "bucket_form") from None


def _open(label_key: bytes, sealed: bytes, associated: bytes) -> LabelRecord:
    try:
        return label.open_label(label_key, sealed, associated)
    except LabelError:
        raise dishonest("a label does not open under its own token", "label") from None
