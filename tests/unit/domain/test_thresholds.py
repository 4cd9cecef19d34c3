"""Thresholds: which changes they meet, and every fault of a file at once."""

from datetime import date

import pytest

from node.domain import catalogue
from node.domain.alerts import find_changes, next_base
from node.domain.findings import Outcome
from node.domain.thresholds import Rule, Said, When, find_rule, parse_thresholds
from node.errors import InputError

CATALOGUE = catalogue.load()
GOOD = """
version = "1"
set_by = "监测专家组"
valid_from = 2026-10-01
[[rule]]
item = "C21"
when = "count_rises"
by = 2
zh = "车辆增加"
en = "more vehicles"
[[rule]]
item = "C23"
when = "threshold_passes"
zh = "存款超限"
en = "over"
"""
NOTHING, NOT_OVER = Said(Outcome.NOT_FOUND), Said(Outcome.NOT_OVER)
SILENT = [
    Said(one)
    for one in Outcome
    if one not in (Outcome.FOUND, Outcome.OVER, Outcome.STALE, Outcome.NOT_FOUND, Outcome.NOT_OVER)
]


def rule(when: When, by: int = 1) -> Rule:
    return Rule("C21", when, by, "因", "cause")


def found(value: int, outcome: Outcome = Outcome.FOUND) -> Said:
    return Said(outcome, value, 20_000)


CHANGES = [
    (When.APPEARS, 1, NOTHING, found(1), True),
    (When.APPEARS, 1, found(1), found(2), False),
    (When.APPEARS, 1, NOTHING, found(1, Outcome.STALE), True),
    (When.DISAPPEARS, 1, found(1), NOTHING, True),
    (When.DISAPPEARS, 1, NOTHING, NOTHING, False),
    (When.COUNT_RISES, 2, found(1), found(3), True),
    (When.COUNT_RISES, 2, found(1), found(2), False),
    (When.COUNT_RISES, 1, found(2), found(1), False),
    (When.COUNT_RISES, 1, NOTHING, found(9), False),
    (When.BAND_RISES, 2, found(0), found(2), True),
    (When.CODE_CHANGES, 1, found(2), found(1), True),
    (When.CODE_CHANGES, 1, found(2), found(2, Outcome.STALE), False),
    (When.THRESHOLD_PASSES, 1, NOT_OVER, found(1, Outcome.OVER), True),
    (When.THRESHOLD_PASSES, 1, found(1, Outcome.STALE), found(1, Outcome.OVER), False),
]


@pytest.mark.parametrize(("when", "by", "before", "now", "meets"), CHANGES)
def test_what_a_rule_meets(when, by, before, now, meets):
    assert (find_rule([rule(when, by)], before, now) is not None) == meets


@pytest.mark.parametrize("silent", SILENT)
@pytest.mark.parametrize("when", When)
def test_what_says_nothing_is_no_change(when, silent):
    for other in (NOTHING, found(1), found(5)):
        assert find_rule([rule(when)], silent, other) is None
        assert find_rule([rule(when)], other, silent) is None


def test_the_first_rule_makes_the_alert():
    both = [rule(When.COUNT_RISES, 3), rule(When.COUNT_RISES, 1)]
    assert find_rule(both, found(1), found(9)) is both[0]
    assert find_rule(both, found(1), found(2)) is both[1]


def test_the_last_answer_that_said_something_stays():
    before = [found(1), found(1), NOTHING, found(1)]
    now = [Said(Outcome.UNAVAILABLE), found(2), Said(Outcome.REFUSED), Said(Outcome.NOT_MANDATED)]
    assert next_base(before, now) == [found(1), found(2), NOTHING, Said(Outcome.NOT_MANDATED)]
    assert next_base(None, now) == now


def test_an_item_without_an_answer_before_has_no_change():
    known = parse_thresholds(GOOD.encode(), CATALOGUE)
    assert list(find_changes(["a"], {}, {"C21": [found(9)]}, known)) == []
    assert list(find_changes(["a"], {"C21": [found(1)]}, {"C21": [found(9)]}, None)) == []
    (change,) = find_changes(["a"], {"C21": [found(1)]}, {"C21": [found(9)]}, known)
    assert (change.ref, change.item, change.rule.by) == ("a", "C21", 2)


def test_a_good_file():
    known = parse_thresholds(GOOD.encode(), CATALOGUE)
    assert (known.version, known.valid_from, known.content) == ("1", date(2026, 10, 1), GOOD)
    assert [one.when for one in known.rules] == [When.COUNT_RISES, When.THRESHOLD_PASSES]


FAULTS = {
    ('"1"', '"a b"'): "version: 1 to 32 of letters",
    ("2026-10-01", '"2026-10-01"'): "valid_from: a day such as 2026-10-01, without quotes",
    ('"C21"', '"X99"'): "rule 1, item: a code of the catalogue",
    ("count_rises", "grows"): "rule 1, when: one of appears, disappears, count_rises",
    ("by = 2", "by = 0"): "rule 1, by: a number from 1 to 65535",
    ("by = 2", "by = true"): "rule 1, by: a number from 1 to 65535",
    (
        '"threshold_passes"',
        '"appears"',
    ): "rule 2, when: appears is not for C23",
    ('en = "over"', 'en = "over"\nby = 2'): "rule 2, by: only for count_rises, band_rises",
    ('zh = "存款超限"', 'zh = ""'): "rule 2, zh: a text of 1 to 200 characters",
    (
        'en = "over"',
        'en = "over"\nlevel = 3',
    ): "rule 2: unknown key 'level'; allowed are by, en",
}


@pytest.mark.parametrize("change", FAULTS, ids=lambda change: change[1])
def test_a_fault_is_named_with_what_is_allowed(change):
    with pytest.raises(InputError) as refused:
        parse_thresholds(GOOD.replace(*change).encode(), CATALOGUE)
    assert FAULTS[change] in str(refused.value)


def test_all_faults_are_named_at_once():
    text = GOOD
    for old, new in list(FAULTS)[2:4]:
        text = text.replace(old, new)
    with pytest.raises(InputError) as refused:
        parse_thresholds(text.replace('"1"', "1").encode(), CATALOGUE)
    assert str(refused.value).count(";") == 2


@pytest.mark.parametrize("content", [b"", b"\xff", b"= 1", b"x" * 300_000, b"rule = 3"])
def test_rubbish_is_refused(content):
    with pytest.raises(InputError):
        parse_thresholds(content, CATALOGUE)
