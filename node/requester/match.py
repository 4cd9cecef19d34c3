"""The requester's role, one function per step (design.md sections 2 to 4, 8).

A step works on a `Link` (the peer) and a `Checkpoint` (what a killed requester resumes from), so the same
steps run in a node's persisted job and in a platform's own process. Step 3 is node/requester/retrieval.py.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from matcher import PointError, merkle, oprf
from matcher.suites import tokens as token
from node.errors import (
    EpochError,
    LimitError,
    PartitionVersionError,
    UnavailableError,
)
from node.requester.context import QueryContext, Session, dishonest, with_retries
from node.requester.handshake import (
    MAX_CHUNK_POINTS,
    RESTARTS,
    _OfferChangedError,
    check_manifest,
    open_session,
    renew_manifest,
)
from node.requester.match_query import Answer, Query, Question, build_query, mandate_leaves, mandate_rows
from node.requester.points import BATCH_POINTS
from node.requester.retrieval import Retrieval, ask_item
from node.wire import manifest as manifests
from node.wire import match
from node.wire.manifest import Manifest
from node.wire.match_messages import EvaluateDone, EvaluateStart, Transcript


def ask_peer(context: QueryContext, question: Question) -> dict[str, list[Answer]]:
    """The whole part of one peer: answers by item, one per subject.

    Resumes what the journal holds. A peer that moved to another epoch, or offers other partitions or
    planted subjects than the batch was laid out for, is asked anew.
    """
    for _ in range(RESTARTS):
        try:
            return _ask_once(context, question)
        except (EpochError, _OfferChangedError):
            open_session(context)
    raise UnavailableError("the peer changed its epoch again and again", "try again later")


def _ask_once(context: QueryContext, question: Question) -> dict[str, list[Answer]]:
    session = context.checkpoint.session()
    if session is None or context.mapped.salt(match.parse_manifest(session.manifest).salt_version) is None:
        session = open_session(context)  # new, or its salt was retired while the job waited
    manifest = check_manifest(context, session.manifest, session.signature, kept=True)
    if manifest.expires_at < context.clock():
        session = open_session(context)
        manifest = check_manifest(context, session.manifest, session.signature, kept=True)
    query = _lay_out(context, question, session)
    if query.subjects:
        evaluate_query(context, session, manifest, question, query)
    secrets = token.token_secrets(context.checkpoint.tokens())
    answers = context.checkpoint.answers()
    plans: list[str] = []
    for item in question.items:
        if item.code in answers:
            continue  # kept before the job was interrupted
        for _ in range(RESTARTS):
            try:
                retrieval = Retrieval(context, session, manifest, question, query, secrets)
                answers[item.code], choices = ask_item(retrieval, item)
                plans += (f"{item.code} {choice.plan}: {choice.reason}" for choice in choices)
                break
            except PartitionVersionError:
                session, manifest = renew_manifest(context, session, manifest)
        else:
            raise UnavailableError("the peer published new versions again and again", "try again later")
        context.checkpoint.add_answers(item.code, answers[item.code])
    context.checkpoint.plan(*_summarise(plans))
    return answers


def _lay_out(context: QueryContext, question: Question, session: Session) -> Query:
    """The batch of a session, under the salt of its manifest."""
    layout = match.parse_manifest(session.layout)
    salt = context.mapped.salt(layout.salt_version)
    if salt is None:
        raise EpochError("the query was laid out under another salt", details={"epoch": str(layout.epoch)})
    mapped = context.mapped.points(layout.salt_version)
    return build_query(question, layout, salt, session.seed, mapped)


def _summarise(plans: Sequence[str]) -> tuple[str, str]:
    """The names of the plans used, and why, for the job's record."""
    names = {plan.split()[1].rstrip(":") for plan in plans}
    return "+".join(sorted(names)), "; ".join(dict.fromkeys(plans))


def evaluate_query(
    context: QueryContext, session: Session, manifest: Manifest, question: Question, query: Query
) -> None:
    """Step 2: blind, have evaluated, finalize; tokens go to the journal chunk by chunk."""
    if query.points > manifest.limits.max_points_per_query:
        raise LimitError("the query has more points than the peer accepts", "split the list")
    with ThreadPoolExecutor(1, thread_name_prefix="blind") as beside:
        blinding = beside.submit(blind_batch, session.blind, query)
        rows = mandate_rows(question, query, session.seed)
    blinded = blinding.result()
    root = merkle.root(mandate_leaves(blinded, rows))

    def stream() -> None:
        first = len(context.checkpoint.tokens()) // 32
        if first >= query.points:
            return
        start = EvaluateStart(
            epoch=manifest.epoch,
            salt_version=manifest.salt_version,
            manifest_digest=manifests.digest(session.manifest),
            query_id=session.query_id,
            points_announced=query.points,
            first_point=first,
            items=tuple(item.code for item in question.items),
            purpose=question.purpose,
            legal_basis=question.legal_basis,
            mandate_root=root,
        )
        _run_stream(context, session, manifest, query, blinded, start)

    with_retries(context, stream)


def blind_batch(blind: bytes, query: Query) -> bytes:
    """B = r * M of the whole batch.

    A large one is blinded behind the mapping: that keeps the interpreter busy, blinding leaves it alone.
    """
    if query.points <= BATCH_POINTS:
        return oprf.blind(blind, query.batch.tobytes())
    blinded = np.empty((query.points, 32), dtype=np.uint8)
    with ThreadPoolExecutor(1, thread_name_prefix="behind") as behind:
        started = [
            (places, behind.submit(oprf.blind, blind, points.tobytes()))
            for places, points in query.batch.stretches()
        ]
    for places, done in started:
        blinded[places] = np.frombuffer(done.result(), dtype=np.uint8).reshape(-1, 32)
    return blinded.tobytes()


def _run_stream(
    context: QueryContext,
    session: Session,
    manifest: Manifest,
    query: Query,
    blinded: bytes,
    start: EvaluateStart,
) -> None:
    size = 32 * min(manifest.limits.chunk_points, MAX_CHUNK_POINTS)
    chunks = [blinded[at : at + size] for at in range(32 * start.first_point, len(blinded), size)]
    transcript, first, expected, finished = Transcript(start), start.first_point, 0, False
    for message in context.link.evaluate(start, chunks):
        if isinstance(message, EvaluateDone):
            transcript.require_equal(message.transcript)
            finished = True
            break
        if expected >= len(chunks) or message.sequence != expected:
            raise dishonest("the peer answers chunks out of order", "sequence")
        sent = chunks[expected]
        if len(message.points) != len(sent):
            raise dishonest("the peer returns another number of points", "length")
        transcript.add(expected, sent, message.points)
        tokens = finalize_chunk(session, manifest, query, first, message.points)
        context.checkpoint.add_tokens(first, tokens)
        first, expected = first + len(sent) // 32, expected + 1
        context.checkpoint.progress("evaluate", first, query.points, manifest.epoch)
    if not finished or expected != len(chunks):
        raise UnavailableError("the peer ended the stream early")


def finalize_chunk(session: Session, manifest: Manifest, query: Query, first: int, evaluated: bytes) -> bytes:
    """T = r' * E for one chunk; refuses it when a canary comes back different (design.md section 2)."""
    try:
        tokens = oprf.finalize(session.blind, evaluated)
    except PointError:
        raise dishonest("the peer returns bytes that are no points", "point") from None
    for position, constant in query.canaries.items():
        at = 32 * (position - first)
        if (
            0 <= at < len(tokens)
            and tokens[at : at + 32] != manifest.canaries[32 * constant : 32 * constant + 32]
        ):
            raise dishonest("a canary came back different: the peer evaluates under another key", "canary")
    return tokens
