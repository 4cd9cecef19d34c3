"""The kind of job that asks for sums."""

from collections.abc import Iterator

from node.context import Node
from node.domain.jobs import SUM
from node.domain.sum_findings import MIN_OPENED, SumReport
from node.domain.summation import Person, Summation, pack_summation, unpack_summation
from node.errors import InvalidRequestError, RefusedError
from node.jobs.legal_basis import require_basis
from node.jobs.part_run import PartRun
from node.jobs.sum_results import build_sum_report
from node.requester.sum_checkpoint import StoredSumCheckpoint
from node.requester.sum_context import SumQuestion
from node.requester.sum_limits import fewest_rows
from node.requester.sums import ask_sums


class SumJob:
    """Sums, as `node.jobs.kinds.JobKind` says."""

    name = SUM
    checkpoint = StoredSumCheckpoint

    def check(self, node: Node, request: Summation) -> None:
        """Checks before any peer is asked, which therefore cost nothing.

        Raises InvalidRequestError, ItemNotOfferedError (no such item), and RefusedError for a cohort that no
        peer may answer.
        """
        require_basis(node, request.legal_basis)
        if len(set(request.cohort)) != len(request.cohort) or not all(request.cohort):
            raise InvalidRequestError("a person of the cohort is given twice, or without an identity")
        for code in request.items:
            rule = node.catalogue.item(code).sum
            if rule is None:
                raise InvalidRequestError(
                    f"{code} is not an item that can be summed", "see `heqiao catalogue`"
                )
            _require_people(code, len(request.cohort), rule.min_cohort, "min_cohort")
            least = fewest_rows(rule, node.config.requester.min_opened)
            _require_people(code, len(request.cohort), least, MIN_OPENED)

    def pack(self, request: Summation) -> bytes:
        """Canonical bytes."""
        return pack_summation(request)

    def unpack(self, packed: bytes) -> Summation:
        """What `pack` made."""
        return unpack_summation(packed)

    def people(self, request: Summation) -> int:
        """How many are in the cohort."""
        return len(request.cohort)

    def identities(self, request: Summation) -> Iterator[Person]:
        """The cohort."""
        return map(Person, request.cohort)

    def people_digests(self, _node: Node, _request: Summation) -> None:
        """No sum is used again: its cohort is another one."""

    def matter(self, _request: Summation) -> str:
        """None: a sum is about nobody's application."""
        return ""

    def before_mandate(self, _request: Summation) -> tuple[()]:
        """Nobody."""
        return ()

    def count_mandates(self, _request: Summation) -> int:
        """None: a sum needs no mandate."""
        return 0

    def ask(self, run: PartRun[StoredSumCheckpoint], request: Summation) -> None:
        """All rounds with one peer."""
        question = SumQuestion(request.cohort, request.items, request.legal_basis)
        with run.connect() as (context, link):
            ask_sums(context, link, run.checkpoint, question)

    def results(self, node: Node, job: str) -> SumReport:
        """The report; raises as `build_sum_report` does."""
        return build_sum_report(node, job)


def _require_people(code: str, people: int, least: int, rule: str) -> None:
    if people < least:
        raise RefusedError(
            f"a sum of {code} needs at least {least} people",
            "widen the cohort; nobody was asked",
            {"rule": rule},
        )


SUMS = SumJob()
