"""The requester's role in a sum, one function per round (design.md section 5, docs/adr/0008).

A round works on `SumCalls` (the peer) and a checkpoint (what a killed requester resumes from), so the same
rounds run in a node's persisted job and in a platform's process. The mathematics is matcher/sums/cohort.py.
Rows are fetched and added in sum_products.py; sum_limits.py decides which sums are returned at all.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import count

import numpy as np

from matcher import PointError, merkle
from matcher.errors import ModulusError
from matcher.suites.points import Blinded
from matcher.sums import modulus_proof
from matcher.sums.cohort import distinct_points
from matcher.sums.paillier import PublicKey
from node.domain.size_classes import size_class
from node.domain.sum_findings import NOT_COMPARABLE, NOT_CONNECTED
from node.domain.sum_rules import STATISTICS
from node.errors import (
    EpochError,
    ItemNotOfferedError,
    LimitError,
    ManifestUnknownError,
    PartitionVersionError,
    RefusedError,
    UnavailableError,
)
from node.requester.context import OpenSession, QueryContext, dishonest, with_retries
from node.requester.handshake import (
    MAX_CHUNK_POINTS,
    RESTARTS,
    begin_session,
    renew_session,
    resume_session,
)
from node.requester.match_query import mandate_leaves, rows_without_mandate
from node.requester.padding import canary_points, choose_canaries, draw_misses, secret_order
from node.requester.points import MappedPoints
from node.requester.sum_context import (
    PeerSum,
    Product,
    Round,
    SumCalls,
    SumCheckpoint,
    SumQuery,
    SumQuestion,
    in_order,
)
from node.requester.sum_limits import hold_back
from node.requester.sum_products import make_product
from node.requester.trusted_manifest import require_same_sums, sum_offer
from node.wire import manifest as manifests
from node.wire.manifest import Manifest
from node.wire.match import parse_manifest
from node.wire.sum_messages import MIN_COHORT_POINTS, NO_QUERY, CohortStart, OpenRequest, SumAnswer

MISSES = 2
CANARIES = 2


def ask_sums(
    context: QueryContext, calls: SumCalls, checkpoint: SumCheckpoint, question: SumQuestion
) -> list[PeerSum]:
    """All rounds with one peer: an answer per item, in the order asked.

    Resumes what the checkpoint holds. A peer that changed its keys of sums, or does not know the query, is
    asked again. Raises LimitError (a quota, or the cohort is too large), RefusedError, DishonestPeerError,
    other kinds of check_manifest.
    """
    run, forgotten = Round(context, calls, checkpoint, question), False
    for _ in range(RESTARTS):
        try:
            return in_order(_ask_once(run), question.items)
        except EpochError:
            open_query(run)
        except ManifestUnknownError:  # as after a restore of the peer; a second time is no accident
            if forgotten:
                raise
            forgotten = True
            open_query(run)
        except RefusedError as error:
            # A peer that was restored from a backup has lost the charges made since then.
            if error.details.get("rule") != NO_QUERY:
                raise
            open_query(run)
    raise UnavailableError("the peer changed its keys of sums again and again", "try again later")


def _ask_once(run: Round) -> dict[str, PeerSum]:
    try:
        query = resume_query(run, resume_session(run.context, run.question.items) or open_query(run))
    except ItemNotOfferedError:
        # A peer without keys of sums: NOT_CONNECTED is an answer and no failure.
        return keep_answers(run, {}, {})
    if query.held and not run.checkpoint.tokens():
        run.checkpoint.add_tokens(0, evaluate_cohort(run, query))
    cohort = _people_of(run, query)
    products = run.checkpoint.products()
    for code in query.held:
        for _ in range(RESTARTS):
            if code in products:
                break
            try:
                products[code] = make_product(run, query, cohort, code)
                run.checkpoint.add_product(code, products[code])
            except PartitionVersionError:
                query = renew_query(run, query.opened)
        else:
            raise UnavailableError("the peer published new versions again and again", "try again later")
    return keep_answers(run, products, open_products(run, query, products))


def _people_of(run: Round, query: SumQuery) -> frozenset[bytes]:
    """The points of the cohort without the canaries, whose points the peer knows: rows of theirs count
    nobody.
    """
    size = query.opened.suite.sizes.point
    return distinct_points(run.checkpoint.tokens(), size) - distinct_points(query.offer.canaries, size)


def open_query(run: Round) -> OpenSession:
    """Fetch the manifest with the offer, draw a fresh seed, keep both."""
    return begin_session(run.context, run.question.items, run.calls.get_sum_manifest)


def resume_query(run: Round, opened: OpenSession) -> SumQuery:
    """The sum query of a session; under a fresh manifest where its own has expired.

    Raises ItemNotOfferedError where the peer offers no sums, DishonestPeerError for an unfit modulus,
    EpochError when the peer's keys are not those of the query.
    """
    if opened.manifest.expires_at < run.context.clock():
        return renew_query(run, opened)
    return _read_offer(run, opened)


def renew_query(run: Round, opened: OpenSession) -> SumQuery:
    """The same query under newer versions of the groups. Raises EpochError when the keys changed too."""

    def require_same(newer: Manifest) -> None:
        offer = require_same_sums(newer, opened.layout)
        check_modulus(offer.modulus, offer.proof)

    return _read_offer(run, renew_session(run.context, opened, run.calls.get_sum_manifest, require_same))


def _read_offer(run: Round, opened: OpenSession) -> SumQuery:
    offer = require_same_sums(opened.manifest, opened.layout)
    first = sum_offer(opened.layout)
    held = tuple(code for code in run.question.items if any(group.item == code for group in first.groups))
    return SumQuery(opened, offer, check_modulus(offer.modulus, offer.proof), held)


@lru_cache(maxsize=64)
def check_modulus(n: bytes, proof: bytes) -> PublicKey:
    """The peer's key, verified once. Under a bad one re-randomising would show which rows were added.

    Raises DishonestPeerError naming the kind of fault.
    """
    try:
        return modulus_proof.verify(n, proof)
    except ModulusError as error:
        raise dishonest("the peer's modulus is not fit for sums", f"modulus_{error.reason}") from None


def lay_out(people: MappedPoints, seed: bytes) -> tuple[bytes, list[int]]:
    """The points M of the cohort, canaries and padding, in a secret order; and which canaries are in it.

    The same seed gives the same batch, so that a query can be resumed.
    """
    suite, cohort = people.suite, people.points
    total = max(size_class(len(cohort) + MISSES + CANARIES), MIN_COHORT_POINTS)
    chosen = choose_canaries(suite, seed, CANARIES)
    misses = draw_misses(seed, total - len(cohort) - CANARIES)
    padding = suite.map_to_curve(people.salt, *misses)
    rows = np.concatenate((cohort, canary_points(suite, chosen), padding))
    return rows[secret_order(seed, total)].tobytes(), chosen


def evaluate_cohort(run: Round, query: SumQuery) -> bytes:
    """Rounds 1 and 2: the cohort's points under the sum key, S, in the peer's order, canaries among them.

    Unblinding these few points and comparing them with S of the rows gives the same result as blinding S of
    every row (docs/adr/0008).
    """
    opened, suite = query.opened, query.opened.suite
    people = run.context.mapped.points(suite, opened.manifest.salt_version)
    mapped, canaries = lay_out(people, opened.session.seed)
    if len(mapped) // suite.sizes.point > query.offer.max_cohort_points:
        raise LimitError("the cohort has more points than the peer accepts", "split the cohort")
    blind = suite.cohort_blind(opened.session.seed)
    blinded = suite.blind(blind, mapped)
    commitment = suite.group.commit(blind)
    evaluated = with_retries(run.context, lambda: _send_cohort(run, query, blinded, commitment))
    try:
        tokens = suite.finalize(blind, blinded, suite.evaluated(evaluated))
    except PointError:
        raise dishonest("the peer returns bytes that are no points", "point") from None
    returned, size, pinned = distinct_points(tokens, blinded.size), blinded.size, query.offer.canaries
    if any(pinned[size * at : size * (at + 1)] not in returned for at in canaries):
        raise dishonest("a canary is missing: the peer evaluates under another key", "canary")
    return tokens


def _send_cohort(run: Round, query: SumQuery, blinded: Blinded, commitment: bytes) -> bytes:
    """Send the chunks once, receive as many points. Raises UnavailableError when the stream breaks."""
    opened, epoch, points = query.opened, query.offer.epoch, blinded.count
    leaves = mandate_leaves(blinded, rows_without_mandate(points, opened.session.seed))
    opening = CohortStart(
        epoch=epoch,
        salt_version=opened.manifest.salt_version,
        manifest_digest=manifests.digest(opened.session.manifest),
        query_id=opened.session.query_id,
        points_announced=points,
        items=query.held,
        purpose=STATISTICS,
        legal_basis=run.question.legal_basis,
        blind_commitment=commitment,
        mandate_root=merkle.root(leaves),
        suite=opened.suite.name,
    )
    most = min(opened.manifest.limits.chunk_points, MAX_CHUNK_POINTS)
    chunks = [blinded.part(at, at + most).points for at in range(0, points, most)]
    answer, expected = bytearray(), count()
    run.checkpoint.progress("evaluate", 0, points, epoch)
    for sequence, part in run.calls.evaluate_cohort(opening, chunks):
        if sequence != next(expected) or not part or len(answer) + len(part) > len(blinded.points):
            raise dishonest("the peer answers a cohort out of order", "sequence")
        answer += part
        run.checkpoint.progress("evaluate", len(answer) // blinded.size, points, epoch)
    if len(answer) < len(blinded.points):
        raise UnavailableError("the peer ended the stream early")
    run.checkpoint.count_points(points)
    return bytes(answer)


def open_products(run: Round, query: SumQuery, products: Mapping[str, Product]) -> dict[str, SumAnswer]:
    """Rounds 3 and 4: let the peer open the sums; an answer for every item that the peer has.

    A sum that the own rules hold back is not returned: the answer names the rule.
    """
    held_back = hold_back(run, query, products)
    answers = {code: SumAnswer(code, rule=rule) for code, rule in held_back.items()}
    codes = tuple(code for code in query.held if code not in held_back)
    if codes:
        ciphertexts = tuple(products[code].ciphertext for code in codes)
        session, suite = query.opened.session, query.opened.suite
        request = OpenRequest(query.offer.epoch, session.query_id, codes, ciphertexts, suite.name)
        opened = with_retries(run.context, lambda: run.calls.open_sums(request))
        answers |= {one.item: one for one in opened}
    return answers


def keep_answers(
    run: Round, products: Mapping[str, Product], answers: Mapping[str, SumAnswer]
) -> dict[str, PeerSum]:
    """An answer for every item asked, kept in the checkpoint; NOT_CONNECTED for one that the peer lacks,
    NOT_COMPARABLE for one that it defines differently.
    """
    asked, session = len(run.question.cohort), run.checkpoint.session()
    definitions = parse_manifest(session.layout).definitions if session else {}
    own = run.context.catalogue.definitions

    def gap(code: str) -> SumAnswer:
        differs = definitions.get(code, own[code]) != own[code]
        return SumAnswer(code, rule=NOT_COMPARABLE if differs else NOT_CONNECTED)

    sums = {
        code: PeerSum(
            answers.get(code) or gap(code),
            asked,
            products[code].as_of if code in products else None,
        )
        for code in run.question.items
    }
    run.checkpoint.add_sums(sums)
    return sums
