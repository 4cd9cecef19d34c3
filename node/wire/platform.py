"""Messages of the platform service as both sides send them, and reports as a platform reads them.

What a platform submits is read in node/wire/platform_requests.py, which a client does not need.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date
from itertools import chain
from types import MappingProxyType
from typing import TypeVar

from google.protobuf.message import Message
from heqiao.platform.v1 import platform_pb2 as pb

from matcher import identity
from node.domain.findings import Finding, Findings, Outcome, PeerSummary, Report, ReusedFrom
from node.domain.jobs import SUM, VERIFICATION, WATCH, Attempt, JobRow, PartRow
from node.domain.mandate import Mandate, Scope, share_scopes
from node.domain.subjects import Subjects
from node.domain.verification import Verification
from node.errors import InvalidRequestError
from node.wire.common import day_of, days_of, name_pair, require, timestamp
from node.wire.declared import declared_message

CHUNK = 5_000  # people, mandates or answers in a message: about 300 KiB
MOST_FINDINGS = 50_000  # in a message
MOST_BYTES = 900 * 1024  # of a message; every node takes 1 MiB
JOB_STATES = {
    "queued": pb.JOB_STATE_QUEUED,
    "running": pb.JOB_STATE_RUNNING,
    "done": pb.JOB_STATE_DONE,
    "failed": pb.JOB_STATE_FAILED,
    "cancelled": pb.JOB_STATE_CANCELLED,
}
JOB_KINDS = {
    VERIFICATION: pb.JOB_KIND_VERIFICATION,
    SUM: pb.JOB_KIND_SUM,
    WATCH: pb.JOB_KIND_WATCH,
}
STATE_NAMES = {number: name for name, number in JOB_STATES.items()}
OUTCOMES = {one: getattr(pb, f"OUTCOME_{one.value}") for one in Outcome}
OUTCOME_NAMES: dict[int, Outcome] = {number: one for one, number in OUTCOMES.items()}
ID_TYPES = {
    identity.RESIDENT: pb.IDENTITY_TYPE_RESIDENT,
    identity.PERMIT: pb.IDENTITY_TYPE_HMT_PERMIT,
    identity.FOREIGN: pb.IDENTITY_TYPE_FOREIGN_PERMIT,
    identity.FOREIGN_OLD: pb.IDENTITY_TYPE_FOREIGN_PERMIT_OLD,
}
M = TypeVar("M", bound=Message)


def submission(job: str, verification: Verification) -> Iterator[pb.SubmitVerificationRequest]:
    """The messages that submit a verification. Raises InvalidRequestError for an unknown document type."""
    subjects, mandates = Subjects.of(verification.subjects), list(verification.mandates.values())
    start = pb.SubmitVerificationRequest(
        start=pb.VerificationStart(
            job_id=job,
            items=verification.items,
            peers=verification.peers,
            purpose=verification.purpose,
            legal_basis=verification.legal_basis,
            subjects_announced=len(subjects),
            reuse=verification.reuse,
            urgent=verification.urgent,
            matter=verification.matter,
            recheck_of=verification.recheck_of,
            declared=declared_message(verification.declared) if verification.declared else None,
        )
    )
    require(start.ByteSize() <= MOST_BYTES, "what households declare is too much for one job: split the list")
    yield start
    yield from in_pieces(len(mandates), CHUNK, lambda part: _mandates_request(mandates[part]))
    yield from in_pieces(len(subjects), CHUNK, lambda part: _subjects_request(subjects[part]))


def in_pieces(count: int, most: int, build: Callable[[slice], M]) -> Iterator[M]:
    """Messages with at most `most` entries each of a list of `count`, and none too long to be taken."""
    waiting = [slice(at, min(at + most, count)) for at in reversed(range(0, count, most))]
    while waiting:
        part = waiting.pop()
        message = build(part)
        if message.ByteSize() <= MOST_BYTES or part.stop - part.start == 1:
            yield message
        else:
            middle = (part.start + part.stop) // 2
            waiting += (slice(middle, part.stop), slice(part.start, middle))


def identities_message(counts: Iterable[int], types: Iterable[str], values: Iterable[str]) -> pb.Identities:
    """The identities of some people: how many each has, then all of them.

    Raises InvalidRequestError for an unknown document type.
    """
    try:
        codes = [ID_TYPES[one] for one in types]
    except KeyError:
        raise InvalidRequestError(
            "an identity is not valid: its document type is not a known one",
            f"one of {', '.join(identity.TYPES)}",
        ) from None
    return pb.Identities(counts=counts, types=codes, values=values)


def job_message(
    row: JobRow,
    parts: Iterable[PartRow],
    names: Mapping[str, str],
    attempts: Mapping[tuple[str, str], Sequence[Attempt]] = MappingProxyType({}),
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> pb.Job:
    """A job and the progress of each part, with its earlier attempts by (job, peer), and the peers left
    out.
    """
    message = pb.Job(
        job_id=row.id,
        state=JOB_STATES[row.state],
        created_at=timestamp(row.created_at),
        due_at=timestamp(row.due_at),
        finished_at=timestamp(row.finished_at) if row.finished_at else None,
        subjects=row.subjects,
        items=row.items,
        error=row.error,
        kind=JOB_KINDS[row.kind],
        owner=row.owner,
        report_by=timestamp(row.report_by) if row.report_by else None,
        due_estimated=row.due_estimated,
        files_issued=row.files_issued,
        left_out=[
            pb.LeftOut(peer=peer, name=names.get(peer, peer), reason=reason)
            for peer, reason in left_out.items()
        ],
    )
    for part in parts:
        message.parts.add(
            peer=part.peer,
            name=names.get(part.peer, part.peer),
            state=part.state,
            reason=part.reason,
            done=part.done,
            total=part.total,
            epoch=part.epoch,
            points=part.points,
            bytes_up=part.bytes_up,
            bytes_down=part.bytes_down,
            seconds=part.seconds,
            plan=part.plan,
            plan_reason=part.plan_reason,
            retry_at=timestamp(part.retry_at) if part.retry_at else None,
            clock=clock_message(part),
            attempts=map(_attempt_message, attempts.get((row.id, part.peer), ())),
            answered_at=timestamp(part.answered_at) if part.answered_at else None,
        )
    return message


def clock_message(part: PartRow) -> pb.PartClock | None:
    """The deadlines of a part; None where they were never stored."""
    if part.asked_at is None or part.due_at is None or part.closes_at is None:
        return None
    return pb.PartClock(
        asked_at=timestamp(part.asked_at),
        due_at=timestamp(part.due_at),
        closes_at=timestamp(part.closes_at),
        due_estimated=part.due_estimated,
        close_estimated=part.close_estimated,
        warned_at=timestamp(part.warned_at) if part.warned_at else None,
    )


def _attempt_message(one: Attempt) -> pb.Attempt:
    return pb.Attempt(
        asked_at=timestamp(one.asked_at),
        ended_at=timestamp(one.ended_at),
        state=one.state,
        reason=one.reason,
        points=one.points,
    )


def report_messages(report: Report, job: pb.Job) -> Iterator[pb.GetReportResponse]:
    """A report: header, then its subjects, answers and findings in chunks."""
    yield pb.GetReportResponse(
        header=pb.ReportHeader(
            job=job,
            requester=report.requester,
            requester_name=report.requester_name,
            purpose=report.purpose,
            legal_basis=report.legal_basis,
            catalogue_version=report.catalogue_version,
            catalogue_digest=bytes.fromhex(report.catalogue_digest),
            issuing_body=report.issuing_body,
            legal_basis_name=report.legal_basis_name or (),
            matter=report.matter,
            matter_name=report.matter_name or (),
        )
    )
    found = Findings.of(report.findings)
    refs, subject = report.subjects, found.subject
    if found.refs != refs:
        place = {ref: at for at, ref in enumerate(refs)}
        subject = array("I", [place[found.refs[at]] for at in subject])

    def places(part: slice) -> pb.FindingChunk:
        return pb.FindingChunk(subject_places=subject[part], answer_places=found.answer[part])

    for chunk in chain(
        in_pieces(len(refs), CHUNK, lambda part: pb.FindingChunk(subjects=refs[part])),
        in_pieces(
            len(found.answers),
            CHUNK,
            lambda part: pb.FindingChunk(answers=map(answer_message, found.answers[part])),
        ),
        in_pieces(len(found), MOST_FINDINGS, places),
    ):
        yield pb.GetReportResponse(chunk=chunk)


def read_report(responses: Iterable[pb.GetReportResponse]) -> Report:
    """The report that a node streams to its platform.

    Raises InvalidRequestError without a header, or where findings refer to nothing.
    """
    header, found = _read_chunks(responses)
    job = header.job
    return Report(
        job=job.job_id,
        requester=header.requester,
        requester_name=header.requester_name,
        purpose=header.purpose,
        legal_basis=header.legal_basis,
        catalogue_version=header.catalogue_version,
        catalogue_digest=header.catalogue_digest.hex(),
        created_at=job.created_at.ToDatetime(tzinfo=UTC),
        finished_at=job.finished_at.ToDatetime(tzinfo=UTC) if job.HasField("finished_at") else None,
        due_at=job.due_at.ToDatetime(tzinfo=UTC),
        items=tuple(job.items),
        subjects=found.refs,
        peers=tuple(map(peer_summary, job.parts)),
        findings=found,
        state=STATE_NAMES[job.state],
        due_estimated=job.due_estimated,
        left_out={one.peer: one.reason for one in job.left_out},
        issuing_body=header.issuing_body,
        legal_basis_name=name_pair(header.legal_basis_name),
        matter=header.matter,
        matter_name=name_pair(header.matter_name),
    )


def _read_chunks(responses: Iterable[pb.GetReportResponse]) -> tuple[pb.ReportHeader, Findings]:
    header: pb.ReportHeader | None = None
    subjects: list[str] = []
    answers: list[Finding] = []
    subject, answer = array("I"), array("I")
    for response in responses:
        if response.WhichOneof("message") == "header":
            header = response.header
            continue
        subjects += response.chunk.subjects
        answers += map(read_answer, response.chunk.answers)
        subject.extend(response.chunk.subject_places)
        answer.extend(response.chunk.answer_places)
    if header is None:
        raise InvalidRequestError("the report has no header")
    require(len(subject) == len(answer), "the report's findings are not complete")
    good = max(subject, default=-1) < len(subjects) and max(answer, default=-1) < len(answers)
    require(good, "a finding of the report refers to no subject or answer")
    return header, Findings(tuple(subjects), tuple(answers), subject, answer)


def _mandates_request(mandates: Sequence[Mandate]) -> pb.SubmitVerificationRequest:
    scopes, places = share_scopes(mandates)
    columns = pb.Mandates(
        mandate_nos=[one.number for one in mandates],
        scopes=map(_scope_message, scopes),
        scope_places=places,
        signer_counts=[len(one.signers) for one in mandates],
        signers=[signer for one in mandates for signer in one.signers],
        doc_hashes=[one.doc_hash for one in mandates],
        people_counts=[len(one.people) for one in mandates],
        people=[number for one in mandates for number in sorted(one.people)],
    )
    if any(one.agents for one in mandates):
        columns.agent_counts.extend(len(one.agents) for one in mandates)
        columns.agents.extend(agent for one in mandates for agent in one.agents)
    return pb.SubmitVerificationRequest(chunk=pb.VerificationChunk(mandates=columns))


def _scope_message(scope: Scope) -> pb.Scope:
    return pb.Scope(
        programme=scope.programme,
        items=sorted(scope.items),
        regions=sorted(scope.regions),
        valid_from=_text(scope.valid_from),
        valid_to=_text(scope.valid_to),
        revoked_at=_text(scope.revoked_at),
        event=scope.event,
        office=scope.office,
        template_id=scope.template_id,
        sig_type=scope.sig_type,
        matter=scope.matter,
    )


def _subjects_request(subjects: Subjects) -> pb.SubmitVerificationRequest:
    columns = pb.Subjects(
        refs=subjects.refs,
        households=subjects.households,
        names=subjects.names,
        mandate_nos=subjects.mandates,
        identities=identities_message(subjects.identity_counts, subjects.id_types, subjects.id_values),
    )
    return pb.SubmitVerificationRequest(chunk=pb.VerificationChunk(subjects=columns))


def answer_message(said: Finding) -> pb.Answer:
    """What one province says of one item."""
    return pb.Answer(
        item=said.item,
        peer=said.peer,
        outcome=OUTCOMES[said.outcome],
        value=said.value,
        as_of=None if said.as_of is None else days_of(said.as_of),
        reason=said.reason,
        reused_from=None
        if said.reused_from is None
        else pb.ReusedFrom(job_id=said.reused_from.job, day=days_of(said.reused_from.day)),
    )


def read_answer(message: pb.Answer) -> Finding:
    """The same as the node sent it, about nobody in particular."""
    return Finding(
        subject="",
        item=message.item,
        peer=message.peer,
        outcome=OUTCOME_NAMES[message.outcome],
        value=message.value if message.HasField("value") else None,
        as_of=day_of(message.as_of) if message.HasField("as_of") else None,
        reason=message.reason,
        reused_from=_reused_from(message.reused_from) if message.HasField("reused_from") else None,
    )


def _reused_from(message: pb.ReusedFrom) -> ReusedFrom:
    return ReusedFrom(message.job_id, day_of(message.day))


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def peer_summary(part: pb.Part) -> PeerSummary:
    """Result and cost of one peer's part."""
    return PeerSummary(
        peer=part.peer,
        name=part.name,
        state=part.state,
        reason=part.reason,
        epoch=part.epoch,
        points=part.points,
        bytes_up=part.bytes_up,
        bytes_down=part.bytes_down,
        seconds=part.seconds,
        plan=part.plan,
        plan_reason=part.plan_reason,
        attempts=tuple(map(read_attempt, part.attempts)),
        answered_at=part.answered_at.ToDatetime(tzinfo=UTC) if part.HasField("answered_at") else None,
    )


def read_attempt(message: pb.Attempt) -> Attempt:
    """How an earlier attempt ended."""
    asked_at, ended_at = (one.ToDatetime(tzinfo=UTC) for one in (message.asked_at, message.ended_at))
    return Attempt(asked_at, ended_at, message.state, message.reason, message.points)
