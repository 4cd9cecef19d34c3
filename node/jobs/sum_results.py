"""The report of a sum from what its parts left."""

from datetime import timedelta

from node.context import Node
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain import jobs
from node.domain.days import FIRST_DAY
from node.domain.jobs import PartRow
from node.domain.sealed_names import of_answers
from node.domain.sum_findings import NOT_COMPARABLE, NOT_CONNECTED, SumFinding, SumOutcome, SumReport
from node.jobs.job_catalogue import catalogue_of
from node.jobs.match_results import require_ended, summarise_part
from node.requester.sum_checkpoint import unpack_sum
from node.requester.sum_context import PeerSum

_NOT_ASKED = {NOT_CONNECTED: SumOutcome.NOT_CONNECTED, NOT_COMPARABLE: SumOutcome.NOT_COMPARABLE}
_WITHOUT_ANSWER = {"refused": SumOutcome.REFUSED, "overdue": SumOutcome.OVERDUE}


def build_sum_report(node: Node, job: str) -> SumReport:
    """The report of a sum that has ended.

    Raises NotFoundError, PreconditionError while it runs, and InvalidRequestError for another kind of job.
    """
    row = require_ended(node, job, jobs.SUM)
    with node.store.transaction("read report") as tx:
        parts = job_rows.list_parts(tx, job)
        version, digest = catalogue_of(node, tx, job)
        names = peer_rows.peer_names(tx)
        answers = {part.peer: job_rows.read_answers(tx, job, part.peer) for part in parts}
    opened = {
        (part.peer, item): unpack_sum(node.keys.vault.unseal(of_answers(job, part.peer, item), data))
        for part in parts
        for item, data in answers[part.peer].items()
        if part.state != "distrusted"
    }
    findings = []
    for item in row.items:
        for part in parts:
            found = opened.get((part.peer, item))
            gap = _gap(part, item, row.subjects)
            findings.append(gap if found is None else finding_of(part.peer, item, found))
    return SumReport(
        job=job,
        state=row.state,
        requester=node.code,
        requester_name=node.config.node.name,
        legal_basis=row.legal_basis,
        catalogue_version=version,
        catalogue_digest=digest,
        created_at=row.created_at,
        finished_at=row.finished_at,
        due_at=row.due_at,
        items=row.items,
        people=row.subjects,
        peers=tuple(summarise_part(part, names.get(part.peer, part.peer)) for part in parts),
        findings=tuple(findings),
        issuing_body=node.config.node.issuing_body,
        legal_basis_name=node.code_tables.own_names().get(row.legal_basis),
    )


def finding_of(peer: str, item: str, found: PeerSum) -> SumFinding:
    """What a peer answered, with the figures where it released them."""
    answer = found.answer
    if answer.rule in _NOT_ASKED:
        return SumFinding(item, peer, _NOT_ASKED[answer.rule], found.asked)
    days = found.as_of
    as_of = (
        None if days is None else (FIRST_DAY + timedelta(days=days[0]), FIRST_DAY + timedelta(days=days[1]))
    )
    if answer.rule:
        return SumFinding(item, peer, SumOutcome.SUPPRESSED, found.asked, answer.rule, as_of=as_of)
    return SumFinding(
        item=item,
        peer=peer,
        outcome=SumOutcome.RELEASED,
        asked=found.asked,
        mode=answer.mode,
        count=answer.count,
        total=answer.total,
        variance=answer.variance,
        bands=answer.bands,
        epsilon=answer.epsilon,
        as_of=as_of,
    )


def _gap(part: PartRow, item: str, asked: int) -> SumFinding:
    outcome = _WITHOUT_ANSWER.get(part.state, SumOutcome.UNAVAILABLE)
    return SumFinding(item, part.peer, outcome, asked, part.reason or part.state)
