"""A job with its parts as the services of the platform port send it."""

from heqiao.platform.v1 import platform_pb2 as pb

from node.context import Node
from node.database import Connection
from node.database import deadlines as deadline_rows
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain.job_access import JobAccess
from node.domain.jobs import JobRow
from node.jobs.lookup import read_job
from node.wire import platform


def read_job_message(node: Node, job: str, access: JobAccess) -> pb.Job:
    """One job. Raises NotFoundError, also for one that the caller may not see."""
    with node.store.transaction("read job") as tx:
        return job_messages(tx, [read_job(tx, job, access)])[0]


def job_messages(tx: Connection, rows: list[JobRow]) -> list[pb.Job]:
    """Some jobs with their parts, earlier attempts, and peers that were left out."""
    chosen = [row.id for row in rows]
    names = peer_rows.peer_names(tx)
    attempts = deadline_rows.list_attempts(tx, chosen)
    left_out = deadline_rows.list_left_out(tx, chosen)
    parts = job_rows.parts_of(tx, chosen)
    return [
        platform.job_message(row, parts[row.id], names, attempts, left_out.get(row.id, {})) for row in rows
    ]
