"""The requester's role in a sum, one function per round (design.md section 5, docs/adr/0008).

A round works on a link (the peer) and a journal (what a killed requester resumes from), so the same rounds
run in a node's persisted job and in a platform's own process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count

import numpy as np
from blake3 import blake3

from matcher import PointError, batch, identity, oprf
from matcher.errors import MatcherError, ModulusError
from matcher.suites import tokens as token
from matcher.sums import modulus_proof, paillier
from matcher.sums.paillier import PublicKey
from node.domain.sum_findings import NOT_CONNECTED
from node.domain.sum_rules import STATISTICS
from node.errors import (
    EpochError,
    ItemNotOfferedError,
    LimitError,
    PartitionVersionError,
    RefusedError,
    UnavailableError,
)
from node.requester.context import QueryContext, Session, dishonest, with_retries
from node.requester.handshake import MAX_CHUNK_POINTS, RESTARTS, check_manifest, draw_session, require_fresh
from node.requester.padding import choose_canaries, draw_misses, secret_order, size_class
from node.requester.sum_context import PeerSum, Product, SumCheckpoint, SumLink, SumQuestion, in_order
from node.wire import manifest as manifests
from node.wire.manifest import Manifest
from node.wire.match import parse_manifest
from node.wire.sum_messages import (
    NO_AREA,
    NO_QUERY,
    POINT,
    CohortStart,
    OpenRequest,
    RowsRequest,
    RowsSlice,
    SumAnswer,
    SumGroupOffer,
    SumOffer,
    interleave,
)

MISSES = 2
CANARIES = 2
_AREA = 6


@dataclass(frozen=True, slots=True)
class Round:
    """What the rounds share. `exchange.mapped` are the points of the cohort."""

    context: QueryContext
    link: SumLink
    checkpoint: SumCheckpoint
    question: SumQuestion


@dataclass(frozen=True, slots=True)
class _Opened:
    """A query under way: its session, and what the peer's manifest offers now."""

    session: Session
    offer: SumOffer
    public: PublicKey
    salt_version: int
    chunk_points: int
    held: tuple[str, ...]


def ask_sums(
    context: QueryContext, link: SumLink, checkpoint: SumCheckpoint, question: SumQuestion
) -> list[PeerSum]:
    """All rounds with one peer: an answer per item, in the order asked.

    Resumes what the journal holds. A peer that changed its keys of sums, or does not know the query, is asked
    anew. Raises LimitError (a budget, or the cohort is too large), RefusedError, DishonestPeerError, other
    kinds of check_manifest.
    """
    run = Round(context, link, checkpoint, question)
    for _ in range(RESTARTS):
        try:
            return in_order(_ask_once(run), question.items)
        except EpochError:
            open_query(run)
        except RefusedError as error:
            # A peer that was restored from a backup has forgotten what was charged since.
            if error.details.get("rule") != NO_QUERY:
                raise
            open_query(run)
    raise UnavailableError("the peer changed its keys of sums again and again", "try again later")


def _ask_once(run: Round) -> dict[str, PeerSum]:
    try:
        session = run.checkpoint.session()
        if session is None or run.context.mapped.salt(parse_manifest(session.manifest).salt_version) is None:
            session = open_query(run)  # new, or its salt was retired while the job waited
        query = resume_query(run, session)
    except ItemNotOfferedError:
        # A peer without keys of sums: nothing is connected, which is an answer and no failure.
        return keep_answers(run, {}, {})
    if query.held and not run.checkpoint.tokens():
        run.checkpoint.add_tokens(0, evaluate_cohort(run, query))
    cohort = _split(run.checkpoint.tokens())
    products = run.checkpoint.products()
    for code in query.held:
        for _ in range(RESTARTS):
            if code in products:
                break
            try:
                products[code] = add_rows(run, query, cohort, code)
                run.checkpoint.add_product(code, products[code])
            except PartitionVersionError:
                query = renew_query(run, query.session)
        else:
            raise UnavailableError("the peer published new versions again and again", "try again later")
    return keep_answers(run, products, open_products(run, query, products))


def open_query(run: Round) -> Session:
    """Fetch the manifest with the offer, draw a fresh blind and seed, keep both."""
    context = run.context
    run.checkpoint.progress("manifest", 0, 0)
    serialised, signature = with_retries(context, run.link.get_sum_manifest)
    require_fresh(context, check_manifest(context, serialised, signature))
    session = draw_session(context, serialised, signature)
    run.checkpoint.begin(session)
    return session


def resume_query(run: Round, session: Session) -> _Opened:
    """What a session says, checked; under a fresh manifest where its own has expired.

    Raises ItemNotOfferedError where the peer offers no sums, DishonestPeerError for an unfit modulus,
    EpochError when the peer's keys are not those under which the query began.
    """
    manifest = check_manifest(run.context, session.manifest, session.signature)
    if manifest.expires_at < run.context.clock():
        return renew_query(run, session)
    return _open(run, session, manifest)


def renew_query(run: Round, session: Session) -> _Opened:
    """The same query under newer versions of the groups. Raises EpochError when the keys changed too."""
    serialised, signature = with_retries(run.context, run.link.get_sum_manifest)
    manifest = check_manifest(run.context, serialised, signature)
    require_fresh(run.context, manifest)
    renewed = replace(session, manifest=serialised, signature=signature)
    query = _open(run, renewed, manifest)
    run.checkpoint.renew(renewed)
    return query


def _open(run: Round, session: Session, manifest: Manifest) -> _Opened:
    layout = parse_manifest(session.layout)
    offer, first, salt = _offer_of(manifest), _offer_of(layout), manifest.salt_version
    if (offer.epoch, offer.modulus, salt) != (first.epoch, first.modulus, layout.salt_version):
        raise EpochError(
            "the peer changed its keys of sums", "the query begins anew", {"epoch": str(offer.epoch)}
        )
    held = tuple(code for code in run.question.items if any(group.item == code for group in first.groups))
    chunk_points = min(manifest.limits.chunk_points, MAX_CHUNK_POINTS)
    return _Opened(session, offer, check_modulus(offer.modulus, offer.proof), salt, chunk_points, held)


def _offer_of(manifest: Manifest) -> SumOffer:
    if manifest.sums is None:
        raise ItemNotOfferedError("the peer offers no sums")
    return manifest.sums


@lru_cache(maxsize=64)
def check_modulus(n: bytes, proof: bytes) -> PublicKey:
    """The peer's key, verified once. Under a bad one re-randomising would show which rows were added.

    Raises DishonestPeerError naming the kind of fault.
    """
    try:
        return modulus_proof.verify(n, proof)
    except ModulusError as error:
        raise dishonest("the peer's modulus is not fit for sums", f"modulus_{error.reason}") from None


def lay_out(context: QueryContext, seed: bytes, salt_version: int) -> tuple[bytes, list[int]]:
    """The points M of the cohort, canaries and padding, in a secret order; and which canaries are in it.

    The same seed gives the same batch, so that a resumed query goes on.
    """
    salt = context.mapped.salt(salt_version)
    if salt is None:  # check_manifest lets none such pass
        raise EpochError("the salt of this query is no longer in use")
    people = context.mapped.points(salt_version).points
    total = size_class(len(people) + MISSES + CANARIES)
    chosen = choose_canaries(seed, CANARIES)
    constants = np.frombuffer(token.canary_points(), dtype=np.uint8).reshape(-1, POINT)
    padding = batch.map_to_curve(salt, *draw_misses(seed, total - len(people) - CANARIES))
    rows = np.concatenate((people, constants[chosen], padding))
    return rows[secret_order(seed, total)].tobytes(), chosen


def evaluate_cohort(run: Round, query: _Opened) -> bytes:
    """Rounds 1 and 2: the cohort's points under the sum key, S, in the peer's order, canaries among them.

    Taking the blind off these few points and comparing them with the rows' S says the same as r * S of every
    row would (docs/adr/0008).
    """
    context, session, offer = run.context, query.session, query.offer
    mapped, canaries = lay_out(context, session.seed, query.salt_version)
    points = len(mapped) // POINT
    if points > offer.max_cohort_points:
        raise LimitError("the cohort has more points than the peer accepts", "split the cohort")
    blinded, size = oprf.blind(session.blind, mapped), POINT * query.chunk_points
    opening = CohortStart(
        epoch=offer.epoch,
        salt_version=query.salt_version,
        manifest_digest=manifests.digest(session.manifest),
        query_id=session.query_id,
        points_announced=points,
        items=query.held,
        purpose=STATISTICS,
        legal_basis=run.question.legal_basis,
    )

    def send() -> bytes:
        chunks = [blinded[at : at + size] for at in range(0, len(blinded), size)]
        answer, expected = bytearray(), count()
        run.checkpoint.progress("evaluate", 0, points, offer.epoch)
        for sequence, part in run.link.evaluate_cohort(opening, chunks):
            if sequence != next(expected) or not part or len(answer) + len(part) > len(blinded):
                raise dishonest("the peer answers a cohort out of order", "sequence")
            answer += part
            run.checkpoint.progress("evaluate", len(answer) // POINT, points, offer.epoch)
        if len(answer) < len(blinded):
            raise UnavailableError("the peer ended the stream early")
        return bytes(answer)

    evaluated = with_retries(context, send)
    try:
        tokens = oprf.finalize(session.blind, evaluated)
    except PointError:
        raise dishonest("the peer returns bytes that are no points", "point") from None
    returned = _split(tokens)
    if any(offer.canaries[POINT * at : POINT * at + POINT] not in returned for at in canaries):
        raise dishonest("a canary is missing: the peer evaluates under another key", "canary")
    return tokens


def add_rows(run: Round, query: _Opened, cohort: frozenset[bytes], item: str) -> Product:
    """Rounds 2 and 3: fetch the rows of an item, add those of the cohort, re-randomise.

    Also the oldest and newest date of the rows looked at. Nobody found gives a fresh zero, so that the
    responder sees no difference before it decrypts.
    """
    groups, public = groups_of(query.offer, item, run.question), query.public
    kept: list[int] = []
    done, total = 0, sum(group.rows for group in groups)
    for group in groups:
        kept += _match_group(run, query, cohort, group, done, total)
        done += group.rows
    random_bytes = run.context.random_bytes
    chosen = paillier.add(public, kept) if kept else paillier.encrypt(public, 0, random_bytes)
    mixed = paillier.rerandomise(public, chosen, random_bytes)
    days = (min(g.as_of_from for g in groups), max(g.as_of_to for g in groups)) if groups else None
    return Product(paillier.to_bytes(public, mixed), days)


def open_products(run: Round, query: _Opened, products: Mapping[str, Product]) -> dict[str, SumAnswer]:
    """Rounds 3 and 4: have the sums opened; an answer for every item that the peer holds."""
    if not query.held:
        return {}
    ciphertexts = tuple(products[code].ciphertext for code in query.held)
    request = OpenRequest(query.offer.epoch, query.session.query_id, query.held, ciphertexts)
    return {one.item: one for one in with_retries(run.context, lambda: run.link.open_sums(request))}


def keep_answers(
    run: Round, products: Mapping[str, Product], answers: Mapping[str, SumAnswer]
) -> dict[str, PeerSum]:
    """An answer for every item asked, kept in the journal; NOT_CONNECTED for one that the peer lacks."""
    asked = len(run.question.cohort)
    sums = {
        code: PeerSum(
            answers.get(code, SumAnswer(code, rule=NOT_CONNECTED)),
            asked,
            products[code].as_of if code in products else None,
        )
        for code in run.question.items
    }
    run.checkpoint.add_sums(sums)
    return sums


def groups_of(offer: SumOffer, item: str, question: SumQuestion) -> list[SumGroupOffer]:
    """The groups in which anybody of the cohort may be."""
    areas = {
        found.value[:_AREA] if identity.origin(found) != identity.NO_ORIGIN else NO_AREA
        for person in question.cohort
        for found in person
    }
    found = {offer.group_of(item, area) for area in areas} - {None}
    return sorted((group for group in found if group), key=lambda group: group.prefix)


def match_rows(cohort: frozenset[bytes], part: RowsSlice, size: int) -> list[bytes]:
    """The ciphertexts, `size` bytes each, of the rows whose point is one of the cohort's."""
    points, ciphertexts = part.points, part.ciphertexts
    return [
        ciphertexts[size * row : size * row + size]
        for row in range(len(points) // POINT)
        if points[POINT * row : POINT * row + POINT] in cohort
    ]


def check_rows(part: RowsSlice, public: PublicKey) -> None:
    """Every row is checked, found or not.

    If a faulty row were noticed only where it matches, the peer would learn who is in the cohort. Raises
    DishonestPeerError.
    """
    size = public.ciphertext_size
    try:
        paillier.require_ciphertexts(
            public, (part.ciphertexts[at : at + size] for at in range(0, len(part.ciphertexts), size))
        )
    except MatcherError:
        raise dishonest("a row is no ciphertext of the peer's key", "ciphertext") from None


def _match_group(
    run: Round, query: _Opened, cohort: frozenset[bytes], group: SumGroupOffer, before: int, total: int
) -> list[int]:
    digest, kept, row = blake3(), list[bytes](), 0
    public, size = query.public, query.public.ciphertext_size
    checked = run.context.checked
    known = checked.holds(public.n, group.digest)

    def stream() -> None:
        nonlocal row
        request = RowsRequest(
            query.offer.epoch, query.session.query_id, group.item, group.prefix, group.version, row
        )
        for part in run.link.fetch_rows(request, size) if row < group.rows else ():
            rows = len(part.points) // POINT
            if part.first_row != row or row + rows > group.rows:
                raise dishonest("the peer sends rows out of order", "rows_order")
            digest.update(interleave(part.points, part.ciphertexts, size))
            if not known:
                check_rows(part, public)
            kept.extend(match_rows(cohort, part, size))
            row += rows
            run.checkpoint.progress("fetch", before + row, total, query.offer.epoch)
        if row < group.rows:
            raise UnavailableError("the peer ended the stream early")

    with_retries(run.context, stream)
    if digest.digest() != group.digest:
        raise dishonest("rows are not those of the signed manifest", "rows_digest")
    checked.add(public.n, group.digest)
    return [int.from_bytes(one, "big") for one in kept]


def _split(points: bytes) -> frozenset[bytes]:
    return frozenset(points[at : at + POINT] for at in range(0, len(points), POINT))
