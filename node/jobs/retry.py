"""One part of a job asked again alone: its peer refused, was away, or did not answer in time.

The other parts are kept. What the peer has answered already of whole items is kept too; everything else is
asked anew, under deadlines that begin now. How the earlier attempt ended stays on record.
"""

from collections.abc import Collection

from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import deadlines as rows
from node.database import jobs as job_rows
from node.domain.findings import Outcome
from node.domain.job_access import NODE_ACCESS, JobAccess
from node.domain.jobs import OPEN_STATES, RETRYABLE, VERIFICATION, JobRow, PartRow
from node.domain.sealed_names import of_answers
from node.errors import NotFoundError, PreconditionError
from node.jobs.deadlines import clock_of, report_by
from node.jobs.lookup import require_job
from node.requester.checkpoint import split_answers


def retry_part(node: Node, job: str, peer: str, access: JobAccess = NODE_ACCESS) -> JobRow:
    """Ask one peer of a job again; the caller starts the job.

    Raises NotFoundError (no such job or part), RefusedError for a job of somebody else, and PreconditionError
    for a part that cannot be asked again.
    """
    row = require_job(node, job, access, change=True)
    with node.store.transaction("read part") as tx:
        part = _find(tx, job, peer)
        answers = job_rows.read_answers(tx, job, peer)
    incomplete = _incomplete(node, row, part, answers)
    if part.state not in RETRYABLE and not (part.state == "done" and incomplete):
        raise PreconditionError(
            f"the part of {peer} is {part.state}",
            "a part can be asked again that is refused, unavailable or overdue; others end by themselves, or "
            "have their answers",
        )

    def write(tx: Connection) -> None:
        now = node.clock()
        if _find(tx, job, peer) != part:
            raise PreconditionError("the part has changed meanwhile", "look at the job, then try again")
        job_rows.forget_run(tx, job, peer, incomplete)
        rows.restart_part(tx, part, clock_of(node, now))
        found = job_rows.find_job(tx, job)
        if found is not None and found.state not in OPEN_STATES:
            rows.reopen_job(tx, job, report_by(node, now))
        audit_rows.append(
            tx, f"{row.kind}_part_retried", {"job": job, "peer": peer, "state": part.state}, now
        )

    node.store.retry_write("retry part", write)
    return require_job(node, job, access)


def _find(tx: Connection, job: str, peer: str) -> PartRow:
    found = next((part for part in job_rows.list_parts(tx, job) if part.peer == peer), None)
    if found is None:
        raise NotFoundError(f"the job does not ask {peer[:8]}", "`heqiao jobs show` lists its peers")
    return found


def _incomplete(node: Node, row: JobRow, part: PartRow, answers: dict[str, bytes]) -> Collection[str]:
    """The items with answers that a peer refused."""
    if row.kind != VERIFICATION:
        return tuple(answers)
    found = []
    for item, sealed in answers.items():
        different, _ = split_answers(node.keys.vault.unseal(of_answers(row.id, part.peer, item), sealed))
        if any(answer.outcome is Outcome.REFUSED for answer in different):
            found.append(item)
    return found
