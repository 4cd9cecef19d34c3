"""How much was erased because its time was over, or is due (design.md section 7)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased, or is due: jobs, their sealed answers, secrets that a query left
    behind, cases.
    """

    jobs: int = 0
    answers: int = 0
    secrets: int = 0
    # Objections and requests for correction.
    cases: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(
            self.jobs + other.jobs,
            self.answers + other.answers,
            self.secrets + other.secrets,
            self.cases + other.cases,
        )
