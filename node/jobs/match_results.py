"""The report of a job from what its parts left (design.md section 4)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from node.context import Node
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain import jobs
from node.domain.days import EPOCH_START
from node.domain.findings import Finding, Outcome, PeerSummary, Report
from node.domain.jobs import JobRow, PartRow
from node.domain.refusals import Refusals, unpack_refusals
from node.domain.verification import Verification, unpack_verification
from node.errors import InvalidRequestError, PreconditionError
from node.jobs.lookup import require_job
from node.requester.checkpoint import unpack_answers
from node.requester.match_query import Answer

_WITHOUT_ANSWER = {
    "unavailable": Outcome.UNAVAILABLE,
    "distrusted": Outcome.UNAVAILABLE,
    "cancelled": Outcome.UNAVAILABLE,
    "refused": Outcome.REFUSED,
    "overdue": Outcome.OVERDUE,
}


def build_report(node: Node, job: str) -> Report:
    """The report of a verification that has ended.

    Raises NotFoundError, PreconditionError while it runs, and InvalidRequestError for a job that is a sum.
    """
    row = require_ended(node, job, jobs.VERIFICATION)
    with node.store.transaction("read report") as tx:
        sealed = job_rows.read_request(tx, job)
        parts = job_rows.list_parts(tx, job)
        names = {peer.code: peer.name for peer in peer_rows.list_peers(tx)}
        answers = {part.peer: job_rows.read_answers(tx, job, part.peer) for part in parts}
        refusals = {part.peer: job_rows.read_refusals(tx, job, part.peer) for part in parts}
    verification = unpack_verification(node.keys.vault.unseal(f"request {job}", sealed))
    findings: list[Finding] = []
    for part in parts:
        opened = {
            item: unpack_answers(node.keys.vault.unseal(f"answers {job} {part.peer} {item}", data))
            for item, data in answers[part.peer].items()
            if part.state != "distrusted"
        }
        refused = _open_refusals(node, part, refusals[part.peer], len(verification.subjects))
        findings += _findings(row, verification, part, opened, refused)
    return Report(
        job=job,
        requester=node.code,
        requester_name=node.config.node.name,
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        catalogue_version=node.catalogue.version,
        catalogue_digest=node.catalogue.digest.hex(),
        created_at=row.created_at,
        finished_at=row.finished_at,
        due_at=row.due_at,
        items=row.items,
        subjects=tuple(subject.ref for subject in verification.subjects),
        peers=tuple(summarise_part(part, names.get(part.peer, part.peer)) for part in parts),
        findings=tuple(findings),
        state=row.state,
    )


def _open_refusals(node: Node, part: PartRow, sealed: bytes | None, subjects: int) -> Sequence[Refusals]:
    """What was kept when the part ran; empty for a part that never ran."""
    if sealed is None:
        return [{}] * subjects
    return unpack_refusals(node.keys.vault.unseal(f"part {part.job} {part.peer} refusals", sealed))


def _findings(
    job: JobRow,
    verification: Verification,
    part: PartRow,
    opened: Mapping[str, Sequence[Answer]],
    refused: Sequence[Refusals],
) -> list[Finding]:
    gap = Answer(_WITHOUT_ANSWER.get(part.state, Outcome.UNAVAILABLE), reason=part.reason or part.state)
    found = []
    for item in job.items:
        answers = opened.get(item)
        for number, subject in enumerate(verification.subjects):
            if answers is not None:
                answer = answers[number]
            elif item in refused[number]:
                answer = Answer(Outcome.NOT_MANDATED, reason=refused[number][item])
            else:
                answer = gap
            as_of = None if answer.as_of is None else EPOCH_START + timedelta(days=answer.as_of)
            found.append(
                Finding(subject.ref, item, part.peer, answer.outcome, answer.value, as_of, answer.reason)
            )
    return found


def require_ended(node: Node, job: str, kind: str) -> JobRow:
    """A job of one kind that has ended. Raises as `build_report` does."""
    row = require_job(node, job)
    if row.kind != kind:
        raise InvalidRequestError(
            f"this job is a {row.kind}", "its report has another form; use `heqiao report`"
        )
    if row.state in jobs.OPEN_STATES:
        raise PreconditionError("the job has not ended yet", "`heqiao jobs watch` shows when it has")
    return row


def summarise_part(part: PartRow, name: str) -> PeerSummary:
    """How one peer's part of a job went."""
    return PeerSummary(
        peer=part.peer,
        name=name,
        state=part.state,
        reason=part.reason,
        epoch=part.epoch,
        points=part.points,
        bytes_up=part.bytes_up,
        bytes_down=part.bytes_down,
        seconds=part.seconds,
        plan=part.plan,
        plan_reason=part.plan_reason,
    )
