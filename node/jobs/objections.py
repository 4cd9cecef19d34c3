"""Objections to reports of this node, and the jobs that look again (domain.md section 2).

A re-check is a job of its own: it asks only what was objected to, of the same people under the same mandates,
which are looked at anew, and its report shows the answers of both.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import jobs as job_rows
from node.database import objections as rows
from node.domain.audit_chain import Detail
from node.domain.days import china_day
from node.domain.declared import DeclaredHousehold
from node.domain.job_access import JobAccess
from node.domain.jobs import VERIFICATION, JobRow
from node.domain.new_ids import new_id
from node.domain.objections import (
    CLOSED,
    MOST_GROUNDS,
    MOST_NAME,
    OPEN,
    RESULTS,
    NewObjection,
    ObjectionContent,
    ObjectionRow,
    Target,
)
from node.domain.sealed_names import of_objection, of_request
from node.domain.subjects import Subjects, hold_identities
from node.domain.verification import Verification, unpack_head, unpack_verification
from node.errors import InvalidRequestError, NotFoundError, PreconditionError, RefusedError
from node.jobs import engine
from node.jobs.case_clock import due_after
from node.jobs.lookup import require_job
from node.jobs.match_results import require_ended
from node.reports.households import household_of
from node.reports.numbers import report_number

REVIEW: Final = "review"  # the purpose of a re-check


def add(node: Node, access: JobAccess, new: NewObjection) -> ObjectionRow:
    """Record an objection to the report of a job that has ended.

    Raises InvalidRequestError, NotFoundError, PreconditionError while the job runs.
    """
    require_job(node, new.job, access, change=True)
    job = require_ended(node, new.job, VERIFICATION)
    now = node.clock()
    due = due_after(node, now, node.config.deadlines.recheck_days)
    number = _check(node, job, new, china_day(now))
    row = ObjectionRow(
        id=new_id("o"),
        owner=job.owner,
        job=job.id,
        report_number=number,
        item=new.target.item,
        peer=new.target.peer,
        received=new.received,
        raised=new.raised,
        due_at=due.at,
        due_estimated=due.estimated,
        state=OPEN,
        result="",
        recheck_job="",
        created_at=now,
        closed_at=None,
    )
    plain = [new.target.household, new.target.person, new.raised_by, new.grounds]
    sealed = node.keys.vault.seal(of_objection(row.id), json.dumps(plain, ensure_ascii=False).encode())

    def write(tx: Connection) -> None:
        rows.add(tx, row, sealed)
        audit_rows.append(tx, "objection_added", _audited(row), now)

    node.store.retry_write("add objection", write)
    return row


def _check(node: Node, job: JobRow, new: NewObjection, today: date) -> str:
    """The number of the report that is objected to. Raises InvalidRequestError."""
    target, refs = new.target, _refs(node, job.id)
    with node.store.transaction("list parts") as tx:
        peers = [part.peer for part in job_rows.list_parts(tx, job.id)]
    whole, mine = _number(node, job, refs), _chosen(refs, target)
    ended = china_day(job.finished_at) if job.finished_at else today
    checks = (
        (bool(mine), "the report names no such household or person"),
        (not target.item or target.item in job.items, "the report has no such item"),
        (not target.peer or target.peer in peers, "the report has no such province"),
        (
            0 < len(new.raised_by.strip()) <= MOST_NAME,
            f"who objects has 1 to {MOST_NAME} characters",
        ),
        (0 < len(new.grounds.strip()) <= MOST_GROUNDS, f"grounds have 1 to {MOST_GROUNDS} characters"),
        (not hold_identities((new.raised_by, new.grounds)), "grounds and names must hold no identity number"),
        (new.received >= ended, "a report is not received before it is finished"),
        (new.received <= new.raised <= today, "an objection is raised after the report, and not after today"),
    )
    for good, text in checks:
        if not good:
            raise InvalidRequestError(text)
    numbers = [whole]
    if target.household or target.person:
        household = target.household or household_of(target.person)
        numbers.insert(0, _number(node, job, [ref for ref in refs if household_of(ref) == household]))
    if new.report_number and new.report_number not in numbers:
        raise InvalidRequestError("this is not the number of that report", "write it as the report has it")
    return new.report_number or numbers[0]


def _number(node: Node, job: JobRow, refs: Sequence[str]) -> str:
    return report_number(node.code, job.created_at, job.id, refs)


def _chosen(refs: Sequence[str], target: Target) -> list[str]:
    """The people that an objection is about."""
    return [
        ref
        for ref in refs
        if (not target.person or ref == target.person)
        and (not target.household or household_of(ref) == target.household)
    ]


def _refs(node: Node, job: str) -> tuple[str, ...]:
    with node.store.transaction("read request") as tx:
        sealed = job_rows.read_request(tx, job)
    return unpack_head(node.keys.vault.unseal(of_request(job), sealed)).refs


def list_(node: Node, access: JobAccess, *, job: str = "", waiting: bool = False) -> list[ObjectionRow]:
    """Objections that the caller may see."""
    with node.store.transaction("list objections") as tx:
        return rows.list_(tx, access.seen, job=job, waiting=waiting)


def read(node: Node, access: JobAccess, objection: str) -> tuple[ObjectionRow, ObjectionContent]:
    """One objection. Raises NotFoundError, also for one that the caller may not see."""
    with node.store.transaction("read objection") as tx:
        found = rows.find(tx, objection)
    if found is None or not access.may_see(found[0].owner):
        raise NotFoundError("there is no such objection", "see `heqiao objections list`")
    return found[0], unseal(node, *found)


def unseal(node: Node, row: ObjectionRow, sealed: bytes) -> ObjectionContent:
    """What is sealed of an objection."""
    return ObjectionContent(*json.loads(node.keys.vault.unseal(of_objection(row.id), sealed)))


def recheck(
    node: Node,
    access: JobAccess,
    objection: str,
    job: str = "",
    send: Callable[[str, Verification], object] | None = None,
) -> tuple[str, Verification]:
    """Submit the job that looks again, under the owner of the first; its id and request, to be started.

    With `send`, the id and the request are given to that instead: a draft that another person approves.

    Raises NotFoundError (also where the first job was erased), PreconditionError for a closed objection.
    """
    row, content = read(node, access, objection)
    if row.state == CLOSED:
        raise PreconditionError("this objection is closed", "record another one")
    earlier = require_job(node, row.job, access, change=True)
    with node.store.transaction("read request") as tx:
        sealed = job_rows.read_request(tx, earlier.id)
        peers = [part.peer for part in job_rows.list_parts(tx, earlier.id)]
    first = unpack_verification(node.keys.vault.unseal(of_request(earlier.id), sealed))
    target = Target(content.household, content.person, row.item, row.peer)
    request = narrow(first, target, tuple(peers), earlier)
    job = job or new_id("r")
    if send is None:
        engine.submit(node, job, request, earlier.owner)
    else:
        send(job, request)

    def write(tx: Connection) -> bool:
        linked = rows.set_recheck(tx, objection, job)
        if linked:
            audit_rows.append(tx, "objection_rechecked", {**_audited(row), "recheck": job}, node.clock())
        return linked

    if not node.store.retry_write("link re-check", write):
        raise PreconditionError("this objection is closed", "record another one")
    return job, request


def narrow(first: Verification, target: Target, peers: tuple[str, ...], earlier: JobRow) -> Verification:
    """What a re-check asks: of an earlier request only what a target names, to look at again."""
    people = Subjects.of(first.subjects)
    chosen = set(_chosen(people.refs, target))
    subjects = Subjects.of([one for one in people if one.ref in chosen])
    named, households = set(subjects.mandates), set(subjects.households)
    return replace(
        first,
        items=(target.item,) if target.item else first.items,
        peers=(target.peer,) if target.peer else peers,
        purpose=REVIEW,
        subjects=subjects,
        mandates={number: one for number, one in first.mandates.items() if number in named},
        declared=tuple(_within(one, chosen) for one in first.declared if one.household in households),
        recheck_of=earlier.id,
        recheck_purpose=first.programme,
    )


def _within(one: DeclaredHousehold, chosen: set[str]) -> DeclaredHousehold:
    """The same, without references of people who are not asked about again."""
    applicant = one.applicant if one.applicant in chosen else ""
    return replace(
        one, applicant=applicant, relatives=tuple(ref for ref in one.relatives if ref in chosen)
    )  # fmt: skip


def close(node: Node, access: JobAccess, objection: str, result: str) -> ObjectionRow:
    """Close an objection with one of RESULTS, for good. Raises as `read`, InvalidRequestError,
    PreconditionError.
    """
    if result not in RESULTS:
        raise InvalidRequestError("unknown result", f"one of {', '.join(RESULTS)}")
    row, _ = read(node, access, objection)
    require_owner(access, row)
    now = node.clock()

    def write(tx: Connection) -> bool:
        closed = rows.close(tx, objection, result, now)
        if closed:
            audit_rows.append(tx, "objection_closed", {**_audited(row), "result": result}, now)
        return closed

    if not node.store.retry_write("close objection", write):
        raise PreconditionError("this objection is closed already", "see `heqiao objections show`")
    return read(node, access, objection)[0]


def require_owner(access: JobAccess, row: ObjectionRow) -> None:
    """Raises RefusedError for an objection that the caller may see and not change."""
    if not access.may_change(row.owner):
        raise RefusedError("this objection belongs to another platform", details={"rule": "job_owner"})


def _audited(row: ObjectionRow) -> dict[str, Detail]:
    details: dict[str, Detail] = {"objection": row.id, "job": row.job, "report": row.report_number}
    if row.item:
        details["item"] = row.item
    if row.peer:
        details["peer"] = row.peer
    return details
