"""A verification taken apart into its households, each a report of its own. Pure."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from node.domain.findings import Findings, Report
from node.errors import InputError


def household_of(subject: str) -> str:
    """The household of a subject: `H1` of `H1/01`."""
    return subject.rpartition("/")[0] or subject


def of_household(report: Report, name: str) -> Report:
    """The same report about one household, with nothing that others declare. Raises InputError."""
    subjects = tuple(one for one in report.subjects if household_of(one) == name)
    if not subjects:
        raise InputError("the report has no such household", "write its number as the list of people has it")
    found = Findings.of(report.findings)
    subject_of = np.frombuffer(found.subject, dtype=np.uintc)
    place = {ref: at for at, ref in enumerate(found.refs)}
    rows = [np.flatnonzero(subject_of == place.get(one, len(place))) for one in subjects]
    part = replace(report, subjects=subjects, findings=_part(found, subjects, rows))
    return of_case(part, name)


def each_household(report: Report) -> Iterator[tuple[str, Report]]:
    """Each household, in the order of the list, with its report."""
    members: dict[str, list[str]] = {}
    for subject in report.subjects:
        members.setdefault(household_of(subject), []).append(subject)
    found = Findings.of(report.findings)
    subject_of = np.frombuffer(found.subject, dtype=np.uintc)
    # All findings of a subject side by side, in their order: each household takes a few slices.
    order = np.argsort(subject_of, kind="stable")
    starts = np.searchsorted(subject_of[order], np.arange(len(found.refs) + 1))
    place = {ref: at for at, ref in enumerate(found.refs)}
    for name, subjects in members.items():
        rows = [
            order[starts[place[one]] : starts[place[one] + 1]] if one in place else order[:0]
            for one in subjects
        ]
        part = replace(report, subjects=tuple(subjects), findings=_part(found, subjects, rows))
        yield name, of_case(part, name)


def of_case(part: Report, name: str) -> Report:
    """A household's report with what only it declares, who ordered it, and its own earlier answers."""
    if not (part.declared or part.offices or part.recheck):
        return part
    mine, again = set(part.subjects), part.recheck
    if again is not None:
        again = replace(again, findings=tuple(one for one in again.findings if one.subject in mine))
    offices = tuple((office, ()) for office, few in part.offices if not few or name in few)
    return replace(
        part,
        declared=tuple(one for one in part.declared if one.household == name),
        offices=offices,
        office_names={code: part.office_names[code] for code, _ in offices if code in part.office_names},
        recheck=again,
    )


def _part(found: Findings, subjects: Sequence[str], rows: Sequence[np.ndarray]) -> Findings:
    """Findings of a few subjects, with only the answers that they use."""
    answers: dict[int, int] = {}
    subject, answer = array("I"), array("I")
    for number, mine in enumerate(rows):
        for row in mine.tolist():
            subject.append(number)
            answer.append(answers.setdefault(found.answer[row], len(answers)))
    return Findings(tuple(subjects), tuple(found.answers[at] for at in answers), subject, answer)
