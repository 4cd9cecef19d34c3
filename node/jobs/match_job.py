"""The kind of job that verifies people."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from matcher import Level
from node.context import Node
from node.domain.days import china_day
from node.domain.findings import Report
from node.domain.jobs import VERIFICATION
from node.domain.mandate import PROGRAMMES, fault
from node.domain.matters import URGENT_BASIS, is_matter
from node.domain.reuse import Reused, pack_reused
from node.domain.subjects import Subject, Subjects
from node.domain.verification import Verification, pack_verification, unpack_verification
from node.errors import InvalidRequestError
from node.jobs.legal_basis import require_basis
from node.jobs.mandate_reasons import recorded_reasons
from node.jobs.mandates import revoked_numbers
from node.jobs.match_results import build_report
from node.jobs.part_run import PartRun
from node.jobs.rechecks import require_declared, require_recheck
from node.jobs.reuse import definitions_of, digests_of, find_reusable
from node.requester import match
from node.requester.checkpoint import StoredCheckpoint
from node.requester.match_query import ask_question, covered


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
        _check_basis(node, request)
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

    def people_digests(self, node: Node, request: Verification) -> bytes:
        """The subjects, as they are found again."""
        return digests_of(node, request)

    def matter(self, request: Verification) -> str:
        """That of the request."""
        return request.matter

    def before_mandate(self, request: Verification) -> Iterator[tuple[int, str, str]]:
        """In an urgent check, people without a mandate."""
        if request.urgent:
            subjects = Subjects.of(request.subjects)
            for place, number in enumerate(subjects.mandates):
                if number not in request.mandates:
                    yield place, subjects.refs[place], subjects.id_values[subjects.starts[place]]

    def count_mandates(self, request: Verification) -> int:
        """Those of the request."""
        return len(request.mandates)

    def ask(self, run: PartRun[StoredCheckpoint], request: Verification) -> None:
        """Ask one peer about all people it may be asked about; keep the refusals of the others."""
        node, numbers = run.node, request.mandates
        revoked = revoked_numbers(node, run.job.owner, numbers)
        # Looked at anew by each part that begins, or begins again: the day is its own, not the submission's.
        today = china_day(node.clock())
        refused = recorded_reasons(node, run.job.owner, request, today)
        question = ask_question(node, request, run.part.peer, today, revoked, refused)
        reused = Reused()
        if request.reuse:
            reused = find_reusable(node, run.job, run.part.peer, request, question)
            question = replace(question, uncovered=reused.without(question.uncovered))
        packed = pack_reused(reused) if reused else None
        run.checkpoint.refuse(question.uncovered, definitions_of(question), packed)
        if reused and not covered(question, question.codes).any():
            return  # all that may be asked is known
        with run.connect() as (context, _):
            match.ask_peer(context, question)

    def results(self, node: Node, job: str) -> Report:
        """The report; raises as `build_report` does."""
        return build_report(node, job)


def _check_basis(node: Node, request: Verification) -> None:
    """An urgent check, and no other, has the legal basis of one: the report and the peers see it by that."""
    require_basis(node, request.legal_basis, again=bool(request.recheck_of))
    if request.urgent != (request.legal_basis == URGENT_BASIS):
        raise InvalidRequestError(
            f"an urgent check, and no other, has the legal basis {URGENT_BASIS}",
            "urgent: help comes first, and the mandate follows (Social Assistance Law, article 50)",
        )
    if request.matter and not is_matter(request.matter):
        raise InvalidRequestError("unknown matter", "docs/mandates.md lists the matters, two digits each")


MATCH = MatchJob()
