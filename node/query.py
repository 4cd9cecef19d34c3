"""One peer's query as pure data: which points, in which order, and what the opened labels mean.

The points of a query are the subjects' identities, hidden among canaries, planted subjects (hits
that must be found) and misses (random test identities that must not be; they also pad the batch to
a size class), all in one secret order (design.md section 2).
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, overload

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from matcher import Identity, batch, identity, lanes, token
from matcher.lanes import Bytes
from matcher.oprf import RandomBytes
from node.catalogue import Item
from node.households import Subject
from node.mandate import Mandate, digest
from node.manifest import Manifest
from node.outcome import Outcome

Numbers = NDArray[np.int64]

EPOCH_START = date(1970, 1, 1)
SEED_SIZE = 32
SMALLEST_CLASS = 16
FINEST_STEP = 1024  # points, between the classes of large batches
POINTS_PER_CANARY = 2048
HITS_PER_PARTITION = 2
MISSES = 2
STRETCH = 4096  # identities mapped at a time: about 25 ms
_MISS_NAME = 15  # random bytes; in hexadecimal they just fit one block of the hash
_ORDER_CONTEXT = "heqiao v1 query order"
_CHOICE_CONTEXT = "heqiao v1 query choice"
_LEAF_CONTEXT = "heqiao v1 mandate leaf"
_NONCE_CONTEXT = "heqiao v1 mandate nonce"


@dataclass(frozen=True, slots=True)
class Question:
    """What one peer is asked. `uncovered[i]` are the items it may not be asked of subject i, and why."""

    subjects: tuple[Subject, ...] = field(repr=False)
    uncovered: tuple[Mapping[str, str], ...]
    mandates: tuple[Mandate | None, ...] = field(repr=False)  # of each subject; None where it is not known
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


class SubjectPoints(Sequence[SubjectPoint]):
    """The identities of all subjects as columns, one row each, in the subjects' order.

    `subject`, `origin` (as a number, `00` is 0), `prefix` and `position` are arrays.
    """

    def __init__(self, subject: Numbers, origin: Numbers, prefix: Numbers, position: Numbers) -> None:
        self.subject, self.origin, self.prefix, self.position = subject, origin, prefix, position

    def __len__(self) -> int:
        return len(self.subject)

    @overload
    def __getitem__(self, at: int) -> SubjectPoint: ...
    @overload
    def __getitem__(self, at: slice) -> list[SubjectPoint]: ...
    def __getitem__(self, at: int | slice) -> SubjectPoint | list[SubjectPoint]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        origin = f"{int(self.origin[at]):02}"
        return SubjectPoint(int(self.subject[at]), origin, int(self.prefix[at]), int(self.position[at]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SubjectPoints) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # arrays may change

    def __repr__(self) -> str:
        return f"SubjectPoints({len(self)})"

    def chosen(self, rows: NDArray[np.bool_]) -> "SubjectPoints":
        """Those for which `rows` holds."""
        return SubjectPoints(self.subject[rows], self.origin[rows], self.prefix[rows], self.position[rows])


@dataclass(frozen=True, slots=True)
class PlantedPoint:
    """A planted subject of one partition and the value it must have."""

    item: str
    origin: str
    prefix: int
    position: int
    value: int


class Batch:
    """The points M of a batch, n of 32 bytes, each with its place in the order in which they are sent.

    Those of people (`rows` of `people`) come first in `order`, then `others`. Nothing shows in a repr.
    """

    def __init__(self, people: "MappedPoints", rows: Numbers, others: Bytes, order: Numbers) -> None:
        self._people, self._rows, self._others, self._order = people, rows, others, order

    def __len__(self) -> int:
        return len(self._order)

    def __repr__(self) -> str:
        return f"Batch({len(self)})"

    def stretches(self) -> Iterator[tuple[Numbers, Bytes]]:
        """Places and points, some at a time; people are mapped as their turn comes."""
        yield self._order[len(self._rows) :], self._others
        for first, points in self._people.stretches():
            here = np.flatnonzero((self._rows >= first) & (self._rows < first + len(points)))
            yield self._order[here], points[self._rows[here] - first]

    def tobytes(self) -> bytes:
        """All points in the order in which they are sent."""
        found = np.empty((len(self), 32), dtype=np.uint8)
        for places, points in self.stretches():
            found[places] = points
        return found.tobytes()


@dataclass(frozen=True, slots=True)
class Query:
    """The whole batch, and what its points stand for."""

    batch: Batch
    subjects: SubjectPoints = field(repr=False)
    planted: tuple[PlantedPoint, ...] = field(repr=False)
    misses: tuple[tuple[int, int], ...] = field(repr=False)  # (prefix, position)
    canaries: Mapping[int, int] = field(repr=False)  # position -> which constant

    @property
    def points(self) -> int:
        """Points in the batch, padding included."""
        return len(self.batch)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one peer says of one subject and item, before it becomes a Finding."""

    outcome: Outcome
    value: int | None = None
    as_of: int | None = None
    reason: str = ""


def size_class(points: int) -> int:
    """The class a batch is padded to, 16 at least, so that sizes show roughly only.

    Up to 4,096 points there are four classes to a doubling. Above, sixteen do: each hides the size among a
    thousand and more, and padding costs a large list a few per cent instead of up to a quarter.
    """
    size = SMALLEST_CLASS
    while size < points:
        quarter = 1 << max(size.bit_length() - 3, 2)
        size += min(quarter, max(quarter // 4, FINEST_STEP))
    return size


def build_query(
    question: Question, manifest: Manifest, salt: bytes, seed: bytes, mapped: "MappedPoints"
) -> Query:
    """Lay out the batch; the same arguments give the same batch, so that a resumed query goes on."""
    numbers, identities = _asked_identities(question)
    places = mapped.places(identities)
    # Each identity once: under one blind, equal identities would be equal points and so recognisable.
    distinct, inverse = _distinct(places)
    hits = _choose_hits(question, manifest, mapped.origins[distinct], seed)
    canaries = min(max(2, len(distinct) // POINTS_PER_CANARY), token.CANARIES)
    real = len(distinct) + len(hits) + canaries
    total = size_class(real + MISSES)
    miss_types, miss_values = draw_misses(seed, total - real)
    order = secret_order(seed, total)

    constants = np.frombuffer(token.canary_points(), dtype=np.uint8).reshape(-1, 32)
    chosen = choose_canaries(seed, canaries)
    planted = token.map_batch(salt, (identity.planted(*hit[:3]) for hit in hits))
    others = np.concatenate(
        (
            np.frombuffer(planted, dtype=np.uint8).reshape(-1, 32),
            constants[chosen],
            batch.map_to_curve(salt, miss_types, miss_values),
        )
    )
    at = iter(order[len(distinct) : real].tolist())
    return Query(
        batch=Batch(mapped, distinct, others, order),
        subjects=SubjectPoints(
            numbers, mapped.origins[places], mapped.prefixes[places], order[: len(distinct)][inverse]
        ),
        planted=tuple(
            PlantedPoint(
                item, origin, token.bucket_prefix(salt, identity.planted(item, origin, name)), next(at), value
            )
            for item, origin, name, value in hits
        ),
        canaries={next(at): constant for constant in chosen},
        misses=tuple(
            zip(
                batch.prefixes(batch.digests(salt, miss_types, miss_values)).tolist(),
                order[real:].tolist(),
                strict=True,
            )
        ),
    )


class HasIdentities(Protocol):
    """Somebody asked about: a subject, or a person of a cohort."""

    @property
    def identities(self) -> tuple[Identity, ...]:
        """Current and former numbers."""


class MappedPoints:
    """Points, bucket prefixes and origins of people's identities, computed once for all peers of a job.

    A row is an identity, each once; `prefixes` and `origins` are numbers. Points are computed when they are
    first asked for.
    """

    def __init__(self, salt: bytes, people: Iterable[HasIdentities]) -> None:
        known = dict.fromkeys(
            (found.id_type, found.value) for person in people for found in person.identities
        )
        self._rows = {name: row for row, name in enumerate(known)}
        self._salt = salt
        self._types, self._values = batch.pack_identities(list(known))
        found = batch.digests(salt, self._types, self._values)
        self.prefixes: Numbers = batch.prefixes(found).astype(np.int64)
        self.origins: Numbers = batch.origins(self._types, self._values).astype(np.int64)
        self._points = np.empty((len(known), 32), dtype=np.uint8)
        self._mapped, self._lock = 0, threading.Lock()

    @property
    def points(self) -> Bytes:
        """The points M of all rows, (n, 32)."""
        for _ in self.stretches():
            pass
        return self._points

    def stretches(self) -> Iterator[tuple[int, Bytes]]:
        """The points some at a time, each time with the row of the first."""
        for first in range(0, len(self._points), STRETCH):
            last = min(first + STRETCH, len(self._points))
            with self._lock:
                if self._mapped < last:
                    part = slice(first, last)
                    mapped = batch.map_to_curve(self._salt, self._types[part], self._values[part])
                    self._points[part], self._mapped = mapped, last
            yield first, self._points[first:last]

    def places(self, identities: Iterable[Identity]) -> Numbers:
        """The rows of some identities."""
        rows = self._rows
        return np.array([rows[found.id_type, found.value] for found in identities], dtype=np.int64)


def mandate_rows(question: Question, query: Query, seed: bytes) -> Bytes:
    """What the leaves of the mandate tree hold beside the blinded point, (points, 64): digest and nonce.

    Points that stand for nobody have zeros for a digest, and so has who has no mandate.
    """
    different = {id(mandate): mandate for mandate in question.mandates}  # a household shares one
    digest_of = {key: digest(mandate) if mandate else bytes(32) for key, mandate in different.items()}
    joined = b"".join([digest_of[id(mandate)] for mandate in question.mandates])
    held = np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)
    digests = np.zeros((query.points, 32), dtype=np.uint8)
    digests[query.subjects.position] = held[query.subjects.subject]
    nonces = blake3(seed, derive_key_context=_NONCE_CONTEXT).digest(length=32 * query.points)
    return np.hstack((digests, np.frombuffer(nonces, dtype=np.uint8).reshape(-1, 32)))


def mandate_leaves(blinded: bytes, rows: Bytes) -> list[bytes]:
    """The leaves of the mandate tree, one per point in the order of the batch (design.md 7, ADR 2).

    A leaf is BLAKE3 of the blinded point, the mandate's digest and a nonce of the query: `rows` are those
    of `mandate_rows`. The nonce lets points that stand for nobody look the same.
    """
    points = np.frombuffer(blinded, dtype=np.uint8).reshape(-1, 32)
    leaves = lanes.derive(_LEAF_CONTEXT, np.hstack((points, rows))).tobytes()
    return [leaves[at : at + 32] for at in range(0, len(leaves), 32)]


def new_seed(random_bytes: RandomBytes) -> bytes:
    """The secret that fixes order, choice and padding of one query."""
    return random_bytes(SEED_SIZE)


def covered(question: Question, items: Iterable[str]) -> NDArray[np.bool_]:
    """Which subjects have a mandate for at least one of some items."""
    codes = tuple(items)
    # Mandates that cover the same share one mapping: it is looked at once.
    shared = {id(why): why for why in question.uncovered}
    good = {key: any(code not in why for code in codes) for key, why in shared.items()}
    return np.array([good[id(why)] for why in question.uncovered], dtype=bool)


def _asked_identities(question: Question) -> tuple[Numbers, list[Identity]]:
    """Every identity of every subject with a mandate for at least one item: nobody else is asked about.

    The first of the two says whose each is.
    """
    asked = np.flatnonzero(covered(question, (item.code for item in question.items)))
    subjects = [question.subjects[number].identities for number in asked.tolist()]
    return np.repeat(asked, [len(each) for each in subjects]), [one for each in subjects for one in each]


def _distinct(places: Numbers) -> tuple[Numbers, Numbers]:
    """Different values in the order in which they first come, and for each place which of them it is."""
    values, first, inverse = np.unique(places, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return values[order], rank[inverse]


def _choose_hits(
    question: Question, manifest: Manifest, asked: Numbers, seed: bytes
) -> list[tuple[str, str, str, int]]:
    """Some planted subjects of every partition that will be asked: (item, origin, name, value)."""
    origins = [f"{code:02}" for code in np.unique(asked).tolist()]
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


def choose_canaries(seed: bytes, count: int) -> list[int]:
    """Which of the public constants go into a batch."""
    return sorted(range(token.CANARIES), key=lambda number: _choice(seed, b"canary", number))[:count]


def draw_misses(seed: bytes, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Random test identities that nobody holds, as `batch` takes them."""
    names = blake3(seed + b"miss", derive_key_context=_CHOICE_CONTEXT).digest(length=_MISS_NAME * count).hex()
    size = 2 * _MISS_NAME
    found = (
        identity.planted("miss", identity.NO_ORIGIN, names[at * size : at * size + size])
        for at in range(count)
    )
    return batch.pack_identities([(one.id_type, one.value) for one in found])


def _choice(seed: bytes, purpose: bytes, number: int) -> int:
    stream = blake3(seed + purpose + number.to_bytes(8, "big"), derive_key_context=_CHOICE_CONTEXT)
    return int.from_bytes(stream.digest(length=8), "big")


def secret_order(seed: bytes, count: int) -> NDArray[np.int64]:
    """A secret permutation: sort by 64 pseudorandom bits of each place."""
    stream = blake3(seed, derive_key_context=_ORDER_CONTEXT).digest(length=8 * count)
    return np.argsort(np.frombuffer(stream, dtype="<u8"), kind="stable")
