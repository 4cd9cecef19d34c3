"""How much was erased because its time was over, or is due (design.md section 7)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

# Alerts about quotas and sums: none counts for longer than a year.
ALERTS_KEPT: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased, or is due: jobs, their sealed answers, secrets that a query left behind, and
    records of mandates, households and asked people.
    """

    jobs: int = 0
    answers: int = 0
    secrets: int = 0
    records: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(
            self.jobs + other.jobs,
            self.answers + other.answers,
            self.secrets + other.secrets,
            self.records + other.records,
        )
