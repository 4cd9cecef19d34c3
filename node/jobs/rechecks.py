"""What a verification must fulfil that looks at an earlier one again, and what households declare in one."""

from dataclasses import replace

from matcher.types import Identity
from node.context import Node
from node.database import jobs as job_rows
from node.domain import declared
from node.domain.job_access import JobAccess
from node.domain.jobs import OPEN_STATES, VERIFICATION, JobRow
from node.domain.sealed_names import of_request
from node.domain.subjects import Subjects
from node.domain.verification import Verification, unpack_verification
from node.errors import InvalidRequestError, NotFoundError, PreconditionError
from node.jobs.lookup import require_job


def of_earlier(node: Node, request: Verification, earlier: JobRow) -> Verification:
    """A re-check with the purpose that its mandates are for: that of the first job of its chain."""
    return replace(request, recheck_purpose=_read(node, earlier).programme)


def require_recheck(node: Node, request: Verification) -> None:
    """A re-check asks nothing but what the earlier job asked, which has ended, for its purpose.

    Raises InvalidRequestError, NotFoundError, PreconditionError.
    """
    if not request.recheck_of:
        return
    earlier = require_job(node, request.recheck_of)
    if earlier.kind != VERIFICATION:
        raise NotFoundError("there is no such verification", "see `heqiao jobs list`")
    if earlier.state in OPEN_STATES:
        raise PreconditionError("the job to look at again has not ended", "wait for its end")
    first = _read(node, earlier)
    with node.store.transaction("list parts") as tx:
        peers = {part.peer for part in job_rows.list_parts(tx, earlier.id)}
    known = set(Subjects.of(first.subjects))
    same = all(one in known for one in Subjects.of(request.subjects))
    same = same and set(request.items) <= set(first.items) and set(request.peers) <= peers
    if not same or request.recheck_purpose != first.programme:
        raise InvalidRequestError(
            "a re-check asks only about people, items and provinces of the earlier job, as it named them",
            "submit anything else as a new verification",
        )


def _read(node: Node, job: JobRow) -> Verification:
    with node.store.transaction("read request") as tx:
        sealed = job_rows.read_request(tx, job.id)
    return unpack_verification(node.keys.vault.unseal(of_request(job.id), sealed))


def require_declared(request: Verification) -> None:
    """Declared figures must be of households of the list, each once. Raises InvalidRequestError."""
    found = request.declared
    if not found:
        return
    people = Subjects.of(request.subjects)
    refs, households = frozenset(people.refs), set(people.households)
    if len(found) > declared.MOST_HOUSEHOLDS:
        raise InvalidRequestError("more declared households than one job may hold", "split the list")
    if len({one.household for one in found}) != len(found):
        raise InvalidRequestError("a household declares twice")
    own = _identities(people, {one.household for one in found if one.application_no or one.acceptance_no})
    for place, one in enumerate(found, 1):
        if one.household not in households:
            raise InvalidRequestError(f"declared household {place} is not on the list")
        wrong = declared.fault(one, refs, own.get(one.household, ()))
        if wrong is not None:
            raise InvalidRequestError(f"declared household {place} {wrong}")


def _identities(people: Subjects, households: set[str]) -> dict[str, tuple[Identity, ...]]:
    """The identities of some households, none of which may stand in the numbers of their applications."""
    found: dict[str, tuple[Identity, ...]] = {}
    for at, household in enumerate(people.households):
        if household in households:
            found[household] = (*found.get(household, ()), *people.identities(at))
    return found


def of_recheck(node: Node, access: JobAccess, verification: Verification) -> Verification:
    """What a caller submits; a re-check takes from the earlier job what `of_earlier` says.

    The report will show the answers of that job: it must be one that the caller may see and change. Raises as
    `require_job`.
    """
    if not verification.recheck_of:
        return verification
    return of_earlier(node, verification, require_job(node, verification.recheck_of, access, change=True))
