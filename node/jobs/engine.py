"""Jobs of the requester: persisted, resumed after a kill, cancelled on request (design.md 8).

A job asks all its peers at once, each in a thread of its own. Only its kind knows the request. It runs
under a lease (node/database/leases.py), which every write carries. Whatever could name a person is sealed
under the node's storage key before it is written.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from blake3 import blake3

from node.context import Node
from node.database import Connection, answered_people
from node.database import audit_log as audit_rows
from node.database import deadlines as deadline_rows
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.database.leases import Lease
from node.domain import jobs, sealed_names
from node.domain.audit_chain import Detail
from node.domain.job_access import NODE, NODE_ACCESS, JobAccess
from node.domain.jobs import JobRequest, JobRow, PartClock, PartRow
from node.domain.mandate import CODE, LEGAL_BASIS
from node.errors import (
    CancelledError,
    InvalidRequestError,
    JobConflictError,
    LeaseLostError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)
from node.jobs.asked_people import note_people
from node.jobs.deadlines import clock_of, report_by
from node.jobs.job_catalogue import note_catalogue
from node.jobs.kinds import JobKind, find_kind
from node.jobs.lookup import require_job
from node.jobs.part_run import PartRun, run_part
from node.jobs.peer_choice import choose_peers
from node.jobs.turns import JobTurns, Turns
from node.requester.point_cache import PointCache
from node.telemetry import log

DATABASE_WAIT_S = 10.0


def submit(node: Node, job: str, request: JobRequest, owner: str = NODE) -> bool:
    """Store a new job of an owner; False when it submitted the same one already. Raises as `submission`."""
    return node.store.retry_write("submit job", submission(node, job, request, owner))


def submission(node: Node, job: str, request: JobRequest, owner: str) -> Callable[[Connection], bool]:
    """Check a new job; what is returned stores it in a transaction, as `submit` does.

    Raises InvalidRequestError, ItemNotOfferedError, NotFoundError (unknown peer), RefusedError (a sum that
    nobody may answer), and within the transaction JobConflictError for a known id with other content.
    """
    kind = find_kind(request.kind)
    _check(node, job, request, kind)
    plain = kind.pack(request)
    clock = clock_of(node, node.clock())
    row = _new_row(node, job, request, kind, plain, owner, clock)
    sealed = node.keys.vault.seal(sealed_names.of_request(job), plain)
    digests = kind.people_digests(node, request)
    details: dict[str, Detail] = {
        "job": job,
        "owner": owner,
        "subjects": row.subjects,
        "items": list(row.items),
        "peers": list(request.peers),
        "purpose": row.purpose,
        "legal_basis": row.legal_basis,
    }
    waiting = kind.before_mandate(request)
    asked = note_people(node, row, request.peers, kind.identities(request), kind.matter(request), waiting)
    if asked.urgent:
        details["urgent_without_mandate"] = len(asked.urgent)

    def write(tx: Connection) -> bool:
        # Looked up in the same transaction: a conflict may also be about the next link of the audit chain.
        known = job_rows.find_job(tx, job)
        if known is None:
            peers = () if row.auto_peers else request.peers
            job_rows.add_job(tx, row, sealed, peers, clock)
            if digests is not None:
                answered_people.add_people(tx, job, digests)
            asked.write(tx)
            note_catalogue(node, tx, job, request.items)
            audit_rows.append(tx, f"{kind.name}_submitted", details, row.created_at)
        elif (known.request_digest, known.owner) != (row.request_digest, owner):
            raise JobConflictError("this job id was used before for something else", "choose another job id")
        return known is None

    return write


def check_request(node: Node, job: str, request: JobRequest) -> None:
    """Check a job that is submitted later. Raises as `submission`."""
    _check(node, job, request, find_kind(request.kind))


def _new_row(
    node: Node,
    job: str,
    request: JobRequest,
    kind: JobKind[Any, Any],
    plain: bytes,
    owner: str,
    clock: PartClock,
) -> JobRow:
    return JobRow(
        id=job,
        state="queued",
        # Keyed, because the identities of a small request could be guessed from a plain digest.
        request_digest=blake3(plain, key=node.keys.digest_key).digest(),
        subjects=kind.people(request),
        mandates=kind.count_mandates(request),
        items=request.items,
        purpose=request.purpose,
        legal_basis=request.legal_basis,
        created_at=clock.asked_at,
        due_at=clock.due_at,
        due_estimated=clock.due_estimated,
        report_by=report_by(node, clock.asked_at),
        auto_peers=request.peers == jobs.AUTO,
        finished_at=None,
        cancel_requested=False,
        error="",
        kind=request.kind,
        owner=owner,
    )


def run_job(
    node: Node, job: str, lease: Lease, submitted: JobRequest | None = None, turns: Turns | None = None
) -> frozenset[str]:
    """Run or resume one job to its end, under its lease. A failure is the job's state and a log line.

    `submitted` is the request, if the caller has it: then it is not read from the database. Parts of peers
    without a free turn are left; returns their peers, none for a job that has ended.
    While the database is unreachable, nothing can be written, not even a failure: the job waits. Once
    another process has taken the job over, this one stops.
    """
    while not lease.stopping.is_set():
        try:
            return _run_once(node, job, lease, submitted, turns or Turns(1))
        except LeaseLostError:
            log.get_logger().warning("job_taken_over", job=job)
            break
        except UnavailableError as error:
            log.get_logger().error("job_waits", job=job, code=error.code, where=log.where(error))
            lease.stopping.wait(DATABASE_WAIT_S)
    return frozenset()


def _run_once(
    node: Node, job: str, lease: Lease, submitted: JobRequest | None, turns: Turns
) -> frozenset[str]:
    try:
        return _run(node, job, lease, submitted, turns)
    except (LeaseLostError, UnavailableError):
        raise
    except CancelledError:  # the node stops
        return frozenset()
    except PreconditionError as error:  # of a kind or in a form that another version of Heqiao wrote
        log.get_logger().error("job_failed", job=job, kind=type(error).__name__, where=log.where(error))
        _end(node, job, lease, "failed", error.message)
    except Exception as error:  # noqa: BLE001 - the last line of defence of a background thread
        if lease.stopping.is_set():
            return frozenset()
        log.get_logger().error("job_failed", job=job, kind=type(error).__name__, where=log.where(error))
        _end(node, job, lease, "failed", "the job failed inside this node; its log says where")
    return frozenset()


def _run(node: Node, job: str, lease: Lease, submitted: JobRequest | None, turns: Turns) -> frozenset[str]:
    def begin(tx: Connection) -> tuple[JobRow, list[PartRow]] | None:
        row = job_rows.find_job(tx, job)
        if row is None or row.state not in jobs.OPEN_STATES:
            return None
        job_rows.set_job_state(tx, job, "running")
        return row, job_rows.list_parts(tx, job)

    begun = lease.write("start job", begin)
    if begun is None:
        return frozenset()
    row, parts = begun
    if row.auto_peers and not parts and not row.cancel_requested:
        parts = _choose(node, row, lease)
        if not parts:
            _end(node, job, lease, "failed", "no peer offers one of the items and grants it")
            return frozenset()
    waiting = [part for part in parts if _can_run(node, row, part)]
    # A cancelled job calls nobody.
    own = (Turns(1) if row.cancel_requested else turns).begin([part.peer for part in waiting])
    if waiting and not own.taken:
        return frozenset(part.peer for part in waiting)
    try:
        left = _run_parts(node, row, waiting, lease, submitted, own) if waiting else frozenset()
    finally:
        own.give_back()
    if not left and not lease.stopping.is_set():
        conclude(node, job, lease)
    return left


def _choose(node: Node, row: JobRow, lease: Lease) -> list[PartRow]:
    """The parts of a job whose peers are chosen when it starts; none where all were left out."""
    choice = choose_peers(node, row.items, lease.stopping.is_set)
    details: dict[str, Detail] = {"job": row.id, "peers": list(choice.asked)}
    details["left_out"] = [f"{peer}:{reason}" for peer, reason in choice.left_out.items()]

    def write(tx: Connection) -> list[PartRow]:
        job_rows.add_parts(tx, row.id, choice.asked, clock_of(node, row.created_at))
        deadline_rows.add_left_out(tx, row.id, choice.left_out)
        audit_rows.append(tx, f"{row.kind}_peers_chosen", details, node.clock())
        return job_rows.list_parts(tx, row.id)

    return lease.write("choose peers", write)


def _run_parts(
    node: Node,
    row: JobRow,
    waiting: Sequence[PartRow],
    lease: Lease,
    submitted: JobRequest | None,
    own: JobTurns,
) -> frozenset[str]:
    """Run the parts of all peers at once, each in its turn; returns the peers of those that got none."""
    job, kind = row.id, find_kind(row.kind)
    request = submitted
    if request is None:
        with node.store.transaction("read request") as tx:
            sealed = job_rows.read_request(tx, job)
        request = kind.unpack(node.keys.vault.unseal(sealed_names.of_request(job), sealed))
    points = PointCache(node.keys.salts, kind.identities(request))

    def ask(part: PartRow) -> str:
        with own.hold(part.peer) as has_turn:
            if not has_turn:
                return part.peer
            checkpoint = kind.checkpoint(node, job, part, lease)
            run = PartRun(node, row, part, lease, points, checkpoint)
            run_part(run, lambda: ask_unless_cancelled(run))
        return ""

    def ask_unless_cancelled(run: PartRun[Any]) -> None:
        if row.cancel_requested:
            raise CancelledError("the job was cancelled")
        kind.ask(run, request)

    with ThreadPoolExecutor(max(len(waiting), 1), thread_name_prefix=f"part-{job}") as pool:
        return frozenset(filter(None, pool.map(ask, waiting)))


def _can_run(node: Node, row: JobRow, part: PartRow) -> bool:
    if part.state in jobs.OPEN_PARTS:
        return True
    now = node.clock()
    # A part that waits ends at once where its job is cancelled, or its time is over.
    is_over = row.cancel_requested or part.is_over(now)
    return part.state == jobs.WAITING and (is_over or part.may_go_on(now))


def conclude(node: Node, job: str, lease: Lease) -> None:
    """End a job whose parts have all ended; one with a part that waits, or is asked again, goes on later."""
    with node.store.transaction("read parts") as tx:
        parts = job_rows.list_parts(tx, job)
        cancelled = job_rows.cancel_requested(tx, job)
    if any(part.is_open for part in parts):
        log.get_logger().info("job_waits", job=job, reason="peers")
    elif cancelled and (not parts or any(part.state == "cancelled" for part in parts)):
        _end(node, job, lease, "cancelled")
    elif any(part.state == "distrusted" for part in parts):
        peers = ", ".join(part.peer for part in parts if part.state == "distrusted")
        _end(node, job, lease, "failed", f"wrong answers from {peers}: nothing of it is used")
    else:
        _end(node, job, lease, "done")


def cancel(node: Node, job: str, access: JobAccess = NODE_ACCESS) -> JobRow:
    """Ask a job to stop. A job that has ended stays as it is.

    Raises NotFoundError, and RefusedError for a job of somebody else.
    """
    require_job(node, job, access, change=True)

    def write(tx: Connection) -> None:
        row = job_rows.find_job(tx, job)
        if row is not None and job_rows.request_cancel(tx, job):
            audit_rows.append(tx, f"{row.kind}_cancelled", {"job": job}, node.clock())

    node.store.retry_write("cancel job", write)
    return require_job(node, job)


def _check(node: Node, job: str, request: JobRequest, kind: JobKind[Any, Any]) -> None:
    if not CODE.fullmatch(job):
        raise InvalidRequestError(
            "a job id is 1 to 64 of letters, digits, dot, underscore and hyphen, not 15 digits in a row"
        )
    people = kind.people(request)
    if not request.items or not request.peers or not people:
        raise InvalidRequestError("a job needs at least one item, one peer and one person")
    for names in (request.items, request.peers):
        if len(set(names)) != len(names):
            raise InvalidRequestError("an item or a peer is given twice")
    if people > node.config.limits.max_subjects_per_job:
        raise InvalidRequestError("more people than one job may hold", "split the list")
    if not LEGAL_BASIS.fullmatch(request.legal_basis):
        raise InvalidRequestError(
            "the legal basis is a code of letters, digits, dot, underscore and hyphen, not 15 digits in a row"
        )
    kind.check(node, request)
    _check_peers(node, request)


def _check_peers(node: Node, request: JobRequest) -> None:
    """They are known, or chosen when the job starts."""
    if jobs.AUTO[0] in request.peers:
        if request.peers != jobs.AUTO or request.kind != jobs.VERIFICATION:
            raise InvalidRequestError(
                "`auto` stands alone, and for a verification only", "name the peers, or none but `auto`"
            )
        return
    require_peers(node, request.peers)


def require_peers(node: Node, peers: Sequence[str]) -> None:
    """Raises NotFoundError for a peer that this node does not know."""
    with node.store.transaction("find peers") as tx:
        known = peer_rows.peer_names(tx)
    for peer in peers:
        if peer not in known:
            raise NotFoundError(
                f"peer {peer} is not known to this node",
                "`heqiao peers list` shows who is; `heqiao peers add` adds a peer by its card",
            )


def _end(node: Node, job: str, lease: Lease, state: str, error: str = "") -> None:
    now = node.clock()

    def write(tx: Connection) -> None:
        row = job_rows.find_job(tx, job)
        if row is not None and row.state in jobs.OPEN_STATES:
            job_rows.set_job_state(tx, job, state, now, error)
            job_rows.close_parts(tx, job)  # a job that failed leaves parts in the middle
            audit_rows.append(tx, f"{row.kind}_ended", {"job": job, "state": state}, now)

    lease.write("end job", write)
    log.get_logger().info("job_ended", job=job, state=state)
