"""Objections (异议) to a report, and what became of them (domain.md section 2; 社会救助法 art. 45, 48). Pure.

An objection is recorded whenever it is raised: whether it was in time is shown, and never decides anything.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

OPEN: Final = "open"
RECHECKING: Final = "rechecking"
CLOSED: Final = "closed"
STATES: Final = (OPEN, RECHECKING, CLOSED)
RESULTS: Final = ("changed", "unchanged", "corrected", "withdrawn", "not_rechecked")
MOST_GROUNDS: Final = 1_000  # characters
MOST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Target:
    """What of a report is objected to: empty fields mean all of it. `person` is household/member."""

    household: str = ""
    person: str = ""
    item: str = ""
    peer: str = ""


@dataclass(frozen=True, slots=True)
class NewObjection:
    """An objection as it is raised. Days are those of China."""

    job: str
    report_number: str
    target: Target
    raised_by: str = field(repr=False)
    grounds: str = field(repr=False)
    received: date = field()
    raised: date = field()


@dataclass(frozen=True, slots=True)
class ObjectionRow:
    """A stored objection without what is sealed (`ObjectionContent`)."""

    id: str
    owner: str
    job: str
    report_number: str
    item: str
    peer: str
    received: date
    raised: date
    due_at: datetime
    state: str
    result: str
    recheck_job: str
    created_at: datetime
    closed_at: datetime | None
    due_estimated: bool = False

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been closed; never by an estimated date."""
        return self.state != CLOSED and not self.due_estimated and now > self.due_at


@dataclass(frozen=True, slots=True)
class ObjectionContent:
    """What is sealed of an objection."""

    household: str
    person: str
    raised_by: str = field(repr=False)
    grounds: str = field(repr=False)
