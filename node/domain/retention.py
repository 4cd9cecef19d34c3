"""How much was erased because its time was over, or is due (design.md section 7)."""

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Final

# Alerts about quotas and sums: none counts for longer than a year.
ALERTS_KEPT: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased, or is due: jobs, sealed answers, secrets that a query left behind; records of
    mandates, households and asked people; alerts, notices that no longer hold, drafts,
    objections and corrections.
    """

    jobs: int = 0
    answers: int = 0
    secrets: int = 0
    records: int = 0
    alerts: int = 0
    notices: int = 0
    drafts: int = 0
    cases: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))
