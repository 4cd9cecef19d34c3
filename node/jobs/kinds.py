"""What a node can be asked to do as a job. A new kind is one file beside match_job.py, and one line here."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

from node.context import Node
from node.domain.findings import Report
from node.domain.jobs import JobRequest
from node.domain.sum_findings import SumReport
from node.errors import PreconditionError
from node.jobs.match_job import MATCH
from node.jobs.part_run import PartRun
from node.jobs.sum_job import SUMS
from node.jobs.watch_job import WATCH_JOB
from node.requester.checkpoint import StoredCheckpoint
from node.requester.points import HasIdentities

R = TypeVar("R", bound=JobRequest)
C = TypeVar("C", bound=StoredCheckpoint)


class JobKind(Protocol[R, C]):
    """What jobs of one kind do differently: `R` is the request, `C` what is kept of a part while it runs."""

    @property
    def name(self) -> str:
        """As `JobRequest.kind` has it; audit events begin with it."""

    @property
    def checkpoint(self) -> type[C]:
        """Made for each part."""

    def check(self, node: Node, request: R) -> None:
        """Refuse a wrong request before it is stored. Raises NodeError kinds."""

    def pack(self, request: R) -> bytes:
        """Canonical bytes with a version inside: the same request always packs to the same bytes."""

    def unpack(self, packed: bytes) -> R:
        """What `pack` made. Raises PreconditionError for a form of another version."""

    def people(self, request: R) -> int:
        """How many people the job asks about."""

    def identities(self, request: R) -> Iterable[HasIdentities]:
        """These people."""

    def people_digests(self, node: Node, request: R) -> bytes | None:
        """These people as they are found again (`node.domain.reuse`); None where no answer is used again."""

    def matter(self, request: R) -> str:
        """The kind of help that is applied for (node/domain/matters.py), or empty."""

    def before_mandate(self, request: R) -> Iterable[tuple[int, str, str]]:
        """People who are asked about before their mandates: place, reference and current number of each."""

    def count_mandates(self, request: R) -> int:
        """How many mandates come with it."""

    def ask(self, run: PartRun[C], request: R) -> None:
        """One peer's part. The checkpoint keeps the answers. Raises NodeError kinds."""

    def results(self, node: Node, job: str) -> Report | SumReport:
        """The report of a job that has ended."""


KINDS: Mapping[str, JobKind[Any, Any]] = {kind.name: kind for kind in (MATCH, SUMS, WATCH_JOB)}


def find_kind(name: str) -> JobKind[Any, Any]:
    """A kind by its name. Raises PreconditionError for one that another version of Heqiao stored."""
    if name not in KINDS:
        raise PreconditionError(
            "the database holds a job of a kind that only another release of this program knows",
            "run the version that wrote it",
        )
    return KINDS[name]


def count_people(request: JobRequest) -> int:
    """How many people a request asks about."""
    return find_kind(request.kind).people(request)
