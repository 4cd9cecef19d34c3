"""One person shown whole: everywhere else names and numbers are masked (domain.md sections 7, 9).

Who looks says why; each look is an audited event without name, number or reference, and bounded in a day.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from node.context import Node
from node.database import Connection, audit_pages
from node.database import audit_log as audit_rows
from node.database import jobs as job_rows
from node.database.audit_pages import EventChoice
from node.domain.audit_chain import Detail
from node.domain.job_access import JobAccess
from node.domain.jobs import SUM, VERIFICATION
from node.domain.sealed_names import of_request
from node.domain.subjects import Subjects
from node.domain.users import Person
from node.domain.verification import Verification, unpack_verification
from node.errors import InvalidRequestError, LimitError, NotFoundError
from node.jobs import drafts, households
from node.jobs.lookup import require_job
from node.jobs.records import digest_of

SHOWN_FOR: Final = timedelta(seconds=60)
MOST_A_DAY: Final = 100  # of one account: an officer compares files, and copies no list
DAY: Final = timedelta(days=1)
REASONS: Final = ("identify", "correct", "contact", "answer_citizen")
JOB, DRAFT, FORM, HOUSEHOLD = "job", "draft", "form", "household"
_PLACE: Final = re.compile(r"[0-9]{1,4}", re.ASCII)
_EVENT: Final = "person_shown"


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """Name and numbers, until when a screen may show them, and how many the account was shown in a day."""

    name: str = field(repr=False)
    numbers: tuple[str, ...] = field(repr=False)
    until: datetime
    shown: int


def show_person(
    node: Node, by: Person, access: JobAccess, source: str, found_by: str, ref: str, reason: str
) -> ShownPerson:
    """One person of a job, of a draft that waits, or of a household that the caller may see.

    Of an own draft that is not finished (`FORM`) the look is noted, and name and numbers are empty: the node
    does not read what was typed.

    Raises InvalidRequestError, NotFoundError, LimitError after MOST_A_DAY in 24 hours.
    """
    if reason not in REASONS:
        raise InvalidRequestError(f"the reason is one of {', '.join(REASONS)}")
    if source == HOUSEHOLD:
        name, numbers, place = _of_household(node, access, found_by, ref)
        record = digest_of(node, found_by).hex()  # the number itself belongs to a person's file
    elif source == FORM:
        name, numbers, place, record = "", (), _of_form(node, by, found_by, ref), found_by
    else:
        asked = _of_job(node, access, found_by) if source == JOB else _of_draft(node, by, found_by)
        name, numbers, place = _of_list(asked, ref)
        record = found_by

    def write(tx: Connection) -> ShownPerson:
        now = node.clock()
        choice = EventChoice(event=_EVENT, user=by.account, since=now - DAY)
        _, shown = audit_pages.page(tx, choice, 1, 0)
        if shown >= MOST_A_DAY:
            raise LimitError(
                "no more people are shown to this account today",
                "work with the masked list, or go on tomorrow",
                {"rule": "people_shown"},
                retry_after=DAY,
            )
        details: dict[str, Detail] = {"source": source, "record": record, "place": place, "reason": reason}
        audit_rows.append(tx, _EVENT, details, now)
        return ShownPerson(name, numbers, now + SHOWN_FOR, shown + 1)

    return node.store.retry_write("show a person", write)


def _of_job(node: Node, access: JobAccess, job: str) -> Verification:
    row = require_job(node, job, access)
    if row.kind != VERIFICATION:
        raise NotFoundError("this job names no people")
    with node.store.transaction("read a request") as tx:
        packed = job_rows.read_request(tx, row.id)
    return unpack_verification(node.keys.vault.unseal(of_request(row.id), packed))


def _of_form(node: Node, by: Person, draft: str, ref: str) -> int:
    """The place in an own draft that is not finished; whether somebody is there only its preparer knows."""
    drafts.require_own_open(node, by, draft)
    if not _PLACE.fullmatch(ref):
        raise _no_person()
    return int(ref)


def _of_draft(node: Node, by: Person, draft: str) -> Verification:
    row, asked = drafts.read_request(node, by, draft)
    if row.kind == SUM:
        raise NotFoundError("this draft names no people")
    found: Verification = asked
    return found


def _of_list(asked: Verification, ref: str) -> tuple[str, tuple[str, ...], int]:
    people = Subjects.of(asked.subjects)
    if ref not in people.refs:
        raise _no_person()
    place = people.refs.index(ref)
    one = people[place]
    return one.name, tuple(each.value for each in one.identities), place


def _of_household(
    node: Node, access: JobAccess, number: str, member: str
) -> tuple[str, tuple[str, ...], int]:
    people = households.open_for(node, access, number).people
    place = next((at for at, one in enumerate(people) if one.member_no == member), None)
    if place is None:
        raise _no_person()
    one = people[place]
    return one.name, tuple(each.value for each in one.identities), place


def _no_person() -> NotFoundError:
    return NotFoundError("there is no such person in this list")
