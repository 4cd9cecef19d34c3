"""The requester's role, one function per step (design.md sections 2 to 4, 8).

A step works on `PeerCalls` and a `Checkpoint` (what a killed requester resumes from), so the same steps run
in a node's persisted job and in a platform's process. Step 3 is node/requester/retrieval.py.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import numpy as np

from matcher import PointError, merkle
from matcher.errors import CountError
from matcher.suites.points import Blinded, Blinds
from matcher.vectorised import Bytes
from node.domain.catalogue import Item
from node.errors import (
    DishonestPeerError,
    EpochError,
    LimitError,
    ManifestUnknownError,
    PartitionVersionError,
    QueryUnknownError,
    RefusedError,
    UnavailableError,
)
from node.requester.context import OpenSession, QueryContext, dishonest, refusal_rule, with_retries
from node.requester.handshake import MAX_CHUNK_POINTS, RESTARTS, resume_session
from node.requester.match_query import (
    Answer,
    Query,
    Question,
    build_query,
    mandate_leaves,
    mandate_rows,
    split_classes,
)
from node.requester.matched_entries import pack_entries
from node.requester.mirror_sync import open_query, renew_query
from node.requester.outcomes import refuse_item
from node.requester.point_cache import PointCache
from node.requester.points import BATCH_POINTS
from node.requester.retrieval import Retrieval, ask_item, require_sound
from node.requester.trusted_manifest import OfferChangedError
from node.wire import manifest as manifests
from node.wire.match_messages import (
    GRANULE_POINTS,
    EvaluateStart,
    Transcript,
    granule_digests,
    granules_root,
)

FEW_POINTS = 64
CHANGED = "changed"  # the version was replaced while it was searched
# Large batches that are prepared at once, each with 0.5 KiB a point: two of them keep the interpreter and the
# cores busy, and a list goes to all peers at once.
_LARGE = threading.BoundedSemaphore(2)
Keep = Callable[[OpenSession, Query, bytes], None]
RESTARTED = "restarted"  # the epoch or the planted subjects changed, and the whole query began again


@dataclass(frozen=True, slots=True)
class _Part:
    """What the queries of one part share.

    `items` are the codes of all classes: their partitions are mirrored before the first query, so that all
    queries are of one state of the peer. `plans` are those that were tried, `faults` what is wrong with
    the answers: they are judged after the last query. `keep` is given the tokens of each.
    """

    context: QueryContext
    items: tuple[str, ...]
    plans: list[str] = field(default_factory=list)
    faults: list[DishonestPeerError] = field(default_factory=list)
    keep: Keep | None = None


def ask_peer(context: QueryContext, question: Question, keep: Keep | None = None) -> dict[str, list[Answer]]:
    """The whole part of one peer: answers by item, one per subject.

    One query for each class of items, one after the other, about the people with a mandate for an item of
    that class. What the checkpoint holds is resumed. Where the peer refuses one query only, its items are
    answered REFUSED; where it refuses all, raises RefusedError. Every plan that was tried is kept in the
    checkpoint. `keep` is given session, batch and tokens of each query, before they are used.
    """
    part, before = _Part(context, question.codes, keep=keep), None
    answers, refused = context.checkpoint.answers(), dict[str, list[Answer]]()
    for one in split_classes(question):
        if all(item.code in answers for item in one.items):
            continue  # kept before the job was interrupted
        try:
            found, before = _ask_class(part, one, before)
            answers |= found
        except RefusedError as error:
            rule = refusal_rule(error)
            refused |= {code: refuse_item(one, code, rule) for code in one.codes}
            if len(refused) == len(question.items):
                raise
    require_sound(part.faults, answers.values())
    for code, answer in refused.items():
        context.checkpoint.add_answers(code, answer)
    return answers | refused


def _ask_class(
    part: _Part, question: Question, before: OpenSession | None
) -> tuple[dict[str, list[Answer]], OpenSession]:
    """One query: its answers and its session.

    A new query begins under the manifest of the one `before`. Starts again when the peer changed its epoch,
    or offers other partitions or planted subjects than those of the batch; and once when it knows the
    manifest or the query no longer, as after a restore.
    """
    context, forgotten = part.context, False
    for _ in range(RESTARTS):
        try:
            return _ask_once(part, question, before)
        except (EpochError, OfferChangedError):
            for item in question.items:
                _add_plan(part, f"{item.code} {RESTARTED}")
        except (ManifestUnknownError, QueryUnknownError):
            if forgotten:
                raise
            forgotten = True
        session = context.checkpoint.session()
        refused = b"" if session is None else session.manifest
        open_query(context, question.codes, part.items, refused=refused)
    raise UnavailableError("the peer changed its epoch again and again", "try again later")


def _ask_once(
    part: _Part, question: Question, before: OpenSession | None
) -> tuple[dict[str, list[Answer]], OpenSession]:
    context = part.context
    opened = resume_session(context, question.codes)
    if opened is None or opened.manifest.expires_at < context.clock():
        opened = open_query(context, question.codes, part.items, before=before)
    query = lay_out(context, question, opened)
    if query.subjects:
        evaluate_query(context, opened, question, query)
    if part.keep is not None:
        part.keep(opened, query, context.checkpoint.tokens())
    secrets = token_secrets(context, opened)
    retrieval = Retrieval(context, opened, question, query, secrets, part.faults)
    known, answers = context.checkpoint.answers(), dict[str, list[Answer]]()
    for item in question.items:
        if item.code in known:
            answers[item.code] = known[item.code]  # kept before the job was interrupted
            continue
        retrieval, answers[item.code] = _answer_item(part, retrieval, item)
        if not part.faults:
            entries = pack_entries(retrieval.matched.get(item.code, ()))
            context.checkpoint.add_answers(item.code, answers[item.code], entries)
    return answers, retrieval.opened


def _answer_item(part: _Part, retrieval: Retrieval, item: Item) -> tuple[Retrieval, list[Answer]]:
    """Step 3 for one item, under newer versions where the peer publishes meanwhile."""
    for _ in range(RESTARTS):
        retrieval.tried.clear()
        try:
            return retrieval, ask_item(retrieval, item)
        except PartitionVersionError:
            _add_tried(part, retrieval, item)
            _add_plan(part, f"{item.code} {CHANGED}")
            retrieval = replace(retrieval, opened=renew_query(part.context, retrieval.opened, part.items))
        finally:
            _add_tried(part, retrieval, item)
    raise UnavailableError("the peer published new versions again and again", "try again later")


def _add_tried(part: _Part, retrieval: Retrieval, item: Item) -> None:
    for choice in retrieval.tried:
        _add_plan(part, f"{item.code} {choice.plan}: {choice.reason}")


def _add_plan(part: _Part, plan: str) -> None:
    plans = part.plans
    if plan in plans:
        return
    plans.append(plan)
    found = {each.split()[1].rstrip(":") for each in plans}
    names = found - {CHANGED, RESTARTED}
    part.context.checkpoint.plan("+".join(sorted(names)), "; ".join(plans))


def lay_out(context: QueryContext, question: Question, opened: OpenSession) -> Query:
    """The batch of a session, under the salt of the manifest it began with. Raises EpochError."""
    layout = opened.layout
    if context.mapped.salt(layout.salt_version) is None:
        raise EpochError("the query was laid out under another salt", details={"epoch": str(layout.epoch)})
    mapped = context.mapped.points(opened.suite, layout.salt_version)
    return build_query(question, layout, opened.session.seed, mapped)


def token_secrets(context: QueryContext, opened: OpenSession) -> Bytes:
    """The secrets of the batch's tokens, (n, 32): all items share them."""
    tokens = np.frombuffer(context.checkpoint.tokens(), dtype=np.uint8)
    return opened.suite.token_secrets(tokens.reshape(-1, opened.suite.sizes.point))


def evaluate_query(context: QueryContext, opened: OpenSession, question: Question, query: Query) -> None:
    """Step 2: blind, let the peer evaluate, finalize; each chunk of tokens goes to the checkpoint."""
    manifest, session = opened.manifest, opened.session
    if query.points > manifest.limits.max_points_per_query:
        raise LimitError("the query has more points than the peer accepts", "split the list")
    with _LARGE if query.points > BATCH_POINTS else nullcontext():
        blinds, blinded, root = _prepare(opened, question, query, context.mapped)

    def stream() -> None:
        first = len(context.checkpoint.tokens()) // blinded.size
        if first >= query.points:
            return
        start = EvaluateStart(
            epoch=manifest.epoch,
            salt_version=manifest.salt_version,
            # The one it began with: a query names one manifest, also when it is renewed.
            manifest_digest=manifests.digest(session.layout),
            query_id=session.query_id,
            points_announced=query.points,
            first_point=first,
            items=query.items,
            purpose=question.purpose,
            legal_basis=question.legal_basis,
            mandate_root=root,
            token_class=query.token_class,
            suite=opened.suite.name,
            tokens_until=question.tokens_until,
        )
        _run_stream(context, opened, query, Sent(blinds, blinded), start)

    with_retries(context, stream)


def _prepare(
    opened: OpenSession, question: Question, query: Query, mapped: PointCache
) -> tuple[Blinds, Blinded, bytes]:
    """The blinds of a batch, its blinded points, and the root of its mandate tree."""
    seed = opened.session.seed
    blinds = opened.suite.point_blinds(seed, query.points)
    if query.points <= FEW_POINTS:  # to start a thread would take longer
        blinded, rows = blind_batch(blinds, query), mandate_rows(question, query, seed, mapped.mandate_digest)
    else:
        with ThreadPoolExecutor(1, thread_name_prefix="blind") as beside:
            blinding = beside.submit(blind_batch, blinds, query)
            rows = mandate_rows(question, query, seed, mapped.mandate_digest)
        blinded = blinding.result()
    return blinds, blinded, merkle.root(mandate_leaves(blinded, rows))


@dataclass(frozen=True, slots=True)
class Sent:
    """A blinded batch with its blinds."""

    blinds: Blinds
    blinded: Blinded

    def part(self, first: int, last: int) -> "Sent":
        """The points from place `first` to before `last`."""
        return Sent(self.blinds.part(first, last), self.blinded.part(first, last))


def blind_batch(blinds: Blinds, query: Query) -> Blinded:
    """B_i = r_i * M_i of the whole batch.

    A large one is blinded while the next points are mapped: mapping needs the interpreter, blinding does not.
    """
    suite = query.batch.suite
    if query.points <= BATCH_POINTS:
        return suite.blind_each(blinds.scalars, query.batch.tobytes())
    blinded = np.empty((query.points, suite.sizes.point), dtype=np.uint8)
    with ThreadPoolExecutor(1, thread_name_prefix="behind") as behind:
        started = [
            (places, behind.submit(suite.blind_each, blinds.scalars[places], points.tobytes()))
            for places, points in query.batch.chunks()
        ]
    for places, done in started:
        found = np.frombuffer(done.result().points, dtype=np.uint8)
        blinded[places] = found.reshape(-1, suite.sizes.point)
    return suite.blinded(blinded.tobytes())


def _run_stream(
    context: QueryContext, opened: OpenSession, query: Query, batch: Sent, start: EvaluateStart
) -> None:
    # Whole granules, so that a broken stream resumes at the first point of one.
    most = min(opened.manifest.limits.chunk_points, MAX_CHUNK_POINTS)
    size = most - most % GRANULE_POINTS
    digests = granule_digests(0, batch.blinded.points, opened.suite.sizes.point)
    chunks = [batch.part(at, at + size) for at in range(start.first_point, query.points, size)]
    transcript, first = Transcript(start), start.first_point
    answers = context.calls.evaluate(start, [chunk.blinded.points for chunk in chunks])
    for expected, message in enumerate(answers):
        if message.sequence != expected:
            raise dishonest("the peer answers chunks out of order", "sequence")
        sent, is_last = chunks[expected], expected + 1 == len(chunks)
        transcript.add(expected, sent.blinded.points, message.points)
        context.checkpoint.count_points(sent.blinded.count)
        tokens = finalize_chunk(opened, query, first, sent, message.points)
        if (message.done is not None) != is_last:
            raise dishonest("the peer ends the stream at another chunk than the last", "stream")
        if message.done is not None:
            transcript.require_equal(message.done.transcript)
            if message.done.points_root != granules_root(digests):
                raise dishonest("the peer saw other points than were sent", "points_root")
        context.checkpoint.add_tokens(first, tokens)
        first += sent.blinded.count
        context.checkpoint.progress("evaluate", first, query.points, opened.manifest.epoch)
        if is_last:
            return
    raise UnavailableError("the peer ended the stream early")


def finalize_chunk(opened: OpenSession, query: Query, first: int, sent: Sent, returned: bytes) -> bytes:
    """T_i = r_i' * E_i for one chunk; refuses it when a canary is returned changed (design.md section 2)."""
    suite, constants = opened.suite, opened.manifest.canaries[query.token_class]
    try:
        tokens = suite.finalize_each(sent.blinds.inverses, sent.blinded, suite.evaluated(returned))
    except CountError:
        raise dishonest("the peer returns another number of points", "length") from None
    except PointError:
        raise dishonest("the peer returns bytes that are no points", "point") from None
    size = suite.sizes.point
    for position, constant in query.canaries.items():
        at = size * (position - first)
        if (
            0 <= at < len(tokens)
            and tokens[at : at + size] != constants[size * constant : size * (constant + 1)]
        ):
            raise dishonest("a canary came back different: the peer evaluates under another key", "canary")
    return tokens
