"""The report of a job from what its parts left (design.md section 4)."""

import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import accumulate, chain

import numpy as np

from node.context import Node
from node.database import Connection
from node.database import deadlines as deadline_rows
from node.database import jobs as job_rows
from node.database import objections as objection_rows
from node.database import offices as office_rows
from node.database import peers as peer_rows
from node.domain import jobs
from node.domain.days import FIRST_DAY
from node.domain.findings import (
    Finding,
    Findings,
    Objection,
    Outcome,
    PeerSummary,
    Recheck,
    Report,
)
from node.domain.job_access import NODE
from node.domain.jobs import Attempt, JobRow, PartRow
from node.domain.objections import ObjectionRow
from node.domain.refusals import Refusals, split_refusals
from node.domain.reuse import REUSED
from node.domain.sealed_names import of_answers, of_objection, of_part, of_request
from node.domain.verification import unpack_head
from node.errors import InvalidRequestError, PreconditionError
from node.jobs.case_clock import last_day
from node.jobs.job_catalogue import catalogue_of
from node.jobs.lookup import require_job
from node.jobs.reused_columns import Column, Places, open_reused, use_again
from node.reports.common import number_of
from node.reports.households import household_of, of_household
from node.requester.checkpoint import split_answers
from node.requester.match_query import Answer

AWAITED = "awaited"  # the peer has not answered yet, and is asked again
_WITHOUT_ANSWER = {
    "unavailable": Outcome.UNAVAILABLE,
    "distrusted": Outcome.UNAVAILABLE,
    "cancelled": Outcome.UNAVAILABLE,
    "refused": Outcome.REFUSED,
    "overdue": Outcome.OVERDUE,
}


def build_report(node: Node, job: str) -> Report:
    """The report of a verification that has ended; of a re-check with the earlier answers.

    Raises as `build_plain`.
    """
    report, recheck_of = build_plain(node, job)
    return replace(report, recheck=earlier_of(node, report, recheck_of)) if recheck_of else report


def earlier_of(node: Node, report: Report, earlier: str) -> Recheck:
    """What a re-check looks at again; without number and answers where that job was erased, or is not of the
    owner of the re-check.
    """
    with node.store.transaction("find objection") as tx:
        jobs_of = [job_rows.find_job(tx, one) for one in (report.job, earlier)]
        objection = objection_rows.find_by_recheck(tx, report.job)
    mine, first = jobs_of
    told = None if objection is None else _objection(node, *objection)
    if mine is None or first is None or mine.owner not in (NODE, first.owner):
        return Recheck(earlier, "", None, (), told)
    before, _ = build_plain(node, earlier)
    households = {household_of(ref) for ref in report.subjects}
    about = before
    if len(households) == 1:
        about = of_household(before, next(iter(households)))
    number = objection[0].report_number if objection else number_of(about)
    asked, items = set(report.subjects), set(report.items)
    peers = {peer.peer for peer in report.peers}
    findings = tuple(
        one for one in about.findings if one.subject in asked and one.item in items and one.peer in peers
    )
    return Recheck(earlier, number, before.finished_at, findings, told)


def _objection(node: Node, row: ObjectionRow, sealed: bytes) -> Objection:
    plain = json.loads(node.keys.vault.unseal(of_objection(row.id), sealed))
    raised_by, grounds = plain[2:]
    return Objection(row.id, row.received, row.raised, last_day(row.received), raised_by, grounds)


def build_plain(node: Node, job: str) -> tuple[Report, str]:
    """The report of a verification that has ended, without what it looks at again, and the job of that.

    One that only waits for peers has a report too, with these as not answered. Raises NotFoundError,
    PreconditionError while it runs, and InvalidRequestError for a job that is a sum.
    """
    row = require_ended(node, job, jobs.VERIFICATION)
    with node.store.transaction("read report") as tx:
        sealed = job_rows.read_request(tx, job)
        parts = job_rows.list_parts(tx, job)
        version, digest = catalogue_of(node, tx, job)
        names = peer_rows.peer_names(tx)
        kept = [_Kept.read(tx, part) for part in parts]
        attempts = deadline_rows.list_attempts(tx, [job])
        left_out = deadline_rows.list_left_out(tx, [job])
        office_names = office_rows.office_names(tx)
    head = unpack_head(node.keys.vault.unseal(of_request(job), sealed))
    columns = [column for one in kept for column in _columns(node, one, row.items, len(head.refs))]
    report = Report(
        job=job,
        requester=node.code,
        requester_name=node.config.node.name,
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        catalogue_version=version,
        catalogue_digest=digest,
        created_at=row.created_at,
        finished_at=row.finished_at,
        due_at=row.due_at,
        items=row.items,
        subjects=head.refs,
        peers=tuple(
            summarise_part(part, names.get(part.peer, part.peer), attempts.get((job, part.peer), ()))
            for part in parts
        ),
        findings=_stack(head.refs, columns),
        state=row.state,
        due_estimated=row.due_estimated,
        left_out=left_out.get(job, {}),
        declared=head.declared,
        offices=head.offices,
        office_names={code: office_names[code] for code, _ in head.offices if code in office_names},
        issuing_body=node.config.node.issuing_body,
        matter=head.matter,
    )
    return _with_own_names(node, report), head.recheck_of


def _with_own_names(node: Node, report: Report) -> Report:
    """With the names of the province's own codes, which no published list has."""
    own = node.code_tables.own_names()
    return replace(report, legal_basis_name=own.get(report.legal_basis), matter_name=own.get(report.matter))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a part left, sealed."""

    part: PartRow
    answers: dict[str, bytes]
    refusals: bytes | None
    reused: bytes | None

    @classmethod
    def read(cls, tx: Connection, part: PartRow) -> "_Kept":
        place = part.job, part.peer
        return cls(
            part,
            job_rows.read_answers(tx, *place),
            job_rows.read_refusals(tx, *place),
            job_rows.read_reused(tx, *place),
        )


def _columns(node: Node, kept: _Kept, items: Sequence[str], subjects: int) -> Iterator[Column]:
    """What one peer says of each item."""
    part = kept.part
    opened = {
        item: split_answers(node.keys.vault.unseal(of_answers(part.job, part.peer, item), data))
        for item, data in kept.answers.items()
        if part.state != "distrusted"
    }
    refused = _open_refusals(node, part, kept.refusals, subjects)
    again = open_reused(node, part, kept.reused)
    for item in items:
        yield use_again(_column(item, part, opened.get(item), refused), item, again)


def _open_refusals(
    node: Node, part: PartRow, sealed: bytes | None, subjects: int
) -> tuple[Sequence[Refusals], Places]:
    """What was kept when the part ran; empty for a part that never ran."""
    if sealed is None:
        return [{}], np.zeros(subjects, dtype=np.uint32)
    return split_refusals(node.keys.vault.unseal(of_part(part.job, part.peer, "refusals"), sealed))


def _column(
    item: str,
    part: PartRow,
    opened: tuple[Sequence[Answer], Places] | None,
    refused: tuple[Sequence[Refusals], Places],
) -> Column:
    """What one peer says of one item: the different answers, and which of them each subject has."""
    if opened is None:
        outcome = _WITHOUT_ANSWER.get(part.state, Outcome.UNAVAILABLE)
        gap = Answer(outcome, reason=AWAITED if part.is_away else part.reason or part.state)
        different, places = refused
        opened = (
            [
                Answer(Outcome.NOT_MANDATED, reason=why[item]) if why.get(item, REUSED) != REUSED else gap
                for why in different
            ],
            places,
        )
    answers, places = opened
    return [_finding(item, part.peer, answer) for answer in answers], places


def _finding(item: str, peer: str, answer: Answer) -> Finding:
    as_of = None if answer.as_of is None else FIRST_DAY + timedelta(days=answer.as_of)
    return Finding("", item, peer, answer.outcome, answer.value, as_of, answer.reason)


def _stack(subjects: tuple[str, ...], columns: Sequence[Column]) -> Findings:
    """The columns of all peers and items below one another, each with an answer for every subject."""
    # Column by column: each has 10 MB for a county's list, and three times that where they are joined.
    everyone = np.arange(len(subjects), dtype=np.uintc).view(np.uint8)
    subject, answer = array("I"), array("I")
    firsts = accumulate((len(different) for different, _ in columns), initial=0)
    for first, (_, places) in zip(firsts, columns, strict=False):
        subject.frombytes(everyone.data)
        answer.frombytes((places + np.uint32(first)).astype(np.uintc, copy=False).view(np.uint8).data)
    return Findings(
        refs=subjects,
        answers=tuple(chain.from_iterable(different for different, _ in columns)),
        subject=subject,
        answer=answer,
    )


def require_ended(node: Node, job: str, kind: str) -> JobRow:
    """A job of one kind that has ended, or only waits for peers: its report shows them as not answered.

    Raises as `build_report` does.
    """
    row = require_job(node, job)
    if row.kind != kind:
        raise InvalidRequestError(
            f"this job is a {row.kind}", "its report has another form; use `heqiao report`"
        )
    if row.state in jobs.OPEN_STATES and not _only_waits(node, job):
        raise PreconditionError("the job has not ended yet", "`heqiao jobs watch` shows when it has")
    return row


def _only_waits(node: Node, job: str) -> bool:
    with node.store.transaction("read parts") as tx:
        parts = job_rows.list_parts(tx, job)
    return bool(parts) and all(part.state not in jobs.OPEN_PARTS for part in parts)


def summarise_part(part: PartRow, name: str, attempts: tuple[Attempt, ...] = ()) -> PeerSummary:
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
        attempts=attempts,
        answered_at=part.answered_at,
    )
