"""What opened labels mean: an answer for each subject (design.md section 4). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from matcher import LabelRecord, Level, batch, label
from matcher.suites.suite import Suite
from matcher.vectorised import Bytes
from node.domain.catalogue import Item
from node.domain.days import FIRST_DAY
from node.domain.findings import NAME_CONVERTED, Outcome
from node.domain.subjects import Subject, Subjects
from node.requester.match_query import Answer, Question, covered


@dataclass(frozen=True, slots=True)
class Opened:
    """Opened labels, one a row: subject, record (`batch.RECORD`), checks (n, 2) of the asked name."""

    subject: NDArray[np.int64] = field(repr=False)
    record: NDArray[np.void] = field(repr=False)
    checks: Bytes = field(repr=False)


def open_names(
    suite: Suite, question: Question, subject: NDArray[np.int64], record: NDArray[np.void]
) -> Opened:
    """Labels with the checks that each would have for the asked name (`Suite.name_checks`).

    Where no name was asked, or the record has none, they are the record's own, so that nothing differs.
    """
    asked = Subjects.of(question.subjects).names
    names = [asked[number] for number in subject.tolist()]
    checks = np.stack([record["check"], record["converted"]], axis=1)
    named = np.array([bool(name) for name in names], dtype=bool) & ((record["flags"] & label.HAS_NAME) != 0)
    rows = np.flatnonzero(named)
    numbers = (
        np.ascontiguousarray(record["record"][rows]).view(np.uint8).reshape(-1, label.RECORD_NUMBER_SIZE)
    )
    # Subjects' names are normalised already.
    checks[rows] = suite.name_checks(
        numbers, [names[row].encode("utf-8", "surrogatepass") for row in rows.tolist()]
    )
    return Opened(subject, record, checks)


def conclude_all(
    question: Question, item: Item, found: Sequence[Opened], missing: NDArray[np.bool_], today: date
) -> list[Answer]:
    """`conclude` of every subject; `missing[i]` is true where an origin of subject i is not granted."""
    nothing, refused = _nothing(item, False), _nothing(item, True)
    answers = [refused if gap else nothing for gap in missing.tolist()]
    for number in np.flatnonzero(~covered(question, (item.code,))).tolist():
        answers[number] = Answer(Outcome.NOT_MANDATED, reason=question.uncovered[number][item.code])
    if not found:
        return answers
    subject = np.concatenate([one.subject for one in found])
    record = np.concatenate([one.record for one in found])
    checks = np.concatenate([one.checks for one in found])
    order = np.argsort(subject, kind="stable")
    subject, record, checks = subject[order], record[order], checks[order]
    alone = np.bincount(subject, minlength=len(answers))[subject] == 1
    for number, answer in zip(
        subject[alone].tolist(), _conclude_alone(item, record[alone], checks[alone], today), strict=True
    ):
        answers[number] = answer
    subject, record, checks = subject[~alone], record[~alone], checks[~alone]
    numbers, starts = np.unique(subject, return_index=True)
    ends = np.append(starts, len(subject)).tolist()
    for number, (first, last) in zip(numbers.tolist(), pairwise(ends), strict=True):
        pairs = [
            (batch.unpack_label(record[row]), (int(checks[row, 0]), int(checks[row, 1])))
            for row in range(first, last)
        ]
        answers[number] = conclude(item, question.subjects[number], pairs, bool(missing[number]), today)
    return answers


def refuse_item(question: Question, item: str, rule: str) -> list[Answer]:
    """REFUSED for every subject that the peer could have been asked about."""
    return [
        Answer(Outcome.NOT_MANDATED, reason=why[item])
        if item in why
        else Answer(Outcome.REFUSED, reason=rule)
        for why in question.uncovered
    ]


def _conclude_alone(item: Item, record: NDArray[np.void], checks: Bytes, today: date) -> list[Answer]:
    """`conclude` of subjects with one record each."""
    oldest = (today - FIRST_DAY).days - item.freshness_days
    made: dict[tuple[bool, bool, int, int], Answer] = {}
    differs = ((record["flags"] & label.HAS_NAME) != 0) & (record["check"] != checks[:, 0])
    converted = differs & (record["converted"] == checks[:, 1])
    columns = (differs, converted, record["value"], record["as_of"])
    answers = []
    for row in zip(*(column.tolist() for column in columns), strict=True):
        answer = made.get(row)
        if answer is None:
            other, same, value, as_of = row
            answer = _mismatch(same) if other else _dated(item, value, as_of, as_of < oldest)
            made[row] = answer
        answers.append(answer)
    return answers


def conclude(
    item: Item,
    subject: Subject,
    found: Sequence[tuple[LabelRecord, tuple[int, int]]],
    missing_origin: bool,
    today: date,
) -> Answer:
    """One subject's answer from the labels opened for it, each with the checks of the asked name.

    Entries with one record number are one record. Several records (a person held under two numbers
    that the responder could not connect) add up for counts and values; the highest band counts, and the
    newest code.
    """
    records = {opened.record: (opened, checks) for opened, checks in found}
    if not records:
        return _nothing(item, missing_origin)
    same_name = [
        opened
        for opened, (check, _) in records.values()
        if not (opened.has_name and subject.name) or opened.name_check == check
    ]
    if not same_name:
        return _mismatch(any(opened.converted == other for opened, (_, other) in records.values()))
    if item.level is Level.CODE:  # a state and no amount: that of the newest record
        newest = max(same_name, key=lambda opened: (opened.as_of, opened.value))
        return _dated(item, newest.value, newest.as_of, _is_stale(item, newest.as_of, today))
    values = [opened.value for opened in same_name]
    additive = item.level in (Level.COUNT, Level.VALUE)
    value = sum(values) if additive else max(values)
    as_of = min(opened.as_of for opened in same_name)
    return _dated(item, value, as_of, _is_stale(item, as_of, today))


def _is_stale(item: Item, as_of: int, today: date) -> bool:
    return FIRST_DAY + timedelta(days=as_of) < today - timedelta(days=item.freshness_days)


def _mismatch(converted: bool) -> Answer:
    """Another name; `converted`: equal after conversion to simplified characters, as six bits can tell."""
    return Answer(Outcome.NAME_MISMATCH, reason=NAME_CONVERTED if converted else "")


def _dated(item: Item, value: int, as_of: int, stale: bool) -> Answer:
    if stale:
        return Answer(Outcome.STALE, value, as_of)
    return Answer(Outcome.OVER if item.level is Level.THRESHOLD else Outcome.FOUND, value, as_of)


def _nothing(item: Item, missing_origin: bool) -> Answer:
    if missing_origin:
        return Answer(Outcome.REFUSED, reason="origin_not_granted")
    return Answer(Outcome.NOT_OVER if item.level is Level.THRESHOLD else Outcome.NOT_FOUND)
