"""Finds everything that this node asked about one person, by digests of the person's numbers."""

from collections.abc import Sequence

from matcher.types import Identity
from node.context import Node
from node.database import Connection
from node.database import asked as rows
from node.database import audit_log as audit_rows
from node.database import households as records
from node.database import jobs as job_rows
from node.database.asked import AskedJob
from node.domain import jobs
from node.domain.audit_chain import Detail
from node.domain.findings import Finding, Findings
from node.domain.job_access import JobAccess
from node.domain.lookups import person_digests
from node.domain.sealed_names import of_request
from node.domain.subject_report import AskedAbout, HouseholdAbout, MandateAbout, SubjectReport
from node.domain.subjects import Subjects
from node.domain.verification import unpack_verification
from node.errors import InvalidRequestError, PreconditionError
from node.jobs.match_results import build_report
from node.jobs.records import open_household, open_mandate

MOST_NUMBERS = 8
ERASED = "erased"


def report_subject(node: Node, access: JobAccess, identities: Sequence[Identity]) -> SubjectReport:
    """What the caller may see of what was asked about a person. Audited, without the number.

    Raises InvalidRequestError for no number, or too many: they would be those of several people.
    """
    if not 0 < len(identities) <= MOST_NUMBERS:
        raise InvalidRequestError(f"a person has 1 to {MOST_NUMBERS} identity numbers")
    values = frozenset(one.value for one in identities)
    digests = person_digests(node.keys.lookup_key, values)

    def read(tx: Connection) -> tuple[list[AskedJob], list[MandateAbout], list[HouseholdAbout]]:
        found = [one for one in rows.jobs_about(tx, digests) if access.may_see(one.owner)]
        mandates = _mandates(node, tx, access, digests)
        households = _households(node, tx, access, digests, values)
        details: dict[str, Detail] = {
            "by": access.owner,
            "jobs": len(found),
            "mandates": len(mandates),
            "households": len(households),
        }
        audit_rows.append(tx, "subject_reported", details, node.clock())
        return found, mandates, households

    found, mandates, households = node.store.retry_write("report subject", read)
    used = {code for one in found for code in (one.legal_basis, one.matter)}
    used |= {one.matter for one in mandates}
    return SubjectReport(
        requester=node.code,
        requester_name=node.config.node.name,
        made_at=node.clock(),
        kept_days=node.config.retention.records_days,
        jobs=tuple(_tell(node, one, values) for one in found),
        mandates=tuple(mandates),
        households=tuple(households),
        code_names={code: name for code, name in node.code_tables.own_names().items() if code in used},
    )


def _tell(node: Node, asked: AskedJob, values: frozenset[str]) -> AskedAbout:
    row, sealed = None, b""
    with node.store.transaction("read job") as tx:
        row = job_rows.find_job(tx, asked.job)
        if row is not None:
            sealed = job_rows.read_request(tx, asked.job)
    state, refs = ERASED if row is None else row.state, tuple[str, ...]()
    findings: tuple[Finding, ...] = ()
    if row is not None and row.kind == jobs.VERIFICATION:
        refs = _refs(node, asked.job, sealed, values)
        if row.state not in jobs.OPEN_STATES:
            findings = _findings(node, asked.job, frozenset(refs))
    return AskedAbout(
        job=asked.job,
        kind=asked.kind,
        owner=asked.owner,
        state=state,
        purpose=asked.purpose,
        legal_basis=asked.legal_basis,
        matter=asked.matter,
        items=asked.items,
        peers=asked.peers,
        people=asked.people,
        asked_at=asked.asked_at,
        refs=refs,
        findings=findings,
    )


def _refs(node: Node, job: str, sealed: bytes, values: frozenset[str]) -> tuple[str, ...]:
    """References of the people of a job who have one of the numbers."""
    try:
        request = unpack_verification(node.keys.vault.unseal(of_request(job), sealed))
    except PreconditionError:  # another release wrote it
        return ()
    subjects = Subjects.of(request.subjects)
    owners = [row for row, count in enumerate(subjects.identity_counts) for _ in range(count)]
    hits = {row for row, value in zip(owners, subjects.id_values, strict=True) if value in values}
    return tuple(subjects.refs[row] for row in sorted(hits))


def _findings(node: Node, job: str, refs: frozenset[str]) -> tuple[Finding, ...]:
    found = Findings.of(build_report(node, job).findings)
    places = {place for place, ref in enumerate(found.refs) if ref in refs}
    return tuple(found[at] for at, place in enumerate(found.subject) if place in places)


def _mandates(node: Node, tx: Connection, access: JobAccess, people: Sequence[bytes]) -> list[MandateAbout]:
    found = []
    for owner, digest in records.records_of(tx, records.MANDATE, people):
        if not access.may_see(owner):
            continue
        for row in records.read_mandates(tx, [owner], [digest]):
            mandate = open_mandate(node, row).mandate
            found.append(
                MandateAbout(
                    number=mandate.number,
                    owner=owner,
                    office=mandate.office,
                    matter=mandate.matter,
                    valid_from=mandate.valid_from,
                    valid_to=mandate.valid_to,
                    event=mandate.event,
                    ended=row.ended,
                    added_at=row.added_at,
                )
            )
    return found


def _households(
    node: Node, tx: Connection, access: JobAccess, people: Sequence[bytes], values: frozenset[str]
) -> list[HouseholdAbout]:
    found = []
    for owner, digest in records.records_of(tx, records.HOUSEHOLD, people):
        if not access.may_see(owner):
            continue
        for row in records.read_households(tx, [owner], [digest]):
            household = open_household(node, row)
            person = household.find(values)
            role = person.role if person else ""
            number, application = household.number, household.application_no
            found.append(HouseholdAbout(number, application, owner, household.office, role, row.changed_at))
    return found
