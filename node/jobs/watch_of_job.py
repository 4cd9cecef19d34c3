"""A watch list of people whom a verification has asked about: the node takes them from it."""

from collections.abc import Sequence

from node.context import Node
from node.database import jobs as job_rows
from node.domain.days import china_day
from node.domain.job_access import JobAccess
from node.domain.jobs import OPEN_STATES, VERIFICATION
from node.domain.mandate import MONITORING, covers
from node.domain.sealed_names import of_request
from node.domain.subjects import Subjects
from node.domain.verification import Verification, unpack_verification
from node.errors import InvalidRequestError, NotFoundError, PreconditionError
from node.jobs.lookup import require_job


def list_of_job(
    node: Node, access: JobAccess, job: str, items: Sequence[str], peers: Sequence[str], legal_basis: str
) -> Verification:
    """The people of a verification whose mandates cover monitoring of one of the items, with their mandates.

    Raises NotFoundError, RefusedError for a job of somebody else, PreconditionError for one that has not
    ended, InvalidRequestError for items or provinces that it did not ask, or where no mandate covers it.
    """
    row = require_job(node, job, access, change=True)
    if row.kind != VERIFICATION:
        raise NotFoundError("there is no such verification", "see `heqiao jobs list`")
    if row.state in OPEN_STATES:
        raise PreconditionError("the job whose people are to be watched has not ended", "wait for its end")
    with node.store.transaction("read request") as tx:
        sealed = job_rows.read_request(tx, row.id)
        asked = {part.peer for part in job_rows.list_parts(tx, row.id)}
    first = unpack_verification(node.keys.vault.unseal(of_request(row.id), sealed))
    if not set(items) <= set(first.items) or not set(peers) <= asked:
        raise InvalidRequestError("a watch list of a job has items and provinces that the job asked")
    today = china_day(node.clock())
    people = [
        one
        for one in Subjects.of(first.subjects)
        if any(
            covers(first.mandates.get(one.mandate), item, peer, MONITORING, today) is None
            for item in items
            for peer in peers
        )
    ]
    if not people:
        raise InvalidRequestError(
            "no mandate of this job covers monitoring of these items", "mandates for monitoring are needed"
        )
    named = {one.mandate for one in people}
    return Verification(
        items=tuple(items),
        peers=tuple(peers),
        purpose=MONITORING,
        legal_basis=legal_basis,
        subjects=Subjects.of(people),
        mandates={number: one for number, one in first.mandates.items() if number in named},
    )
