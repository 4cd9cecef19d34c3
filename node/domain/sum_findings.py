"""The report of a sum as data: the answer of each province for each item."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from math import isqrt

from node.domain.findings import PeerSummary

# Not rules of the responder: it has no data of this item, or defines it differently; the requester itself did
# not return the sum.
NOT_CONNECTED = "not_connected"
NOT_COMPARABLE = "not_comparable"
MIN_OPENED = "min_opened"
EXPOSURE = "exposure"


class SumOutcome(StrEnum):
    """The answer of one province for one item."""

    RELEASED = "RELEASED"
    SUPPRESSED = "SUPPRESSED"
    NOT_CONNECTED = "NOT_CONNECTED"
    REFUSED = "REFUSED"
    OVERDUE = "OVERDUE"
    UNAVAILABLE = "UNAVAILABLE"
    NOT_COMPARABLE = "NOT_COMPARABLE"


@dataclass(frozen=True, slots=True)
class SumFinding:
    """One item's answer of one peer; the figures are valid where the outcome is RELEASED.

    `reason` names the rule for SUPPRESSED, and the rule or cause for REFUSED, OVERDUE and UNAVAILABLE.
    `count` are the people in the sum, `asked` those of the cohort. `total` and `variance` are in the item's
    unit (fen) and its square. In mode `dp` every figure has noise of `epsilon`, and there is no variance. A
    None in `bands` is a cell too small to show. `as_of` is the range of dates of all records in the groups.
    """

    item: str
    peer: str
    outcome: SumOutcome
    asked: int
    reason: str = ""
    mode: str = ""
    count: int | None = None
    total: int | None = None
    variance: int | None = None
    bands: tuple[int | None, ...] = ()
    epsilon: float = 0.0
    as_of: tuple[date, date] | None = None

    @property
    def mean(self) -> int | None:
        """The mean to the nearest unit; None where there is no figure, or the noisy count is not positive."""
        if self.total is None or self.count is None or self.count <= 0:
            return None
        return (2 * self.total + self.count) // (2 * self.count)

    @property
    def deviation(self) -> int | None:
        """The standard deviation (of the population) to the nearest unit."""
        if self.variance is None or self.variance < 0:
            return None
        return (isqrt(4 * self.variance) + 1) // 2


@dataclass(frozen=True, slots=True)
class SumReport:
    """A whole report of sums: facts, dates, coverage and clocks. `people` is the size of the cohort."""

    job: str
    state: str
    requester: str
    requester_name: str
    legal_basis: str
    catalogue_version: str
    catalogue_digest: str
    created_at: datetime
    finished_at: datetime | None
    due_at: datetime
    items: tuple[str, ...]
    people: int
    peers: tuple[PeerSummary, ...]
    findings: tuple[SumFinding, ...] = field(repr=False)
    issuing_body: str = ""  # its official name, where the node was told
    legal_basis_name: tuple[str, str] | None = None  # as in node.domain.findings.Report

    def finding(self, item: str, peer: str) -> SumFinding:
        """The answer of a peer for an item. Raises KeyError."""
        for found in self.findings:
            if (found.item, found.peer) == (item, peer):
                return found
        raise KeyError(item)
