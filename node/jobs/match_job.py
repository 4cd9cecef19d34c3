"""The kind of job that verifies people."""

from collections.abc import Sequence

from matcher import Level
from node.context import Node
from node.domain.days import china_day
from node.domain.findings import Report
from node.domain.jobs import VERIFICATION
from node.domain.mandate import PROGRAMMES, fault
from node.domain.subjects import Subject, Subjects
from node.domain.verification import Verification, pack_verification, unpack_verification
from node.errors import InvalidRequestError
from node.jobs.mandates import revoked_numbers
from node.jobs.match_results import build_report
from node.jobs.part_run import PartRun
from node.jobs.rechecks import require_declared, require_recheck
from node.requester import match
from node.requester.checkpoint import StoredCheckpoint
from node.requester.match_query import ask_question


class MatchJob:
    """Verifications, as `node.jobs.kinds.JobKind` says."""

    name = VERIFICATION
    checkpoint = StoredCheckpoint

    def check(self, node: Node, request: Verification) -> None:
        """Raises InvalidRequestError, and ItemNotOfferedError for an unknown item."""
        refs = Subjects.of(request.subjects).refs
        if len(set(refs)) != len(refs):
            raise InvalidRequestError("a subject's reference is given twice")
        if request.purpose not in PROGRAMMES:
            raise InvalidRequestError("unknown purpose", f"one of {', '.join(PROGRAMMES)}")
        for place, mandate in enumerate(request.mandates.values(), 1):
            wrong = fault(mandate)
            if wrong is not None:
                raise InvalidRequestError(
                    f"mandate {place} of the submission {wrong}", "docs/import.md has the columns of mandates"
                )
        require_declared(request)
        require_recheck(node, request)
        for item in request.items:
            if node.catalogue.item(item).level is Level.AGGREGATE:
                # No person has a record of it, so every answer would be "no record".
                raise InvalidRequestError(
                    f"{item} is answered as a sum only", "ask for it with `heqiao sum`, over many people"
                )

    def pack(self, request: Verification) -> bytes:
        """Canonical bytes."""
        return pack_verification(request)

    def unpack(self, packed: bytes) -> Verification:
        """What `pack` made."""
        return unpack_verification(packed)

    def people(self, request: Verification) -> int:
        """How many subjects."""
        return len(request.subjects)

    def identities(self, request: Verification) -> Sequence[Subject]:
        """The subjects."""
        return Subjects.of(request.subjects)

    def ask(self, run: PartRun[StoredCheckpoint], request: Verification) -> None:
        """Ask one peer about all people it may be asked about; keep the refusals of the others."""
        node, numbers = run.node, request.mandates
        revoked = revoked_numbers(node, run.job.owner, numbers)
        # Looked at anew by each part that begins, or begins again: the day is its own, not the submission's.
        question = ask_question(node, request, run.part.peer, china_day(node.clock()), revoked)
        run.checkpoint.refuse(question.uncovered)
        with run.connect() as (context, _):
            match.ask_peer(context, question)

    def results(self, node: Node, job: str) -> Report:
        """The report; raises as `build_report` does."""
        return build_report(node, job)


MATCH = MatchJob()
