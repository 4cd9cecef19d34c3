"""Outcomes of a verification as data, the content of a report (design.md section 4)."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

# Reason of a NAME_MISMATCH: the names are equal once traditional characters are written as simplified ones.
NAME_CONVERTED = "name_converted"


class Outcome(StrEnum):
    """The answer of one province for one subject and item."""

    FOUND = "FOUND"
    NOT_FOUND = "NOT_FOUND"
    OVER = "OVER"
    NOT_OVER = "NOT_OVER"
    NAME_MISMATCH = "NAME_MISMATCH"
    STALE = "STALE"
    NOT_CONNECTED = "NOT_CONNECTED"
    NOT_MANDATED = "NOT_MANDATED"
    REFUSED = "REFUSED"
    OVERDUE = "OVERDUE"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer for one subject, item and peer.

    `subject` is the caller's own reference (household/member), never an identity number. `value`
    is the value that the item's level discloses (1, a count, a band index) where the outcome is FOUND, OVER
    or STALE, else None. `reason` names the rule or cause for REFUSED, NOT_MANDATED,
    UNAVAILABLE, and NAME_CONVERTED for a NAME_MISMATCH.
    """

    subject: str
    item: str
    peer: str
    outcome: Outcome
    value: int | None = None
    as_of: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PeerSummary:
    """Result and cost of one peer's part of a job. Bytes are those of the messages; seconds are wall time."""

    peer: str
    name: str
    state: str  # done, refused, unavailable, overdue, cancelled
    reason: str = ""
    epoch: int = 0
    points: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    seconds: float = 0.0
    plan: str = ""
    plan_reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole verification report: facts, as-of dates, coverage and clocks; never a decision."""

    job: str
    requester: str
    requester_name: str
    purpose: str
    legal_basis: str
    catalogue_version: str
    catalogue_digest: str
    created_at: datetime
    finished_at: datetime | None
    due_at: datetime
    items: tuple[str, ...]
    subjects: tuple[str, ...]
    peers: tuple[PeerSummary, ...]
    findings: tuple[Finding, ...] = field(repr=False)
    state: str = "done"
