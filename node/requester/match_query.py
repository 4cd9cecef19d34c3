"""One peer's query as pure data: which points, in which order, and what the opened labels mean.

The points of a query are the subjects' identities, mixed with canaries, planted subjects (hits
that must be found) and misses (random test identities that must not be found; they also pad the batch to
a size class), all in one secret order (design.md section 2).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import compress
from types import MappingProxyType
from typing import Protocol

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from matcher import batch, identity, merkle, vectorised
from matcher.suites.points import Blinded
from matcher.suites.suite import Suite
from matcher.types import TokenClass
from matcher.vectorised import Bytes
from node.context import Node
from node.domain.catalogue import Item
from node.domain.findings import Outcome
from node.domain.mandate import Mandate, Scope, are_named, covers, digest
from node.domain.size_classes import size_class
from node.domain.subjects import Subject, Subjects
from node.domain.verification import Verification
from node.requester.padding import (
    MISSES,
    POINTS_PER_CANARY,
    canary_points,
    choice,
    choose_canaries,
    draw_misses,
    secret_order,
)
from node.requester.points import MappedPoints, Numbers, SubjectPoints, identity_pairs
from node.wire.manifest import Manifest

HITS_PER_PARTITION = 2
_LEAF_CONTEXT = "heqiao v1 mandate leaf"
_NONCE_CONTEXT = "heqiao v1 mandate nonce"


@dataclass(frozen=True, slots=True)
class Question:
    """What one peer is asked. `uncovered[i]` maps the items not to be asked about subject i to the reason."""

    subjects: Sequence[Subject] = field(repr=False)
    uncovered: tuple[Mapping[str, str], ...]
    mandates: tuple[Mandate | None, ...] = field(repr=False)  # of each subject; None where unknown
    items: tuple[Item, ...]
    purpose: str
    legal_basis: str
    # Last day on which tokens are kept for monitoring, days since 1970-01-01; 0 where none are.
    tokens_until: int = 0

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the items."""
        return tuple(item.code for item in self.items)


@dataclass(frozen=True, slots=True)
class PlantedPoint:
    """A planted subject of one partition and the value it must have."""

    item: str
    origin: str
    prefix: int
    position: int
    value: int
    name: str = ""


class Batch:
    """The points M of a batch, each with its place in the order in which they are sent.

    Those of people (`rows` of `people`) come first in `order`, then `others`. Nothing shows in a repr.
    """

    def __init__(self, people: MappedPoints, rows: Numbers, others: Bytes, order: Numbers) -> None:
        self._people, self._rows, self._others, self._order = people, rows, others, order

    @property
    def suite(self) -> Suite:
        """The suite the points are of."""
        return self._people.suite

    def __len__(self) -> int:
        return len(self._order)

    def __repr__(self) -> str:
        return f"Batch({len(self)})"

    def chunks(self) -> Iterator[tuple[Numbers, Bytes]]:
        """Places and points in chunks; people are mapped chunk by chunk."""
        yield self._order[len(self._rows) :], self._others
        for first, points in self._people.chunks():
            here = np.flatnonzero((self._rows >= first) & (self._rows < first + len(points)))
            yield self._order[here], points[self._rows[here] - first]

    def tobytes(self) -> bytes:
        """All points in the order in which they are sent."""
        found = np.empty((len(self), self.suite.sizes.point), dtype=np.uint8)
        for places, points in self.chunks():
            found[places] = points
        return found.tobytes()


class Asked(Protocol):
    """What is looked for in partitions: of a query, or of tokens that were kept of one."""

    @property
    def items(self) -> tuple[str, ...]:
        """The codes that the peer was asked about."""

    @property
    def subjects(self) -> SubjectPoints:
        """The identities of people."""

    @property
    def planted(self) -> tuple[PlantedPoint, ...]:
        """Planted subjects, which must be found."""

    @property
    def misses(self) -> NDArray[np.int64]:
        """(n, 2): prefix and position of identities of nobody, which must not be found."""


@dataclass(frozen=True, slots=True)
class Query:
    """The whole batch, with the meaning of its points; `items` are those that the peer is asked about."""

    token_class: TokenClass
    items: tuple[str, ...]
    batch: Batch
    subjects: SubjectPoints = field(repr=False)
    planted: tuple[PlantedPoint, ...] = field(repr=False)
    misses: NDArray[np.int64] = field(repr=False, compare=False)  # (n, 2): prefix, position
    canaries: Mapping[int, int] = field(repr=False)  # position -> which constant

    @property
    def points(self) -> int:
        """Points in the batch, padding included."""
        return len(self.batch)


@dataclass(frozen=True, slots=True)
class Answer:
    """One peer's answer about one subject and item, before it becomes a Finding."""

    outcome: Outcome
    value: int | None = None
    as_of: int | None = None
    reason: str = ""


def split_classes(question: Question) -> tuple[Question, ...]:
    """One question for each class of which an item is asked: a query has one class (design.md 2, step 4)."""
    found = {each: tuple(item for item in question.items if item.token_class is each) for each in TokenClass}
    return tuple(replace(question, items=items) for items in found.values() if items)


def build_query(question: Question, manifest: Manifest, seed: bytes, mapped: MappedPoints) -> Query:
    """Lay out the batch; the same arguments give the same batch, so that a query can be resumed.

    `question` is of one class. Only items with a granted partition are asked about, and only people with
    a mandate for one of them. Its places are, in order: distinct identities of subjects, planted subjects,
    canaries, misses.
    """
    (token_class,) = {item.token_class for item in question.items}
    question = replace(question, items=tuple(item for item in question.items if manifest.has(item.code)))
    numbers, identities = _asked_identities(question)
    places = mapped.places(identities)
    # Each identity once: a person in two households costs one point.
    distinct, inverse = _distinct(places)
    hits = _choose_hits(question, manifest, mapped.origins[distinct], seed)
    canaries = min(max(2, len(distinct) // POINTS_PER_CANARY), mapped.suite.sizes.canaries)
    real = len(distinct) + len(hits) + canaries
    total = size_class(real + MISSES)
    order = secret_order(seed, total)
    subjects, planted, constants, misses = np.split(order, np.cumsum((len(distinct), len(hits), canaries)))
    chosen = choose_canaries(mapped.suite, seed, canaries)
    points, prefixes = _map(mapped, pack_planted(hits), draw_misses(seed, total - real))
    (hit_points, miss_points), (hit_prefixes, miss_prefixes) = (
        np.split(each, [len(hits)]) for each in (points, prefixes)
    )
    others = np.concatenate((hit_points, canary_points(mapped.suite, chosen), miss_points))
    return Query(
        token_class=token_class,
        items=question.codes,
        batch=Batch(mapped, distinct, others, order),
        subjects=SubjectPoints(numbers, mapped.origins[places], mapped.prefixes[places], subjects[inverse]),
        planted=tuple(
            PlantedPoint(item, origin, prefix, position, value, name)
            for (item, origin, name, value), prefix, position in zip(
                hits, hit_prefixes.tolist(), planted.tolist(), strict=True
            )
        ),
        canaries=dict(zip(constants.tolist(), chosen, strict=True)),
        misses=np.stack((miss_prefixes.astype(np.int64), misses.astype(np.int64)), axis=1),
    )


def pack_planted(hits: Sequence[tuple[str, str, str, int]]) -> tuple[NDArray[np.uint8], Bytes]:
    """Planted subjects (item, origin, name, value) as `batch` takes identities."""
    found = [identity.planted(item, origin, name) for item, origin, name, _ in hits]
    return batch.pack_identities([(one.id_type, one.value) for one in found])


def _map(
    mapped: MappedPoints, *identities: tuple[NDArray[np.uint8], Bytes]
) -> tuple[Bytes, NDArray[np.uint32]]:
    """Points and bucket prefixes of identities that belong to no subject, all at once: a query of one
    person has a few of each kind.
    """
    suite, salt = mapped.suite, mapped.salt
    types, values = batch.join_identities(identities)
    return suite.map_to_curve(salt, types, values), batch.prefixes(suite.digests(salt, types, values))


def mandate_rows(
    question: Question, query: Query, seed: bytes, digest_of_one: Callable[[Mandate], bytes] = digest
) -> Bytes:
    """Digest and nonce of each leaf of the mandate tree, (points, 64).

    The digest is zero for points of nobody and for people without a mandate.
    """
    different = {id(mandate): mandate for mandate in question.mandates}  # a household shares one
    digest_of = {key: digest_of_one(one) if one else bytes(32) for key, one in different.items()}
    joined = b"".join([digest_of[id(mandate)] for mandate in question.mandates])
    held = np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)
    digests = np.zeros((query.points, 32), dtype=np.uint8)
    digests[query.subjects.position] = held[query.subjects.subject]
    nonces = blake3(seed, derive_key_context=_NONCE_CONTEXT).digest(length=32 * query.points)
    return np.hstack((digests, np.frombuffer(nonces, dtype=np.uint8).reshape(-1, 32)))


def rows_without_mandate(points: int, seed: bytes) -> Bytes:
    """`mandate_rows` of a batch that is of nobody with a mandate, as a sum's."""
    nonces = blake3(seed, derive_key_context=_NONCE_CONTEXT).digest(length=32 * points)
    return np.hstack((np.zeros((points, 32), np.uint8), np.frombuffer(nonces, np.uint8).reshape(-1, 32)))


def mandate_leaves(blinded: Blinded, rows: Bytes) -> list[bytes]:
    """The leaves of the mandate tree, one per point in the order of the batch (design.md 7, ADR 2).

    A leaf is BLAKE3 of the blinded point, the mandate's digest and a nonce of the query: `rows` are those
    of `mandate_rows`. With the nonce, points of nobody look the same.
    """
    points = np.frombuffer(blinded.points, dtype=np.uint8).reshape(-1, blinded.size)
    leaves = vectorised.derive(_LEAF_CONTEXT, np.hstack((points, rows))).tobytes()
    size = merkle.DIGEST_SIZE
    return [leaves[at : at + size] for at in range(0, len(leaves), size)]


def covered(question: Question, items: Iterable[str]) -> NDArray[np.bool_]:
    """Which subjects have a mandate for at least one of some items."""
    codes = tuple(items)
    # Mandates that cover the same share one mapping: it is checked once.
    shared = {id(why): why for why in question.uncovered}
    good = {key: any(code not in why for code in codes) for key, why in shared.items()}
    return np.array([good[id(why)] for why in question.uncovered], dtype=bool)


def _asked_identities(question: Question) -> tuple[Numbers, list[tuple[str, str]]]:
    """Every identity of every subject with a mandate for at least one item; no others are asked about.

    Returns the subject's row of each identity, then the identities as (type, value).
    """
    asked = covered(question, (item.code for item in question.items))
    people = Subjects.of(question.subjects)
    numbers = np.repeat(np.arange(len(people)), people.identity_counts)
    rows = asked[numbers]
    return numbers[rows], list(compress(identity_pairs(people), rows.tolist()))


def _distinct(places: Numbers) -> tuple[Numbers, Numbers]:
    """Distinct values in order of first occurrence, and for each place the index of its value."""
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
            first = choice(seed, f"hit {item.code} {origin}".encode(), 0)
            for step in range(min(HITS_PER_PARTITION, len(part.planted))):
                hit = part.planted[(first + step) % len(part.planted)]
                chosen.append((item.code, origin, hit.name, hit.value))
    return chosen


def ask_question(
    node: Node,
    verification: Verification,
    peer: str,
    today: date,
    revoked: Collection[str] = (),
    refused: Mapping[int, str] = MappingProxyType({}),
) -> Question:
    """What one peer may be asked: no mandate, no verification (design.md section 7).

    `today` is the day on which the part begins, `revoked` the numbers of mandates revoked until then,
    `refused` why people, by their row, are not asked about whatever their mandate says. A person is asked
    about only under a mandate that names every number the person is asked by; in an urgent check also without
    one.
    """
    uncovered: dict[str, Mapping[str, str]] = {}
    same: dict[tuple[str | None, ...], Mapping[str, str]] = {}  # most mandates of a list cover the same
    of_scope: dict[tuple[Scope, bool] | None, Mapping[str, str]] = {}
    subjects, codes = Subjects.of(verification.subjects), verification.items
    items = {code: node.catalogue.item(code) for code in codes}
    for number in set(subjects.mandates):
        mandate = verification.mandates.get(number)
        key = None if mandate is None else (mandate.scope, mandate.is_complete)
        if key not in of_scope:
            why = tuple(_uncovered(verification, mandate, item, peer, today) for item in items.values())
            if why not in same:
                same[why] = {item: reason for item, reason in zip(codes, why, strict=True) if reason}
            of_scope[key] = same[why]
        uncovered[number] = of_scope[key]
    gone, stranger = dict.fromkeys(codes, "revoked"), dict.fromkeys(codes, "person_not_named")
    uncovered |= {number: gone for number in revoked if number in uncovered}
    named = are_named(subjects, verification.mandates)
    of_reason = {reason: dict.fromkeys(codes, reason) for reason in set(refused.values())}
    return Question(
        subjects=subjects,
        uncovered=tuple(
            of_reason[refused[row]] if row in refused else uncovered[number] if good else stranger
            for row, (number, good) in enumerate(zip(subjects.mandates, named, strict=True))
        ),
        mandates=tuple(map(verification.mandates.get, subjects.mandates)),
        items=tuple(items.values()),
        purpose=verification.purpose,
        legal_basis=verification.legal_basis,
    )


def _uncovered(
    verification: Verification, mandate: Mandate | None, item: Item, peer: str, today: date
) -> str | None:
    if mandate is None and verification.urgent:  # it follows (domain.md section 8, art. 50)
        return "no_mandate" if item.named_only else None
    why = covers(mandate, item.code, peer, verification.programme, today, verification.matter)
    return why or _unnamed(mandate, item)


def _unnamed(mandate: Mandate | None, item: Item) -> str | None:
    """Why a mandate for every item does not cover one that only its name covers (domain.md section 4)."""
    return "item_not_covered" if item.named_only and mandate and item.code not in mandate.items else None
