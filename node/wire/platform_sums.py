"""Messages of the platform service about sums; all input of a platform is checked here."""

from collections.abc import Iterable, Iterator
from datetime import UTC

from heqiao.platform.v1 import platform_pb2 as pb

from node.domain.sum_findings import SumFinding, SumOutcome, SumReport
from node.domain.summation import Summation, in_cohort
from node.wire.common import MILLION, day_of, days_of, first_start, require, require_chunk
from node.wire.platform import CHUNK, MAX_IDENTITIES, STATE_NAMES, peer_summary, read_identity

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
    for at in range(0, len(summation.cohort), CHUNK):
        people = [
            pb.CohortPerson(identities=[pb.Identity(id_type=one.id_type, value=one.value) for one in person])
            for person in summation.cohort[at : at + CHUNK]
        ]
        yield pb.SubmitSumRequest(chunk=pb.CohortPeople(people=people))


def read_submission(requests: Iterable[pb.SubmitSumRequest], max_people: int) -> tuple[str, Summation]:
    """The job id and sum that a platform submits. Raises InvalidRequestError."""
    messages = iter(requests)
    start = first_start(messages)
    require(start.people_announced <= max_people, "more people than one job may hold")
    people = []
    for message in messages:
        require_chunk(message)
        for person in message.chunk.people:
            require(0 < len(person.identities) <= MAX_IDENTITIES, "a person needs 1 to 8 identities")
            people.append([read_identity(one) for one in person.identities])
        require(len(people) <= start.people_announced, "more people than announced")
    require(len(people) == start.people_announced, "fewer people than announced")
    cohort = in_cohort(people)
    require(len(cohort) == len(people), "a person of the cohort is given twice")
    return start.job_id, Summation(tuple(start.items), tuple(start.peers), start.legal_basis, cohort)


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
    )


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
