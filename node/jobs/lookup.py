"""Finding a job by the id that a platform chose."""

from node.context import Node
from node.database import Connection
from node.database import jobs as job_rows
from node.domain.job_access import NODE_ACCESS, JobAccess
from node.domain.jobs import JobRow
from node.domain.mandate import CODE
from node.errors import NotFoundError, RefusedError


def require_job(node: Node, job: str, access: JobAccess = NODE_ACCESS, *, change: bool = False) -> JobRow:
    """A job by its id. Raises NotFoundError, also for one that the caller may not see, and RefusedError for
    one that it may see and not `change`.
    """
    with node.store.transaction("find job") as tx:
        return read_job(tx, job, access, change=change)


def read_job(tx: Connection, job: str, access: JobAccess, *, change: bool = False) -> JobRow:
    """The same within a transaction. Raises as `require_job`."""
    row = job_rows.find_job(tx, job) if CODE.fullmatch(job) else None
    if row is None or not access.may_see(row.owner):
        raise NotFoundError("there is no such job", "see `heqiao jobs list`")
    if change and not access.may_change(row.owner):
        raise RefusedError(
            "this job belongs to another platform", "that platform can cancel it", {"rule": "job_owner"}
        )
    return row
