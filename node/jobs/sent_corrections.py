"""Requests of this node to correct records of other provinces: sent, followed up (ADR 0032).

A request shows the other province who the person is, so it needs the person's mandate, or that the person
asks for it, and the caller says that it knows. What could not be delivered stays `sent`: it is sent later.
"""

import json
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime

from matcher.correction import prove
from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import corrections as rows
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain.audit_chain import Detail
from node.domain.corrections import (
    ID_SIZE,
    MOST_ASKED,
    Basis,
    Fault,
    Request,
    SentCorrection,
    State,
    Told,
)
from node.domain.days import china_day
from node.domain.job_access import JobAccess
from node.domain.jobs import VERIFICATION, JobRow
from node.domain.mandate import CODE
from node.domain.sealed_names import of_matched_entries, of_request, of_sent_correction
from node.domain.subjects import Subjects
from node.domain.verification import Verification, unpack_verification
from node.errors import (
    InvalidRequestError,
    LimitError,
    NodeError,
    NotFoundError,
    PreconditionError,
    RefusedError,
    UnavailableError,
)
from node.jobs.case_clock import due_after
from node.jobs.lookup import require_job
from node.jobs.mandates import revoked_numbers
from node.jobs.match_results import require_ended
from node.requester.context import refusal_rule
from node.requester.match_query import ask_question
from node.requester.matched_entries import MatchedEntry, entries_of
from node.telemetry import log
from node.transport.correction_client import CorrectionClient


def send(
    node: Node,
    access: JobAccess,
    job: str,
    subject: str,
    peer: str,
    item: str,
    fault: Fault,
    basis: Basis,
    reference: str,
    *,
    discloses: bool,
) -> list[SentCorrection]:
    """Ask a peer to correct what it answered about one subject and item of a job that has ended.

    One request for each entry that was opened: a person may have several numbers. `discloses`: the caller
    knows that the peer learns who the person is. Raises PreconditionError without it, NotFoundError where
    nothing was opened, RefusedError without a mandate that covers it today (basis `mandate`).
    """
    if not discloses:
        raise PreconditionError(
            "a request for correction shows the other province who the person is",
            "say that this is known and wanted: --disclose-person",
            {"rule": "discloses_person"},
        )
    if not CODE.fullmatch(reference):
        raise InvalidRequestError(
            "a reference is 1 to 64 of letters, digits, dot, underscore and hyphen, not 15 digits in a row"
        )
    row = require_job(node, job, access, change=True)
    entries = _entries(node, require_ended(node, row.id, VERIFICATION), subject, peer, item, basis)
    now = node.clock()
    made = [_new(node, row, subject, peer, item, fault, basis, reference, entry, now) for entry in entries]

    def write(tx: Connection) -> None:
        for sent, sealed in made:
            rows.add_sent(tx, sent, sealed)
            audit_rows.append(tx, "correction_sent", _audited(sent), now)

    node.store.retry_write("send correction", write)
    deliver(node, [sent for sent, _ in made])
    return _read(node, [sent.id for sent, _ in made])


def _entries(
    node: Node, row: JobRow, subject: str, peer: str, item: str, basis: Basis
) -> tuple[MatchedEntry, ...]:
    with node.store.transaction("read entries") as tx:
        parts = {part.peer: part for part in job_rows.list_parts(tx, row.id)}
        sealed = rows.read_entries(tx, row.id, peer, item)
        packed = job_rows.read_request(tx, row.id)
    request = unpack_verification(node.keys.vault.unseal(of_request(row.id), packed))
    refs = Subjects.of(request.subjects).refs
    if subject not in refs:
        raise NotFoundError("the job asked about no such person", "write household/member as the list has it")
    found: tuple[MatchedEntry, ...] = ()
    if sealed is not None and peer in parts and parts[peer].state == "done":
        plain = node.keys.vault.unseal(of_matched_entries(row.id, peer, item), sealed)
        found = entries_of(plain, refs.index(subject))
    if not found:
        raise NotFoundError(
            "the province answered with no record of this person and item",
            "only a record that was answered can be corrected",
        )
    if basis is Basis.MANDATE:
        _require_mandate(node, row, request, refs.index(subject), peer, item)
    return found


def _require_mandate(
    node: Node, row: JobRow, request: Verification, place: int, peer: str, item: str
) -> None:
    """The person's mandate must cover this item and province today, as for a new query."""
    one = replace(request, items=(item,), peers=(peer,), subjects=(request.subjects[place],))
    revoked = revoked_numbers(node, row.owner, request.mandates)
    question = ask_question(node, one, peer, china_day(node.clock()), revoked)
    reason = question.uncovered[0].get(item)
    if reason:
        raise RefusedError(
            "the person's mandate does not cover the request",
            "send it at the person's own request",
            {"rule": reason},
        )


def _new(
    node: Node,
    job: JobRow,
    subject: str,
    peer: str,
    item: str,
    fault: Fault,
    basis: Basis,
    reference: str,
    entry: MatchedEntry,
    now: datetime,
) -> tuple[SentCorrection, bytes]:
    named = (item, entry.origin, entry.epoch, entry.place, entry.tag)
    request = Request(secrets.token_bytes(ID_SIZE), *named, fault, basis, reference)
    request = replace(request, proof=prove(entry.key, request.message(node.code, peer)))
    due = due_after(node, now, node.config.deadlines.correction_days)
    sent = SentCorrection(
        id=request.id,
        owner=job.owner,
        job=job.id,
        peer=peer,
        item=item,
        fault=fault,
        basis=basis,
        reference=reference,
        state=State.SENT,
        reason="",
        created_at=now,
        received_at=None,
        due_at=due.at,
        due_estimated=due.estimated,
        answered_at=None,
    )
    plain = [subject, entry.origin, entry.epoch, entry.place, entry.tag.hex(), request.proof.hex()]
    packed = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    return sent, node.keys.vault.seal(of_sent_correction(request.id), packed)


def deliver(node: Node, sent: Iterable[SentCorrection]) -> None:
    """Send what has no receipt yet. An unreachable peer leaves it `sent`, a refusal ends it."""
    by_peer: dict[str, list[SentCorrection]] = {}
    for one in sent:
        by_peer.setdefault(one.peer, []).append(one)
    for peer, some in by_peer.items():
        _with_peer(node, peer, lambda client, some=some: _deliver(node, client, some))  # type: ignore[misc]


def _deliver(node: Node, client: CorrectionClient, some: Iterable[SentCorrection]) -> None:
    for one in some:
        with node.store.transaction("read correction") as tx:
            found = rows.find_sent(tx, one.id)
        if found is None:
            continue
        request, _ = _open(node, *found)
        try:
            receipt = client.submit(request)
        except (UnavailableError, LimitError):
            raise
        except NodeError as error:
            _update(node, one, State.REFUSED, refusal_rule(error)[:64], answered_at=node.clock())
        else:
            times = {"received_at": receipt.received_at, "due_at": receipt.due_at}
            _update(node, one, State.RECEIVED, "", **times, due_estimated=receipt.due_estimated)


def sync(
    node: Node,
    owners: Collection[str] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> list[SentCorrection]:
    """Send what could not be delivered, ask for the answers of all that waits; returns it as it is now."""
    with node.store.transaction("list corrections") as tx:
        waiting = rows.list_sent(tx, owners, waiting=True)
    deliver(node, [one for one in waiting if one.state is State.SENT])
    asked: dict[str, list[SentCorrection]] = {}
    for one in waiting:
        if one.state is State.RECEIVED:
            asked.setdefault(one.peer, []).append(one)
    for peer, some in asked.items():
        if stopping():
            break
        for at in range(0, len(some), MOST_ASKED):
            part = some[at : at + MOST_ASKED]
            _with_peer(node, peer, lambda client, part=part: _ask(node, client, part))  # type: ignore[misc]
    return _read(node, [one.id for one in waiting])


def _ask(node: Node, client: CorrectionClient, some: list[SentCorrection]) -> None:
    told = client.states([one.id for one in some])
    for one, now in zip(some, told, strict=True):
        _take(node, one, now)


def _take(node: Node, one: SentCorrection, told: Told) -> None:
    if told.state is None:
        # It was restored from an older backup: the same request is sent again.
        _update(node, one, State.SENT, "")
    elif told.state is not State.RECEIVED:
        _update(node, one, told.state, told.reason, answered_at=told.answered_at)


def _with_peer(node: Node, code: str, work: Callable[[CorrectionClient], None]) -> None:
    """Do something at a peer; what fails is logged, and tried again by the next run."""
    with node.store.transaction("find peer") as tx:
        peer = peer_rows.find_peer(tx, code)
    try:
        if peer is None:
            raise NotFoundError("this peer is no longer known")
        with CorrectionClient.open(node, peer) as client:
            work(client)
    except NodeError as error:
        log.get_logger().warning("corrections_wait", peer=code, reason=refusal_rule(error))


def list_sent(node: Node, access: JobAccess) -> list[SentCorrection]:
    """Requests that the caller may see, newest first."""
    with node.store.transaction("list corrections") as tx:
        return rows.list_sent(tx, access.seen)


def read_subject(node: Node, correction: bytes) -> str:
    """Whose record a request is about: the reference of the list. Raises NotFoundError."""
    with node.store.transaction("read correction") as tx:
        found = rows.find_sent(tx, correction)
    if found is None:
        raise NotFoundError("there is no such correction", "see `heqiao corrections list`")
    return _open(node, *found)[1]


def _open(node: Node, row: SentCorrection, sealed: bytes) -> tuple[Request, str]:
    plain = json.loads(node.keys.vault.unseal(of_sent_correction(row.id), sealed))
    subject, origin, epoch, place, tag, proof = plain
    request = Request(
        row.id,
        row.item,
        origin,
        epoch,
        place,
        bytes.fromhex(tag),
        row.fault,
        row.basis,
        row.reference,
        bytes.fromhex(proof),
    )
    return request, subject


def _update(
    node: Node, one: SentCorrection, state: State, reason: str, **times: datetime | bool | None
) -> None:
    now = node.clock()

    def write(tx: Connection) -> None:
        if rows.update_sent(tx, one.id, state, reason, **times) and state is not State.SENT:
            details = {**_audited(one), "state": state.value, "reason": reason}
            audit_rows.append(tx, "correction_followed", details, now)

    node.store.retry_write("follow correction", write)


def _read(node: Node, ids: Iterable[bytes]) -> list[SentCorrection]:
    with node.store.transaction("read corrections") as tx:
        found = [rows.find_sent(tx, one) for one in ids]
    return [one[0] for one in found if one is not None]


def _audited(sent: SentCorrection) -> dict[str, Detail]:
    return {
        "peer": sent.peer,
        "correction": sent.id.hex(),
        "item": sent.item,
        "fault": sent.fault.value,
        "basis": sent.basis.value,
        "reference": sent.reference,
    }
