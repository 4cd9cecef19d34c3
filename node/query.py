"""One peer's query as pure data: which points, in which order, and what the opened labels mean.

The points of a query are the subjects' identities, hidden among canaries, planted subjects (hits
that must be found) and misses (random test identities that must not be; they also pad the batch to
a size class), all in one secret order (design.md section 2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from matcher import Identity, LabelRecord, Level, identity, label, token
from matcher.oprf import RandomBytes
from node.catalogue import Item
from node.households import Subject
from node.manifest import Manifest
from node.outcome import Outcome

EPOCH_START = date(1970, 1, 1)
SEED_SIZE = 32
SMALLEST_CLASS = 16
POINTS_PER_CANARY = 2048
HITS_PER_PARTITION = 2
MISSES = 2
_ORDER_CONTEXT = "heqiao v1 query order"
_CHOICE_CONTEXT = "heqiao v1 query choice"
_LEAF_CONTEXT = "heqiao v1 mandate leaf"
_NONCE_CONTEXT = "heqiao v1 mandate nonce"


@dataclass(frozen=True, slots=True)
class Question:
    """What one peer is asked. `uncovered[i]` are the items it may not be asked of subject i, and why."""

    subjects: tuple[Subject, ...] = field(repr=False)
    uncovered: tuple[Mapping[str, str], ...]
    mandate_digests: tuple[bytes, ...] = field(repr=False)
    items: tuple[Item, ...]
    purpose: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class SubjectPoint:
    """One identity of one subject: `position` is its place in the batch."""

    subject: int
    origin: str
    prefix: int
    position: int


@dataclass(frozen=True, slots=True)
class PlantedPoint:
    """A planted subject of one partition and the value it must have."""

    item: str
    origin: str
    prefix: int
    position: int
    value: int


@dataclass(frozen=True, slots=True)
class Query:
    """The whole batch: `mapped` holds the points M, 32 bytes each, in the order they are sent."""

    mapped: bytes = field(repr=False)
    subjects: tuple[SubjectPoint, ...] = field(repr=False)
    planted: tuple[PlantedPoint, ...] = field(repr=False)
    misses: tuple[tuple[int, int], ...] = field(repr=False)  # (prefix, position)
    canaries: Mapping[int, int] = field(repr=False)  # position -> which constant

    @property
    def points(self) -> int:
        """Points in the batch, padding included."""
        return len(self.mapped) // 32


@dataclass(frozen=True, slots=True)
class Answer:
    """What one peer says of one subject and item, before it becomes a Finding."""

    outcome: Outcome
    value: int | None = None
    as_of: int | None = None
    reason: str = ""


def size_class(points: int) -> int:
    """The class a batch is padded to: four per doubling, 16 at least, so that sizes show roughly only."""
    size = SMALLEST_CLASS
    while size < points:
        step = 1 << max(size.bit_length() - 3, 2)
        size += step
    return size


def build_query(
    question: Question, manifest: Manifest, salt: bytes, seed: bytes, mapped: "MappedPoints"
) -> Query:
    """Lay out the batch; the same arguments give the same batch, so that a resumed query goes on."""
    asked = _asked_identities(question)
    # Each identity once: under one blind, equal identities would be equal points and so recognisable.
    distinct = list(dict.fromkeys(found for _, found in asked))
    hits = _choose_hits(question, manifest, distinct, seed)
    canaries = min(max(2, len(distinct) // POINTS_PER_CANARY), token.CANARIES)
    real = len(distinct) + len(hits) + canaries
    total = size_class(real + MISSES)
    miss_identities = [_miss(seed, number) for number in range(total - real)]
    order = _secret_order(seed, total)

    constants = token.canary_points()
    chosen = sorted(range(token.CANARIES), key=lambda number: _choice(seed, b"canary", number))[:canaries]
    rows = (
        mapped.of(distinct)
        + token.map_batch(salt, (identity.planted(*hit[:3]) for hit in hits))
        + b"".join(constants[32 * c : 32 * c + 32] for c in chosen)
        + token.map_batch(salt, miss_identities)
    )
    shuffled = np.empty((total, 32), dtype=np.uint8)
    shuffled[order] = np.frombuffer(rows, dtype=np.uint8).reshape(-1, 32)

    at = iter(order.tolist())
    places = {found: next(at) for found in distinct}
    return Query(
        subjects=tuple(
            SubjectPoint(subject, identity.origin(found), mapped.prefix(found), places[found])
            for subject, found in asked
        ),
        planted=tuple(
            PlantedPoint(
                item, origin, token.bucket_prefix(salt, identity.planted(item, origin, name)), next(at), value
            )
            for item, origin, name, value in hits
        ),
        canaries={next(at): constant for constant in chosen},
        misses=tuple((token.bucket_prefix(salt, missing), next(at)) for missing in miss_identities),
        mapped=shuffled.tobytes(),
    )


class MappedPoints:
    """Points and bucket prefixes of the subjects' identities, computed once for all peers of a job."""

    def __init__(self, salt: bytes, subjects: Iterable[Subject]) -> None:
        known = {found for subject in subjects for found in subject.identities}
        self._points = {found: token.map_to_curve(salt, found) for found in known}
        self._prefixes = {found: token.bucket_prefix(salt, found) for found in known}

    def of(self, identities: Iterable[Identity]) -> bytes:
        """The points of some identities, 32 bytes each."""
        return b"".join(self._points[found] for found in identities)

    def prefix(self, found: Identity) -> int:
        """The 32-bit bucket prefix of an identity."""
        return self._prefixes[found]


def mandate_leaves(question: Question, query: Query, blinded: bytes, seed: bytes) -> list[bytes]:
    """The leaves of the mandate tree, one per point in the order of the batch (design.md 7, ADR 2).

    A leaf is BLAKE3 of the blinded point, the mandate's digest and a nonce of the query; points that
    stand for nobody have the nonce alone, so that they look the same.
    """
    digests = {point.position: question.mandate_digests[point.subject] for point in query.subjects}
    nonces = blake3(seed, derive_key_context=_NONCE_CONTEXT).digest(length=32 * query.points)
    return [
        blake3(
            blinded[32 * at : 32 * at + 32] + digests.get(at, bytes(32)) + nonces[32 * at : 32 * at + 32],
            derive_key_context=_LEAF_CONTEXT,
        ).digest()
        for at in range(query.points)
    ]


def conclude(
    item: Item,
    subject: Subject,
    found: Sequence[tuple[LabelRecord, int]],
    missing_origin: bool,
    today: date,
) -> Answer:
    """One subject's answer from the labels opened for it, each with the check byte of the asked name.

    Entries with one record number are one record. Several records (a person held under two numbers
    that the responder could not connect) add up for counts and values; the highest band counts.
    """
    records = {opened.record: (opened, check) for opened, check in found}
    if not records:
        if missing_origin:
            return Answer(Outcome.REFUSED, reason="origin_not_granted")
        return Answer(Outcome.NOT_OVER if item.level is Level.THRESHOLD else Outcome.NOT_FOUND)
    same_name = [
        opened
        for opened, check in records.values()
        if not (opened.has_name and subject.name) or opened.name_check == check
    ]
    if not same_name:
        return Answer(Outcome.NAME_MISMATCH)
    values = [opened.value for opened in same_name]
    additive = item.level in (Level.COUNT, Level.VALUE)
    value = sum(values) if additive else max(values)
    as_of = min(opened.as_of for opened in same_name)
    if EPOCH_START + timedelta(days=as_of) < today - timedelta(days=item.freshness_days):
        return Answer(Outcome.STALE, value, as_of)
    return Answer(Outcome.OVER if item.level is Level.THRESHOLD else Outcome.FOUND, value, as_of)


def name_check_of(record: bytes, subject: Subject) -> int:
    """The check byte that a record of this number would carry for a person of this name."""
    return label.name_check(record, subject.name) if subject.name else 0


def new_seed(random_bytes: RandomBytes) -> bytes:
    """The secret that fixes order, choice and padding of one query."""
    return random_bytes(SEED_SIZE)


def _asked_identities(question: Question) -> list[tuple[int, Identity]]:
    """Every identity of every subject with a mandate for at least one item: nobody else is asked about."""
    return [
        (number, found)
        for number, (subject, why) in enumerate(zip(question.subjects, question.uncovered, strict=True))
        if any(item.code not in why for item in question.items)
        for found in subject.identities
    ]


def _choose_hits(
    question: Question, manifest: Manifest, asked: Sequence[Identity], seed: bytes
) -> list[tuple[str, str, str, int]]:
    """Some planted subjects of every partition that will be asked: (item, origin, name, value)."""
    origins = sorted({identity.origin(found) for found in asked})
    chosen = []
    for item in question.items:
        for origin in origins:
            part = manifest.partition(item.code, origin)
            if part is None or not part.planted:
                continue
            first = _choice(seed, f"hit {item.code} {origin}".encode(), 0)
            for step in range(min(HITS_PER_PARTITION, len(part.planted))):
                hit = part.planted[(first + step) % len(part.planted)]
                chosen.append((item.code, origin, hit.name, hit.value))
    return chosen


def _miss(seed: bytes, number: int) -> Identity:
    name = blake3(seed + b"miss" + number.to_bytes(8, "big"), derive_key_context=_CHOICE_CONTEXT).hexdigest()
    return identity.planted("miss", identity.NO_ORIGIN, name)


def _choice(seed: bytes, purpose: bytes, number: int) -> int:
    stream = blake3(seed + purpose + number.to_bytes(8, "big"), derive_key_context=_CHOICE_CONTEXT)
    return int.from_bytes(stream.digest(length=8), "big")


def _secret_order(seed: bytes, count: int) -> NDArray[np.int64]:
    """A secret permutation: sort by 64 pseudorandom bits of each place."""
    stream = blake3(seed, derive_key_context=_ORDER_CONTEXT).digest(length=8 * count)
    return np.argsort(np.frombuffer(stream, dtype="<u8"), kind="stable")
