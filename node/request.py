"""The requester's role, one function per step (design.md sections 2 to 4, 8).

A step works on a `Link` (the peer) and a `Journal` (what a killed requester resumes from), so the same
steps run in a node's persisted job and in a platform's own process. Step 3 is node/retrieve.py.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np

from matcher import SUITE, PointError, merkle, oprf, token
from node import manifest as manifests
from node import wire
from node.errors import (
    CatalogueMismatchError,
    DishonestPeerError,
    EpochError,
    LimitError,
    PartitionVersionError,
    PreconditionError,
    SaltError,
    UnavailableError,
    UnknownSuiteError,
)
from node.exchange import EvaluateDone, EvaluateStart, Transcript
from node.manifest import Manifest, PlantedSubject
from node.query import STRETCH, Answer, Query, Question, build_query, mandate_leaves, mandate_rows, new_seed
from node.retrieve import Retrieval, ask_item
from node.session import Exchange, Session, dishonest, with_retries

CLOCK_SKEW = timedelta(minutes=5)
RESTARTS = 3
MAX_CHUNK_POINTS = 32_640  # a message of 1 MiB, which every node takes


def ask_peer(exchange: Exchange, question: Question) -> dict[str, list[Answer]]:
    """The whole part of one peer: answers by item, one per subject.

    Resumes what the journal holds. A peer that moved to another epoch, or offers other partitions or
    planted subjects than the batch was laid out for, is asked anew.
    """
    for _ in range(RESTARTS):
        try:
            return _ask_once(exchange, question)
        except (EpochError, _OfferChangedError):
            open_session(exchange)
    raise UnavailableError("the peer changed its epoch again and again", "try again later")


class _OfferChangedError(Exception):
    """The planted subjects of the batch are not those of the partitions any more."""


def _ask_once(exchange: Exchange, question: Question) -> dict[str, list[Answer]]:
    session = exchange.journal.session()
    if session is None or exchange.mapped.salt(wire.parse_manifest(session.manifest).salt_version) is None:
        session = open_session(exchange)  # new, or its salt was retired while the job waited
    manifest = check_manifest(exchange, session.manifest, session.signature, kept=True)
    if manifest.expires_at < exchange.clock():
        session = open_session(exchange)
        manifest = check_manifest(exchange, session.manifest, session.signature, kept=True)
    query = _lay_out(exchange, question, session)
    if query.subjects:
        evaluate_query(exchange, session, manifest, question, query)
    secrets = token.token_secrets(exchange.journal.tokens())
    answers = exchange.journal.answers()
    plans: list[str] = []
    for item in question.items:
        for _ in range(RESTARTS):
            if item.code in answers:
                break
            try:
                retrieval = Retrieval(exchange, session, manifest, question, query, secrets)
                answers[item.code], choices = ask_item(retrieval, item)
                plans += (f"{item.code} {choice.plan}: {choice.reason}" for choice in choices)
            except PartitionVersionError:
                session, manifest = renew_manifest(exchange, session, manifest)
        else:
            raise UnavailableError("the peer published new versions again and again", "try again later")
        exchange.journal.add_answers(item.code, answers[item.code])
    exchange.journal.plan(*_summarise(plans))
    return answers


def _lay_out(exchange: Exchange, question: Question, session: Session) -> Query:
    """The batch of a session, under the salt of its manifest."""
    layout = wire.parse_manifest(session.layout)
    salt = exchange.mapped.salt(layout.salt_version)
    if salt is None:
        raise EpochError("the query was laid out under another salt", details={"epoch": str(layout.epoch)})
    mapped = exchange.mapped.points(layout.salt_version)
    return build_query(question, layout, salt, session.seed, mapped)


def _summarise(plans: Sequence[str]) -> tuple[str, str]:
    """The names of the plans used, and why, for the job's record."""
    names = {plan.split()[1].rstrip(":") for plan in plans}
    return "+".join(sorted(names)), "; ".join(dict.fromkeys(plans))


def open_session(exchange: Exchange) -> Session:
    """Step 1: fetch the manifest, draw a fresh blind and seed, keep both."""
    exchange.journal.progress("manifest", 0, 0)
    serialised, signature = with_retries(exchange, exchange.link.get_manifest)
    require_fresh(exchange, check_manifest(exchange, serialised, signature))
    session = draw_session(exchange, serialised, signature)
    exchange.journal.begin(session)
    return session


def draw_session(exchange: Exchange, serialised: bytes, signature: bytes) -> Session:
    """A new query under a manifest: fresh id, blind and seed."""
    return Session(
        query_id=exchange.random_bytes(16),
        blind=oprf.draw_blind(exchange.random_bytes),
        seed=new_seed(exchange.random_bytes),
        manifest=serialised,
        signature=signature,
        layout=serialised,
    )


def renew_manifest(exchange: Exchange, session: Session, manifest: Manifest) -> tuple[Session, Manifest]:
    """The same query under newer partition versions. Raises EpochError when the epoch changed too."""
    serialised, signature = with_retries(exchange, exchange.link.get_manifest)
    newer = check_manifest(exchange, serialised, signature)
    require_fresh(exchange, newer)
    if newer.epoch != manifest.epoch:
        raise EpochError("the peer's epoch changed", details={"epoch": str(newer.epoch)})
    if _planted(newer) != _planted(wire.parse_manifest(session.layout)):
        raise _OfferChangedError
    renewed = replace(session, manifest=serialised, signature=signature)
    exchange.journal.renew(renewed)
    return renewed, newer


def check_manifest(
    exchange: Exchange, serialised: bytes, signature: bytes, *, kept: bool = False
) -> Manifest:
    """Everything that must hold before a point is sent, each with its own error.

    `kept`: it was checked before, when it came, and has lain in the journal since.
    """
    if exchange.pins is None:
        manifests.verify(serialised, signature, exchange.peer.signing_key)
    elif kept:
        exchange.pins.verify_kept(serialised, signature)
    else:
        exchange.pins.verify(serialised, signature, exchange.link.successions)
    manifest = wire.parse_manifest(serialised)
    if manifest.responder != exchange.peer.code or manifest.requester != exchange.code:
        raise DishonestPeerError(
            "the manifest is between other provinces", details={"check": "manifest_parties"}
        )
    if manifest.issued_at > exchange.clock() + CLOCK_SKEW:
        raise PreconditionError(
            "the peer's manifest is from the future", "compare the clocks of both nodes", {"rule": "clock"}
        )
    if SUITE not in manifest.suites:
        raise UnknownSuiteError("the peer speaks no suite of this node")
    salt = exchange.mapped.salt(manifest.salt_version)
    if salt is None:
        raise SaltError(
            "the peer has another salt version",
            "the node with the older version asks the federation's administrator for a new bundle",
            {"salt_version": str(manifest.salt_version)},
        )
    if manifest.salt_check != token.salt_check(salt):
        raise SaltError(
            "the peer has another salt under this version", "one of the two joined another federation"
        )
    if manifest.catalogue_digest != exchange.catalogue.digest:
        raise CatalogueMismatchError(
            "the two nodes hold different catalogues",
            "install the same catalogue on both; see `heqiao catalogue`",
            {"catalogue": manifest.catalogue_version},
        )
    return manifest


def require_fresh(exchange: Exchange, manifest: Manifest) -> None:
    """Of a manifest that just came: an old one would bring old partitions back."""
    if manifest.expires_at + CLOCK_SKEW < exchange.clock():
        raise PreconditionError(
            "the peer's manifest has expired already", "compare the clocks of both nodes", {"rule": "clock"}
        )


def _planted(manifest: Manifest) -> dict[tuple[str, str], tuple[PlantedSubject, ...]]:
    return {(part.item, part.origin): part.planted for part in manifest.partitions}


def evaluate_query(
    exchange: Exchange, session: Session, manifest: Manifest, question: Question, query: Query
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
        first = len(exchange.journal.tokens()) // 32
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
        _run_stream(exchange, session, manifest, query, blinded, start)

    with_retries(exchange, stream)


def blind_batch(blind: bytes, query: Query) -> bytes:
    """B = r * M of the whole batch.

    A large one is blinded behind the mapping: that keeps the interpreter busy, blinding leaves it alone.
    """
    if query.points <= STRETCH:
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
    exchange: Exchange,
    session: Session,
    manifest: Manifest,
    query: Query,
    blinded: bytes,
    start: EvaluateStart,
) -> None:
    size = 32 * min(manifest.limits.chunk_points, MAX_CHUNK_POINTS)
    chunks = [blinded[at : at + size] for at in range(32 * start.first_point, len(blinded), size)]
    transcript, first, expected, finished = Transcript(start), start.first_point, 0, False
    for message in exchange.link.evaluate(start, chunks):
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
        exchange.journal.add_tokens(first, tokens)
        first, expected = first + len(sent) // 32, expected + 1
        exchange.journal.progress("evaluate", first, query.points, manifest.epoch)
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
