"""What a report shows beside its answers: declared figures, offices, the earlier answers of a re-check."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date
from typing import Final

from heqiao.platform.v1 import cases_pb2 as pb

from node.domain.declared import DeclaredHousehold
from node.domain.findings import Finding, Objection, Recheck, Report
from node.wire.common import timestamp
from node.wire.declared import declared_message, read_declared
from node.wire.platform import CHUNK, answer_message, in_pieces, read_answer

_HOUSEHOLDS: Final = 2_000  # in a message


def facts_messages(report: Report) -> Iterator[pb.GetCaseFactsResponse]:
    """The head, then declared households and earlier answers in pieces."""
    head = pb.GetCaseFactsResponse(
        offices=[
            pb.Office(name=name, households=households, full_name=report.office_names.get(name, ""))
            for name, households in report.offices
        ]
    )
    found = report.recheck
    if found is not None:
        head.recheck.CopyFrom(_recheck_message(found))
    yield head
    yield from in_pieces(
        len(report.declared),
        _HOUSEHOLDS,
        lambda part: pb.GetCaseFactsResponse(declared=declared_message(report.declared[part])),
    )
    earlier = () if found is None else found.findings
    yield from in_pieces(
        len(earlier),
        CHUNK,
        lambda part: pb.GetCaseFactsResponse(
            earlier=[
                pb.EarlierAnswer(subject=one.subject, answer=answer_message(one)) for one in earlier[part]
            ]
        ),
    )


def _recheck_message(found: Recheck) -> pb.Recheck:
    message = pb.Recheck(
        job_id=found.job,
        report_number=found.number,
        finished_at=timestamp(found.finished_at) if found.finished_at else None,
    )
    told = found.objection
    if told is not None:
        message.objection.CopyFrom(
            pb.Objection(
                id=told.id,
                raised_by=told.raised_by,
                grounds=told.grounds,
                received_on=told.received.isoformat(),
                raised_on=told.raised.isoformat(),
                last_day=told.last_day.isoformat(),
            )
        )
    return message


def add_facts(report: Report, responses: Iterable[pb.GetCaseFactsResponse]) -> Report:
    """A report with what the node says beside its answers."""
    offices: list[tuple[str, tuple[str, ...]]] = []
    names: dict[str, str] = {}
    recheck: Recheck | None = None
    declared: list[DeclaredHousehold] = []
    earlier: list[Finding] = []
    for one in responses:
        offices += ((office.name, tuple(office.households)) for office in one.offices)
        names |= {office.name: office.full_name for office in one.offices if office.full_name}
        if one.HasField("recheck"):
            recheck = _recheck(one.recheck)
        declared += read_declared(one.declared)
        earlier += (replace(read_answer(each.answer), subject=each.subject) for each in one.earlier)
    if recheck is not None:
        recheck = replace(recheck, findings=tuple(earlier))
    return replace(
        report, declared=tuple(declared), offices=tuple(offices), office_names=names, recheck=recheck
    )


def _recheck(message: pb.Recheck) -> Recheck:
    told = None
    if message.HasField("objection"):
        one = message.objection
        received, raised, last = map(date.fromisoformat, (one.received_on, one.raised_on, one.last_day))
        told = Objection(one.id, received, raised, last, one.raised_by, one.grounds)
    finished = message.finished_at.ToDatetime(tzinfo=UTC) if message.HasField("finished_at") else None
    return Recheck(message.job_id, message.report_number, finished, (), told)
