"""Finding a job by the id that a platform chose."""

from node.context import Node
from node.database import jobs as job_rows
from node.domain.jobs import JobRow
from node.domain.mandate import CODE
from node.errors import NotFoundError


def require_job(node: Node, job: str) -> JobRow:
    """A job by its id. Raises NotFoundError."""
    row = None
    if CODE.fullmatch(job):
        with node.store.transaction("find job") as tx:
            row = job_rows.find_job(tx, job)
    if row is None:
        raise NotFoundError("there is no such job", "see `heqiao jobs list`")
    return row
