"""Messages of the platform service about sums; node/wire/platform_requests.py reads what is submitted."""

from collections.abc import Iterator, Sequence
from datetime import UTC

from heqiao.platform.v1 import platform_pb2 as pb

from matcher import Identity
from node.domain.sum_findings import SumFinding, SumOutcome, SumReport
from node.domain.summation import Summation
from node.wire.common import MILLION, day_of, days_of, name_pair
from node.wire.platform import CHUNK, STATE_NAMES, identities_message, in_pieces, peer_summary

OUTCOMES = {one: getattr(pb, f"SUM_OUTCOME_{one.value}") for one in SumOutcome}
OUTCOME_NAMES: dict[int, SumOutcome] = {number: one for one, number in OUTCOMES.items()}


def submission(job: str, summation: Summation) -> Iterator[pb.SubmitSumRequest]:
    """The messages that submit a sum."""
    yield pb.SubmitSumRequest(
        start=pb.SumStart(
            job_id=job,
            items=summation.items,
            peers=summation.peers,
            legal_basis=summation.legal_basis,
            people_announced=len(summation.cohort),
        )
    )
    yield from in_pieces(len(summation.cohort), CHUNK, lambda part: _people_request(summation.cohort[part]))


def report_message(report: SumReport, job: pb.Job) -> pb.GetSumReportResponse:
    """A report."""
    return pb.GetSumReportResponse(
        job=job,
        requester=report.requester,
        requester_name=report.requester_name,
        legal_basis=report.legal_basis,
        catalogue_version=report.catalogue_version,
        catalogue_digest=bytes.fromhex(report.catalogue_digest),
        findings=map(_finding_message, report.findings),
        issuing_body=report.issuing_body,
        legal_basis_name=report.legal_basis_name or (),
    )


def read_report(message: pb.GetSumReportResponse) -> SumReport:
    """The report that a node sends to its platform. Raises InvalidRequestError."""
    job = message.job
    return SumReport(
        job=job.job_id,
        state=STATE_NAMES[job.state],
        requester=message.requester,
        requester_name=message.requester_name,
        legal_basis=message.legal_basis,
        catalogue_version=message.catalogue_version,
        catalogue_digest=message.catalogue_digest.hex(),
        created_at=job.created_at.ToDatetime(tzinfo=UTC),
        finished_at=job.finished_at.ToDatetime(tzinfo=UTC) if job.HasField("finished_at") else None,
        due_at=job.due_at.ToDatetime(tzinfo=UTC),
        items=tuple(job.items),
        people=job.subjects,
        peers=tuple(map(peer_summary, job.parts)),
        findings=tuple(map(_finding, message.findings)),
        issuing_body=message.issuing_body,
        legal_basis_name=name_pair(message.legal_basis_name),
    )


def _people_request(people: Sequence[tuple[Identity, ...]]) -> pb.SubmitSumRequest:
    identities = [one for person in people for one in person]
    columns = identities_message(
        map(len, people), (one.id_type for one in identities), (one.value for one in identities)
    )
    return pb.SubmitSumRequest(chunk=pb.CohortPeople(identities=columns))


def _finding_message(found: SumFinding) -> pb.SumFinding:
    message = pb.SumFinding(
        item=found.item,
        peer=found.peer,
        outcome=OUTCOMES[found.outcome],
        reason=found.reason,
        mode=found.mode,
        count=found.count or 0,
        total=_decimal(found.total),
        variance=_decimal(found.variance),
        bands=[pb.SumCell(suppressed=cell is None, count=cell or 0) for cell in found.bands],
        epsilon_millionths=round(found.epsilon * MILLION),
        asked=found.asked,
    )
    if found.as_of is not None:
        message.as_of_from, message.as_of_to = (days_of(day) for day in found.as_of)
    return message


def _finding(message: pb.SumFinding) -> SumFinding:
    released = message.outcome == pb.SUM_OUTCOME_RELEASED
    return SumFinding(
        item=message.item,
        peer=message.peer,
        outcome=OUTCOME_NAMES[message.outcome],
        asked=message.asked,
        reason=message.reason,
        mode=message.mode,
        count=message.count if released else None,
        total=_number(message.total),
        variance=_number(message.variance),
        bands=tuple(None if cell.suppressed else cell.count for cell in message.bands),
        epsilon=message.epsilon_millionths / MILLION,
        as_of=(day_of(message.as_of_from), day_of(message.as_of_to))
        if message.HasField("as_of_from")
        else None,
    )


def _decimal(number: int | None) -> str:
    return "" if number is None else str(number)


def _number(text: str) -> int | None:
    return int(text) if text else None
