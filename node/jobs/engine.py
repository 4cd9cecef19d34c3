"""Jobs of the requester: persisted, resumed after a kill, cancelled on request (design.md 8).

A job is a verification or a sum. It asks all its peers at once, each in a thread of its own. Whatever could
name a person is sealed under the node's storage key before it is written.
"""

import re
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from blake3 import blake3

from keys import KeyringError
from matcher import MatcherError
from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain import jobs
from node.domain.audit_chain import Detail
from node.domain.jobs import JobRow, PartRow
from node.domain.mandate import CODE, LEGAL_BASIS
from node.domain.summation import Person, Summation, pack_summation, unpack_summation
from node.domain.verification import Verification
from node.errors import (
    CancelledError,
    DishonestPeerError,
    InvalidRequestError,
    JobConflictError,
    NodeError,
    NotFoundError,
    UnavailableError,
)
from node.jobs.match_job import _check_verification, pack_request, unpack_request
from node.jobs.sum_job import ask_part, check_summation
from node.requester import match
from node.requester.checkpoint import StoredCheckpoint
from node.requester.context import QueryContext
from node.requester.match_query import ask_question
from node.requester.point_cache import PointCache
from node.requester.points import HasIdentities
from node.requester.sum_checkpoint import StoredSumCheckpoint
from node.telemetry import log
from node.telemetry.request_id import in_new_request
from node.transport.peer_client import PeerClient

DATABASE_WAIT_S = 10.0
_WORD = re.compile(r"[a-z0-9_]{1,48}")
OPEN_PARTS = ("pending", "manifest", "evaluate", "fetch")


JobRequest = Verification | Summation  # what a job is about


def submit(node: Node, job: str, asked: JobRequest) -> bool:
    """Store a new job; False when the same one is there already.

    Raises InvalidRequestError, ItemNotOfferedError, NotFoundError (unknown peer), RefusedError (a sum that
    nobody may answer), and JobConflictError for a known id with other content.
    """
    _check(node, job, asked)
    plain = pack_summation(asked) if isinstance(asked, Summation) else pack_request(asked)
    kind = jobs.SUM if isinstance(asked, Summation) else jobs.VERIFICATION
    now = node.clock()
    row = JobRow(
        id=job,
        state="queued",
        # Keyed, because the identities of a small request could be guessed from a plain digest.
        request_digest=blake3(plain, key=node.keys.digest_key).digest(),
        subjects=count_people(asked),
        items=asked.items,
        purpose=asked.purpose,
        legal_basis=asked.legal_basis,
        created_at=now,
        due_at=add_working_days(now, node.config.requester.due_days),
        finished_at=None,
        cancel_requested=False,
        error="",
        kind=kind,
    )
    sealed = node.keys.vault.seal(f"request {job}", plain)
    details: dict[str, Detail] = {
        "job": job,
        "subjects": row.subjects,
        "items": list(row.items),
        "peers": list(asked.peers),
        "purpose": row.purpose,
        "legal_basis": row.legal_basis,
    }

    def write(tx: Connection) -> JobRow | None:
        # Looked up in the same transaction: a conflict may also be about the next link of the audit chain.
        known = job_rows.find_job(tx, job)
        if known is None:
            job_rows.add_job(tx, row, sealed, asked.peers)
            audit_rows.append(tx, f"{kind}_submitted", details, now)
        return known

    known = node.store.retry_write("submit job", write)
    if known is not None and known.request_digest != row.request_digest:
        raise JobConflictError("this job id was used before for something else", "choose another job id")
    return known is None


def count_people(asked: JobRequest) -> int:
    """How many people a job asks about."""
    return len(asked.cohort) if isinstance(asked, Summation) else len(asked.subjects)


def run_job(node: Node, job: str, stopping: threading.Event, submitted: JobRequest | None = None) -> None:
    """Run or resume one job to its end. A failure is the job's state and a log line.

    `submitted` is what the job holds, where the caller has it at hand: it need not be read back.
    While the database is away nothing can be written, not even a failure: the job waits for it.
    """
    while not stopping.is_set():
        try:
            _run_once(node, job, stopping, submitted)
        except UnavailableError as error:
            log.get_logger().error("job_waits", job=job, code=error.code, where=log.where(error))
            stopping.wait(DATABASE_WAIT_S)
        else:
            return


def _run_once(node: Node, job: str, stopping: threading.Event, submitted: JobRequest | None) -> None:
    try:
        _run(node, job, stopping, submitted)
    except UnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence of a background thread
        if stopping.is_set():
            return
        log.get_logger().error("job_failed", job=job, kind=type(error).__name__, where=log.where(error))
        _end(node, job, "failed", "the job failed inside this node; its log says where")


def _run(node: Node, job: str, stopping: threading.Event, submitted: JobRequest | None) -> None:
    with node.store.transaction("start job", write=True) as tx:
        row = job_rows.find_job(tx, job)
        if row is None or row.state not in jobs.OPEN_STATES:
            return
        job_rows.set_job_state(tx, job, "running")
        sealed = b"" if submitted is not None else job_rows.read_request(tx, job)
        parts = job_rows.list_parts(tx, job)
    asked = submitted or _unpack(row, node.keys.vault.unseal(f"request {job}", sealed))
    mapped = PointCache(node.keys.salts, _people(asked))
    waiting = [part for part in parts if part.state in OPEN_PARTS]
    with ThreadPoolExecutor(max(len(waiting), 1), thread_name_prefix=f"part-{job}") as pool:
        list(pool.map(lambda part: _run_part(node, row, asked, part, mapped, stopping), waiting))
    if stopping.is_set():
        return
    with node.store.transaction("read parts") as tx:
        parts = job_rows.list_parts(tx, job)
        cancelled = job_rows.cancel_requested(tx, job)
    if cancelled and any(part.state == "cancelled" for part in parts):
        _end(node, job, "cancelled")
    elif any(part.state == "distrusted" for part in parts):
        peers = ", ".join(part.peer for part in parts if part.state == "distrusted")
        _end(node, job, "failed", f"wrong answers from {peers}: nothing of it is used")
    else:
        _end(node, job, "done")


def _unpack(job: JobRow, plain: bytes) -> JobRequest:
    return unpack_summation(plain) if job.kind == jobs.SUM else unpack_request(plain)


def _people(asked: JobRequest) -> Iterable[HasIdentities]:
    return map(Person, asked.cohort) if isinstance(asked, Summation) else asked.subjects


@in_new_request()
def _run_part(
    node: Node,
    job: JobRow,
    asked: JobRequest,
    part: PartRow,
    mapped: PointCache,
    stopping: threading.Event,
) -> None:
    """One peer's part to its end; what goes wrong is this part's state, never another's."""
    began = time.monotonic()
    kept = StoredSumCheckpoint if isinstance(asked, Summation) else StoredCheckpoint
    checkpoint = kept(node, job.id, part, stopping)
    state, reason = "done", ""
    try:
        if node.clock() >= job.due_at:
            state, reason = "overdue", "due_date_passed"
        else:
            _ask(node, job, asked, part.peer, checkpoint, mapped, stopping)
    except CancelledError:
        state = "cancelled"
        if stopping.is_set():
            checkpoint.pause(part.seconds + time.monotonic() - began)
            return
    except DishonestPeerError as error:
        state, reason = "distrusted", f"{error.code}:{error.details.get('check', '')}"
    except UnavailableError as error:
        state, reason = "unavailable", error.code
        if node.clock() >= job.due_at:
            state, reason = "overdue", "due_date_passed"
    except NodeError as error:
        rule = error.details.get("rule", "")  # of a peer: it goes into reports, so nothing but a word
        state, reason = "refused", rule if _WORD.fullmatch(rule) else error.code
    except (MatcherError, KeyringError) as error:
        state, reason = "unavailable", error.code
    except Exception as error:  # noqa: BLE001 - the other parts go on, and this one's secrets are erased
        state, reason = "unavailable", "internal"
        log.get_logger().error(
            "part_failed", job=job.id, peer=part.peer, kind=type(error).__name__, where=log.where(error)
        )
    checkpoint.end(state, reason, part.seconds + time.monotonic() - began)
    log.get_logger().info("part_ended", job=job.id, peer=part.peer, state=state, reason=reason)


def _ask(
    node: Node,
    job: JobRow,
    asked: JobRequest,
    peer: str,
    checkpoint: StoredCheckpoint,
    mapped: PointCache,
    stopping: threading.Event,
) -> None:
    with node.store.transaction("find peer") as tx:
        known = peer_rows.find_peer(tx, peer)
    if known is None:
        raise NotFoundError("this peer is no longer known")
    with PeerClient.open(node, known, checkpoint.count, stopping.is_set) as link:
        deadline = min(job.due_at, node.clock() + timedelta(seconds=node.config.limits.part_timeout_s))
        context = QueryContext.of(node, known, link, checkpoint, mapped, deadline)
        if isinstance(asked, Summation) and isinstance(checkpoint, StoredSumCheckpoint):
            ask_part(context, link, checkpoint, asked)
        elif isinstance(asked, Verification):
            match.ask_peer(context, ask_question(node, asked, peer, job.created_at.date()))


def cancel(node: Node, job: str) -> JobRow:
    """Ask a job to stop. A job that has ended stays as it is."""

    def write(tx: Connection) -> None:
        if job_rows.request_cancel(tx, job):
            audit_rows.append(tx, f"{_kind(tx, job)}_cancelled", {"job": job}, node.clock())

    node.store.retry_write("cancel job", write)
    return require_job(node, job)


def require_job(node: Node, job: str) -> JobRow:
    """A job by its id. Raises NotFoundError."""
    row = None
    if CODE.fullmatch(job):
        with node.store.transaction("find job") as tx:
            row = job_rows.find_job(tx, job)
    if row is None:
        raise NotFoundError("there is no such job", "see `heqiao jobs list`")
    return row


def read_parts(node: Node, job: str) -> list[PartRow]:
    """The parts of a job."""
    with node.store.transaction("read parts") as tx:
        return job_rows.list_parts(tx, job)


def add_working_days(start: datetime, days: int) -> datetime:
    """The same time of day `days` Mondays to Fridays later; public holidays are the office's to add."""
    moment = start
    while days > 0:
        moment += timedelta(days=1)
        days -= moment.weekday() < 5
    return moment


def _check(node: Node, job: str, asked: JobRequest) -> None:
    if not CODE.fullmatch(job):
        raise InvalidRequestError(
            "a job id is 1 to 64 of letters, digits, dot, underscore and hyphen, not 15 digits in a row"
        )
    if not asked.items or not asked.peers or not count_people(asked):
        raise InvalidRequestError("a job needs at least one item, one peer and one person")
    for names in (asked.items, asked.peers):
        if len(set(names)) != len(names):
            raise InvalidRequestError("an item or a peer is given twice")
    if count_people(asked) > node.config.limits.max_subjects_per_job:
        raise InvalidRequestError("more people than one job may hold", "split the list")
    if not LEGAL_BASIS.fullmatch(asked.legal_basis):
        raise InvalidRequestError(
            "the legal basis is a code of letters, digits, dot, underscore and hyphen, not 15 digits in a row"
        )
    if isinstance(asked, Summation):
        check_summation(node, asked)
    else:
        _check_verification(node, asked)
    with node.store.transaction("find peers") as tx:
        known = {peer.code for peer in peer_rows.list_peers(tx)}
    for peer in asked.peers:
        if peer not in known:
            raise NotFoundError(
                f"peer {peer} is not known to this node",
                "`heqiao peers list` shows who is; `heqiao peers add` adds a peer by its card",
            )


def _kind(tx: Connection, job: str) -> str:
    row = job_rows.find_job(tx, job)
    return jobs.VERIFICATION if row is None else row.kind


def _end(node: Node, job: str, state: str, error: str = "") -> None:
    now = node.clock()

    def write(tx: Connection) -> None:
        job_rows.set_job_state(tx, job, state, now, error)
        audit_rows.append(tx, f"{_kind(tx, job)}_ended", {"job": job, "state": state}, now)

    node.store.retry_write("end job", write)
    log.get_logger().info("job_ended", job=job, state=state)
