"""Messages of the platform service to dataclasses and back; all input of a platform is checked here."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date

from heqiao.platform.v1 import platform_pb2 as pb

from matcher import Identity, identity, names
from matcher.errors import IdentityError
from node.domain.findings import Finding, Outcome, PeerSummary, Report
from node.domain.jobs import SUM, VERIFICATION, JobRow, PartRow
from node.domain.mandate import PROGRAMMES, Mandate
from node.domain.subjects import Subject, holds_identity
from node.domain.verification import Verification
from node.errors import InvalidRequestError
from node.wire.common import day_of, days_of, first_start, require, require_chunk, timestamp

CHUNK = 2_000  # subjects or findings in a message: about 300 KiB of the allowed 1 MiB
MAX_TEXT = 200
MAX_IDENTITIES = 8
MAX_SCOPE = 100
JOB_STATES = {
    "queued": pb.JOB_STATE_QUEUED,
    "running": pb.JOB_STATE_RUNNING,
    "done": pb.JOB_STATE_DONE,
    "failed": pb.JOB_STATE_FAILED,
    "cancelled": pb.JOB_STATE_CANCELLED,
}
JOB_KINDS = {VERIFICATION: pb.JOB_KIND_VERIFICATION, SUM: pb.JOB_KIND_SUM}
STATE_NAMES = {number: name for name, number in JOB_STATES.items()}
OUTCOMES = {one: getattr(pb, f"OUTCOME_{one.value}") for one in Outcome}
OUTCOME_NAMES: dict[int, Outcome] = {number: one for one, number in OUTCOMES.items()}


def submission(job: str, verification: Verification) -> Iterator[pb.SubmitVerificationRequest]:
    """The messages that submit a verification."""
    yield pb.SubmitVerificationRequest(
        start=pb.VerificationStart(
            job_id=job,
            items=verification.items,
            peers=verification.peers,
            purpose=verification.purpose,
            legal_basis=verification.legal_basis,
            subjects_announced=len(verification.subjects),
        )
    )
    mandates = list(verification.mandates.values())
    for at in range(0, len(mandates), CHUNK):
        chunk = pb.VerificationChunk(mandates=map(_mandate_message, mandates[at : at + CHUNK]))
        yield pb.SubmitVerificationRequest(chunk=chunk)
    for at in range(0, len(verification.subjects), CHUNK):
        chunk = pb.VerificationChunk(subjects=map(_subject_message, verification.subjects[at : at + CHUNK]))
        yield pb.SubmitVerificationRequest(chunk=chunk)


def read_submission(
    requests: Iterable[pb.SubmitVerificationRequest], max_subjects: int
) -> tuple[str, Verification]:
    """The job id and verification that a platform submits. Raises InvalidRequestError."""
    messages = iter(requests)
    start = first_start(messages)
    require(start.subjects_announced <= max_subjects, "more subjects than one job may hold")
    subjects: list[Subject] = []
    mandates: dict[str, Mandate] = {}
    for message in messages:
        require_chunk(message)
        for mandate in map(_mandate, message.chunk.mandates):
            require(mandate.number not in mandates, "a mandate number is given twice")
            mandates[mandate.number] = mandate
        subjects += map(_subject, message.chunk.subjects)
        require(len(subjects) <= start.subjects_announced, "more subjects than announced")
        require(len(mandates) <= max_subjects, "more mandates than subjects may need")
    require(len(subjects) == start.subjects_announced, "fewer subjects than announced")
    verification = Verification(
        items=tuple(start.items),
        peers=tuple(start.peers),
        purpose=start.purpose,
        legal_basis=start.legal_basis,
        subjects=tuple(subjects),
        mandates=mandates,
    )
    return start.job_id, verification


def job_message(row: JobRow, parts: Iterable[PartRow], names: dict[str, str]) -> pb.Job:
    """A job and the progress of each part."""
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
        )
    return message


def report_messages(report: Report, job: pb.Job) -> Iterator[pb.GetReportResponse]:
    """A report: header, then its subjects and findings in chunks."""
    yield pb.GetReportResponse(
        header=pb.ReportHeader(
            job=job,
            requester=report.requester,
            requester_name=report.requester_name,
            purpose=report.purpose,
            legal_basis=report.legal_basis,
            catalogue_version=report.catalogue_version,
            catalogue_digest=bytes.fromhex(report.catalogue_digest),
        )
    )
    for at in range(0, len(report.subjects), CHUNK):
        yield pb.GetReportResponse(chunk=pb.FindingChunk(subjects=report.subjects[at : at + CHUNK]))
    for at in range(0, len(report.findings), CHUNK):
        chunk = pb.FindingChunk(findings=map(_finding_message, report.findings[at : at + CHUNK]))
        yield pb.GetReportResponse(chunk=chunk)


def read_report(responses: Iterable[pb.GetReportResponse]) -> Report:
    """The report that a node streams to its platform. Raises InvalidRequestError without a header."""
    header: pb.ReportHeader | None = None
    subjects: list[str] = []
    findings: list[Finding] = []
    for response in responses:
        if response.WhichOneof("message") == "header":
            header = response.header
        else:
            subjects += response.chunk.subjects
            findings += map(_finding, response.chunk.findings)
    if header is None:
        raise InvalidRequestError("the report has no header")
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
        subjects=tuple(subjects),
        peers=tuple(map(peer_summary, job.parts)),
        findings=tuple(findings),
        state=STATE_NAMES[job.state],
    )


def _mandate_message(mandate: Mandate) -> pb.Mandate:
    return pb.Mandate(
        mandate_no=mandate.number,
        programme=mandate.programme,
        items=sorted(mandate.items),
        regions=sorted(mandate.regions),
        valid_from=mandate.valid_from.isoformat(),
        valid_to=mandate.valid_to.isoformat() if mandate.valid_to else "",
        revoked_at=mandate.revoked_at.isoformat() if mandate.revoked_at else "",
        signers=mandate.signers,
        doc_hash=mandate.doc_hash,
    )


def _mandate(message: pb.Mandate) -> Mandate:
    texts = (message.mandate_no, message.programme, message.doc_hash, *message.signers)
    require(all(len(text) <= MAX_TEXT for text in texts), "a text of a mandate is too long")
    require(bool(message.mandate_no), "a mandate has no number")
    require(not holds_identity(message.mandate_no, ()), "an identity number must not serve as a reference")
    require(message.programme in (*PROGRAMMES, "*"), "a mandate's programme is not a known one")
    require(
        max(len(message.items), len(message.regions), len(message.signers)) <= MAX_SCOPE,
        "a mandate's scope is too long",
    )
    valid_from = _day(message.valid_from)
    if valid_from is None:
        raise InvalidRequestError("a mandate has no first day")
    return Mandate(
        number=message.mandate_no,
        programme=message.programme,
        items=frozenset(message.items),
        regions=frozenset(message.regions),
        valid_from=valid_from,
        valid_to=_day(message.valid_to),
        revoked_at=_day(message.revoked_at),
        signers=tuple(message.signers),
        doc_hash=message.doc_hash,
    )


def _subject_message(subject: Subject) -> pb.Subject:
    return pb.Subject(
        ref=subject.ref,
        household=subject.household,
        name=subject.name,
        identities=[pb.Identity(id_type=one.id_type, value=one.value) for one in subject.identities],
        mandate_no=subject.mandate,
    )


def _subject(message: pb.Subject) -> Subject:
    texts = (message.ref, message.household, message.name, message.mandate_no)
    require(all(len(text) <= MAX_TEXT for text in texts), "a text of a subject is too long")
    require(bool(message.ref), "a subject has no reference")
    require(0 < len(message.identities) <= MAX_IDENTITIES, "a subject needs 1 to 8 identities")
    identities = tuple(dict.fromkeys(map(read_identity, message.identities)))
    for number in (message.ref, message.household, message.mandate_no):
        require(not holds_identity(number, identities), "an identity number must not serve as a reference")
    return Subject(
        ref=message.ref,
        household=message.household,
        name=names.normalise_name(message.name),
        identities=identities,
        mandate=message.mandate_no,
    )


def read_identity(message: pb.Identity) -> Identity:
    """An identity that a platform sends. Raises InvalidRequestError."""
    try:
        return identity.parse(message.value[:MAX_TEXT], message.id_type or None)
    except IdentityError as error:
        raise InvalidRequestError(
            f"an identity is not valid: {error}", "check the list first; `heqiao verify` names row and reason"
        ) from None


def _finding_message(finding: Finding) -> pb.Finding:
    return pb.Finding(
        subject=finding.subject,
        item=finding.item,
        peer=finding.peer,
        outcome=OUTCOMES[finding.outcome],
        value=finding.value,
        as_of=None if finding.as_of is None else days_of(finding.as_of),
        reason=finding.reason,
    )


def _finding(message: pb.Finding) -> Finding:
    return Finding(
        subject=message.subject,
        item=message.item,
        peer=message.peer,
        outcome=OUTCOME_NAMES[message.outcome],
        value=message.value if message.HasField("value") else None,
        as_of=day_of(message.as_of) if message.HasField("as_of") else None,
        reason=message.reason,
    )


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
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidRequestError("a day of a mandate is not written as 2026-06-30") from None
