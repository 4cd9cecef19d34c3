"""Which answers may be used again, and how they are packed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from matcher import Identity
from node.domain import catalogue
from node.domain.days import FIRST_DAY
from node.domain.findings import Outcome, ReusedFrom
from node.domain.reuse import (
    REUSED,
    Reused,
    ReusedAnswer,
    definition_digest,
    is_valid,
    pack_reused,
    people_digests,
    split_digests,
    unpack_reused,
)
from node.domain.subjects import Subject, Subjects

ITEM = replace(catalogue.load().item("C21"), freshness_days=30)
TODAY, DAY = date(2026, 11, 29), timedelta(days=1)


def days(day):
    return (day - FIRST_DAY).days


VALID = [
    (Outcome.FOUND, TODAY - 30 * DAY, TODAY - 40 * DAY, True),
    (Outcome.FOUND, TODAY - 31 * DAY, TODAY - DAY, False),  # asked yesterday, and the record is older
    (Outcome.OVER, TODAY, TODAY, True),
    (Outcome.NOT_FOUND, None, TODAY - 30 * DAY, True),
    (Outcome.NOT_FOUND, None, TODAY - 31 * DAY, False),
    (Outcome.NOT_OVER, None, TODAY, True),
    (Outcome.NOT_FOUND, None, TODAY + DAY, False),  # the clock went back
    *[(one, TODAY, TODAY, False) for one in Outcome
      if one not in (Outcome.FOUND, Outcome.OVER, Outcome.NOT_FOUND, Outcome.NOT_OVER)],
]  # fmt: skip


@pytest.mark.parametrize(("outcome", "as_of", "asked_on", "valid"), VALID)
def test_what_may_be_used_again(outcome, as_of, asked_on, valid):
    assert is_valid(ITEM, outcome, None if as_of is None else days(as_of), asked_on, TODAY) is valid


def test_another_definition_is_another_item():
    changed = [replace(ITEM, definition_zh="x"), replace(ITEM, level=catalogue.load().item("C23").level),
               replace(ITEM, threshold=1), replace(ITEM, code="C22")]  # fmt: skip
    digests = {definition_digest(one) for one in (ITEM, *changed)}
    assert len(digests) == 5
    assert definition_digest(replace(ITEM)) == definition_digest(ITEM)


def person(name, *numbers):
    return Subject("h/1", "h", name, tuple(Identity("resident", one) for one in numbers), "M")


def test_a_person_is_the_same_by_all_numbers_and_the_name():
    people = [
        person("a", "1", "2"),
        person("a", "2", "1"),
        person("a", "1"),
        person("b", "1"),
        person("a", "12"),
    ]
    found = split_digests(people_digests(Subjects.of(people), b"k" * 32))
    assert found[0] == found[1]
    assert len(set(found)) == 4
    assert not set(found) & set(split_digests(people_digests(Subjects.of(people), b"l" * 32)))


def test_reused_answers_are_packed():
    source, reused = ReusedFrom("v-1", date(2026, 11, 2)), Reused()
    two, none = (
        ReusedAnswer(Outcome.FOUND, 2, 20_000, source),
        ReusedAnswer(Outcome.NOT_FOUND, None, None, source),
    )
    for item, subject, answer in (("C21", 3, two), ("C21", 0, none), ("C22", 3, none), ("C21", 4, two)):
        reused.add(item, subject, answer)
    answers, items = unpack_reused(pack_reused(reused))
    assert answers == [two, none]
    found = {item: dict(zip(*map(list, places), strict=True)) for item, places in items.items()}
    assert found == {"C21": {3: 0, 0: 1, 4: 0}, "C22": {3: 1}}
    shared = {"C23": "expired"}
    assert reused.without([shared] * 5) == (
        {"C21": REUSED, "C23": "expired"}, shared, shared,
        {"C21": REUSED, "C22": REUSED, "C23": "expired"}, {"C21": REUSED, "C23": "expired"},
    )  # fmt: skip
    assert not Reused()
