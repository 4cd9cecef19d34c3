"""The answers of a verification as a table of people and questions. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from node.domain.findings import Finding, Findings, Report


@dataclass(frozen=True, slots=True)
class Grid:
    """The answers of a report: `place[subject, question]` is an index of `answers`, -1 without one.

    `questions` are pairs of item and peer; subjects are those of the report, in its order.
    """

    subjects: tuple[str, ...]
    questions: tuple[tuple[str, str], ...]
    answers: Sequence[Finding]
    place: NDArray[np.int32]

    @classmethod
    def of(cls, report: Report) -> "Grid":
        """The answers of a report."""
        found = Findings.of(report.findings)
        questions = tuple((item, peer.peer) for item in report.items for peer in report.peers)
        column = {question: at for at, question in enumerate(questions)}
        row = {subject: at for at, subject in enumerate(report.subjects)}
        columns_of = np.array([column[one.item, one.peer] for one in found.answers], dtype=np.intp)
        rows_of = np.array([row[ref] for ref in found.refs], dtype=np.intp)
        place = np.full((len(row), len(questions)), -1, dtype=np.int32)
        if len(found):
            answer = np.frombuffer(found.answer, dtype=np.uintc)
            subject = np.frombuffer(found.subject, dtype=np.uintc)
            place[rows_of[subject], columns_of[answer]] = answer
        return cls(report.subjects, questions, found.answers, place)

    def said(self, subject: int, question: int) -> Finding | None:
        """The answer to a question about a subject."""
        at = int(self.place[subject, question])
        return None if at < 0 else self.answers[at]
