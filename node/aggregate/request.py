"""The requester's role in a sum, one function per round (design.md section 5)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from typing import Protocol

import numpy as np
from blake3 import blake3

from matcher import Identity, PointError, identity, modulus, oprf, paillier, token
from matcher.errors import MatcherError, ModulusError
from matcher.paillier import PublicKey
from node import manifest as manifests
from node.aggregate.column import NO_AREA, interleave
from node.aggregate.exchange import (
    CohortStart,
    OpenRequest,
    RowsRequest,
    RowsSlice,
    SumAnswer,
    SumGroupOffer,
    SumOffer,
)
from node.aggregate.respond import STATISTICS
from node.aggregate.rows import POINT
from node.errors import EpochError, ItemNotOfferedError, LimitError, PartitionVersionError, UnavailableError
from node.query import size_class
from node.request import MAX_CHUNK_POINTS, RESTARTS, check_manifest
from node.session import Exchange, dishonest, with_retries

NOT_CONNECTED = "not_connected"  # no rule of the responder: it holds nothing of this item
MISSES = 2
CANARIES = 2
_AREA = 6


class SumLink(Protocol):
    """A connection to one peer. Every method raises NodeError kinds; UnavailableError may be retried."""

    def get_sum_manifest(self) -> tuple[bytes, bytes]:
        """The serialised manifest with its offer of sums, and its signature."""

    def evaluate_cohort(self, start: CohortStart, chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """Rounds 1 and 2: send the chunks, yield (sequence, points)."""

    def fetch_rows(self, request: RowsRequest, ciphertext_size: int) -> Iterator[RowsSlice]:
        """Round 2: rows of a group."""

    def open_sums(self, request: OpenRequest) -> tuple[SumAnswer, ...]:
        """Rounds 3 and 4."""


@dataclass(frozen=True, slots=True)
class SumQuestion:
    """What is asked: the identities of each person of the cohort, and of which items."""

    cohort: tuple[frozenset[Identity], ...] = field(repr=False)
    items: tuple[str, ...]
    legal_basis: str


@dataclass(frozen=True, slots=True)
class PeerSum:
    """One item's answer of a peer: `asked` people, `as_of` the dates of all rows looked at (days)."""

    answer: SumAnswer
    asked: int
    as_of: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Round:
    """What the rounds share. `returned` is the cohort under both keys, in an order that tells nothing."""

    exchange: Exchange
    link: SumLink
    question: SumQuestion
    query_id: bytes
    blind: bytes = field(repr=False)
    returned: frozenset[bytes] = field(repr=False)


def ask_sums(exchange: Exchange, link: SumLink, question: SumQuestion) -> list[PeerSum]:
    """All rounds with one peer: an answer per item, in the order asked.

    A peer whose keys of sums are of another epoch by now is asked anew. Raises LimitError (a budget, or the
    cohort is too large), RefusedError, DishonestPeerError and the other kinds of check_manifest.
    """
    for _ in range(RESTARTS):
        try:
            return _ask_once(exchange, link, question)
        except EpochError:
            continue
    raise UnavailableError("the peer changed its epoch again and again", "try again later")


def _ask_once(exchange: Exchange, link: SumLink, question: SumQuestion) -> list[PeerSum]:
    offer, digest, chunk_points, salt_version = fetch_offer(exchange, link)
    public = check_modulus(offer.modulus, offer.proof)
    held = tuple(code for code in question.items if any(group.item == code for group in offer.groups))
    if not held:
        return [
            PeerSum(SumAnswer(code, rule=NOT_CONNECTED), len(question.cohort), None)
            for code in question.items
        ]
    query_id, blind = exchange.random_bytes(16), oprf.draw_blind(exchange.random_bytes)
    start = CohortStart(
        epoch=offer.epoch,
        salt_version=salt_version,
        manifest_digest=digest,
        query_id=query_id,
        points_announced=0,
        items=held,
        purpose=STATISTICS,
        legal_basis=question.legal_basis,
    )
    returned = evaluate_cohort(exchange, link, question, offer, start, blind, chunk_points)
    run = _Round(exchange, link, question, query_id, blind, returned)
    sums: dict[str, tuple[bytes, tuple[int, int] | None]] = {}
    for code in held:
        for _ in range(RESTARTS):
            try:
                sums[code] = add_rows(run, offer, public, code)
                break
            except PartitionVersionError:
                offer = renew_offer(exchange, link, offer)
        else:
            raise UnavailableError("the peer published new versions again and again", "try again later")
    request = OpenRequest(offer.epoch, query_id, held, tuple(sums[code][0] for code in held))
    answers = {one.item: one for one in with_retries(exchange, lambda: link.open_sums(request))}
    return [
        PeerSum(
            answers.get(code, SumAnswer(code, rule=NOT_CONNECTED)),
            len(question.cohort),
            sums[code][1] if code in sums else None,
        )
        for code in question.items
    ]


def fetch_offer(exchange: Exchange, link: SumLink) -> tuple[SumOffer, bytes, int, int]:
    """The signed offer, the digest of its manifest, how many points a chunk may have, the salt version.

    Raises ItemNotOfferedError where there is none.
    """
    serialised, signature = with_retries(exchange, link.get_sum_manifest)
    manifest = check_manifest(exchange, serialised, signature)
    if manifest.sums is None:
        raise ItemNotOfferedError("the peer offers no sums")
    chunk_points = min(manifest.limits.chunk_points, MAX_CHUNK_POINTS)
    return manifest.sums, manifests.digest(serialised), chunk_points, manifest.salt_version


def renew_offer(exchange: Exchange, link: SumLink, offer: SumOffer) -> SumOffer:
    """Newer versions of the groups. Raises EpochError when the keys changed too: then all begins anew."""
    newer, *_ = fetch_offer(exchange, link)
    if (newer.epoch, newer.modulus) != (offer.epoch, offer.modulus):
        raise EpochError(
            "the peer changed its keys of sums",
            "what was asked so far stays charged",
            {"epoch": str(newer.epoch)},
        )
    return newer


@lru_cache(maxsize=64)
def check_modulus(n: bytes, proof: bytes) -> PublicKey:
    """The peer's key, verified once. Under a bad one re-randomising would show which rows were added.

    Raises DishonestPeerError naming the kind of fault.
    """
    try:
        return modulus.verify(n, proof)
    except ModulusError as error:
        raise dishonest("the peer's modulus is not fit for sums", f"modulus_{error.reason}") from None


def lay_out(question: SumQuestion, exchange: Exchange, salt: bytes) -> tuple[bytes, tuple[int, ...]]:
    """The points M of the cohort, canaries and padding, in a secret order; and which canaries are in it."""
    people = sorted(
        {found for person in question.cohort for found in person}, key=lambda one: (one.id_type, one.value)
    )
    total = size_class(len(people) + MISSES + CANARIES)
    padding = (
        identity.planted("miss", identity.NO_ORIGIN, exchange.random_bytes(15).hex())
        for _ in range(total - len(people) - CANARIES)
    )
    first = exchange.random_bytes(1)[0] % (token.CANARIES - CANARIES + 1)
    chosen = tuple(range(first, first + CANARIES))
    constants = token.canary_points()
    rows = (
        token.map_batch(salt, people)
        + b"".join(constants[POINT * at : POINT * at + POINT] for at in chosen)
        + token.map_batch(salt, padding)
    )
    draws = np.frombuffer(exchange.random_bytes(8 * total), dtype=np.uint64)
    shuffled = np.frombuffer(rows, dtype=np.uint8).reshape(-1, POINT)[np.argsort(draws, kind="stable")]
    return shuffled.tobytes(), chosen


def evaluate_cohort(
    exchange: Exchange,
    link: SumLink,
    question: SumQuestion,
    offer: SumOffer,
    start: CohortStart,
    blind: bytes,
    chunk_points: int,
) -> frozenset[bytes]:
    """Rounds 1 and 2: the cohort under both keys. The canaries must be among it."""
    salt = exchange.mapped.salt(start.salt_version)
    if salt is None:  # check_manifest lets none such pass
        raise EpochError("the salt of this query is over", details={"epoch": str(offer.epoch)})
    mapped, canaries = lay_out(question, exchange, salt)
    points = len(mapped) // POINT
    if points > offer.max_cohort_points:
        raise LimitError("the cohort has more points than the peer accepts", "split the cohort")
    blinded, opening = oprf.blind(blind, mapped), replace(start, points_announced=points)
    size = POINT * chunk_points

    def send() -> bytes:
        chunks = [blinded[at : at + size] for at in range(0, len(blinded), size)]
        answer, expected = bytearray(), count()
        for sequence, part in link.evaluate_cohort(opening, chunks):
            if sequence != next(expected) or not part or len(answer) + len(part) > len(blinded):
                raise dishonest("the peer answers a cohort out of order", "sequence")
            answer += part
            exchange.journal.progress("evaluate", len(answer) // POINT, points)
        if len(answer) < len(blinded):
            raise UnavailableError("the peer ended the stream early")
        return bytes(answer)

    evaluated = with_retries(exchange, send)
    returned = frozenset(evaluated[at : at + POINT] for at in range(0, len(evaluated), POINT))
    pinned = b"".join(offer.canaries[POINT * at : POINT * at + POINT] for at in canaries)
    expected = _blind_theirs(blind, pinned)
    if any(expected[at : at + POINT] not in returned for at in range(0, len(expected), POINT)):
        raise dishonest("a canary is missing: the peer evaluates under another key", "canary")
    return returned


def add_rows(
    run: _Round, offer: SumOffer, public: PublicKey, item: str
) -> tuple[bytes, tuple[int, int] | None]:
    """Rounds 2 and 3: fetch the rows of an item, add those of the cohort, re-randomise.

    Also the oldest and newest date of the rows looked at. Nobody found gives a fresh zero, so that the
    responder sees no difference before it decrypts.
    """
    groups = groups_of(offer, item, run.question)
    kept: list[int] = []
    done, total = 0, sum(group.rows for group in groups)
    for group in groups:
        kept += _match_group(run, offer.epoch, public, group, done, total)
        done += group.rows
    chosen = paillier.add(public, kept) if kept else paillier.encrypt(public, 0, run.exchange.random_bytes)
    mixed = paillier.rerandomise(public, chosen, run.exchange.random_bytes)
    days = (min(g.as_of_from for g in groups), max(g.as_of_to for g in groups)) if groups else None
    return paillier.to_bytes(public, mixed), days


def groups_of(offer: SumOffer, item: str, question: SumQuestion) -> list[SumGroupOffer]:
    """The groups in which anybody of the cohort may be."""
    areas = {
        found.value[:_AREA] if identity.origin(found) != identity.NO_ORIGIN else NO_AREA
        for person in question.cohort
        for found in person
    }
    found = {offer.group_of(item, area) for area in areas} - {None}
    return sorted((group for group in found if group), key=lambda group: group.prefix)


def match_rows(blind: bytes, returned: frozenset[bytes], part: RowsSlice, public: PublicKey) -> list[int]:
    """The ciphertexts of the rows whose point r * S is in the returned cohort.

    Every row is checked, found or not: if a faulty row were noticed only where it matches, the peer would
    learn who is in the cohort.
    """
    size = public.ciphertext_size
    rows = [part.ciphertexts[at : at + size] for at in range(0, len(part.ciphertexts), size)]
    try:
        numbers = paillier.require_ciphertexts(public, rows)
    except MatcherError:
        raise dishonest("a row is no ciphertext of the peer's key", "ciphertext") from None
    theirs = _blind_theirs(blind, part.points)
    return [
        number for row, number in enumerate(numbers) if theirs[POINT * row : POINT * row + POINT] in returned
    ]


def _match_group(
    run: _Round, epoch: int, public: PublicKey, group: SumGroupOffer, before: int, total: int
) -> list[int]:
    digest, kept, row = blake3(), list[int](), 0
    size = public.ciphertext_size

    def stream() -> None:
        nonlocal row
        request = RowsRequest(epoch, run.query_id, group.item, group.prefix, group.version, row)
        for part in run.link.fetch_rows(request, size) if row < group.rows else ():
            rows = len(part.points) // POINT
            if part.first_row != row or row + rows > group.rows:
                raise dishonest("the peer sends rows out of order", "rows_order")
            digest.update(interleave(part.points, part.ciphertexts, size))
            kept.extend(match_rows(run.blind, run.returned, part, public))
            row += rows
            run.exchange.journal.progress("fetch", before + row, total)
        if row < group.rows:
            raise UnavailableError("the peer ended the stream early")

    with_retries(run.exchange, stream)
    if digest.digest() != group.digest:
        raise dishonest("rows are not those of the signed manifest", "rows_digest")
    return kept


def _blind_theirs(blind: bytes, points: bytes) -> bytes:
    try:
        return oprf.evaluate(blind, points)
    except PointError:
        raise dishonest("the peer returns bytes that are no points", "point") from None
