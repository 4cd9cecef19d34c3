"""Who has to have signed, each case by its reason (docs/mandates.md)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from node.domain.mandate import REASONS
from node.domain.mandate_checks import ALL_REASONS, KeptMandate, Use, choose_mandate, judge_person, judge_use
from node.domain.mandate_words import REASON_WORDS, reason_text
from node.domain.matters import JIANGSU, NATIONAL, OTHER, is_matter, wording_of
from tests.support.mandate_lists import (
    HEAD,
    SON,
    SPOUSE,
    child_number,
    consent,
    household,
    mandate,
    person,
)

TODAY = date(2026, 7, 1)
GOOD = mandate(no="M")
CHANGED = replace(household(), changed_on=date(2026, 3, 1))
JIANGSU_FORM = {"template_id": "jiangsu", "matter": "01", "regions": frozenset({"44"})}
SAME_NAME = household(people=(person("1", "head", HEAD), replace(person("2", "spouse", SPOUSE), name="韦一")))
CASES = {
    # name: (mandate, household, person's place, reason)
    "a member": (GOOD, household(), 0, None),
    "a child by its guardian": (GOOD, household(), 2, None),
    "a member who has not signed": (mandate(no="M", signers=("韦一",)), household(), 1, "not_signed"),
    "a member beside one who has not": (mandate(no="M", signers=("韦一",)), household(), 0, "not_all_signed"),
    "a signature in another form of the name": (
        mandate(no="M", signers=(" 韦一 ", "韦\u3000二")),
        household(),
        0,
        None,
    ),
    "a child without a guardian": (mandate(no="M", guardians=()), household(), 2, "minor_without_guardian"),
    "a parent of a child without a guardian": (
        mandate(no="M", guardians=()),
        household(),
        0,
        "not_all_signed",
    ),
    "a child for whom an agent signed": (
        mandate(no="M", guardians=(), agents=("韦一",)),
        household(),
        2,
        None,
    ),
    "two of one name and one signature": (
        mandate(HEAD, SPOUSE, no="M", signers=("韦一",)),
        SAME_NAME,
        0,
        "not_all_signed",
    ),
    "two of one name and two signatures": (
        mandate(HEAD, SPOUSE, no="M", signers=("韦一", "韦一")),
        SAME_NAME,
        0,
        None,
    ),
    "a relative on the household's form": (GOOD, household(), 3, "person_not_named"),
    "a relative whom the form names": (
        mandate(HEAD, SPOUSE, child_number(), SON, no="M"),
        household(),
        3,
        "relative_without_consent",
    ),
    "a relative for whom an agent signed": (
        consent(signers=("韦一",), agents=("韦四",)),
        household(),
        3,
        "relative_without_consent",
    ),
    "a relative who signed": (consent(), household(), 3, None),
    "a household that changed, national": (GOOD, CHANGED, 0, None),
    "a household that changed, jiangsu": (mandate(no="M", **JIANGSU_FORM), CHANGED, 0, "household_changed"),
    "an unknown wording is strict": (mandate(no="M", template_id="of-99"), CHANGED, 0, "household_changed"),
    "signed again on the day of change": (
        mandate(no="M", **JIANGSU_FORM, valid_from=date(2026, 3, 1)),
        CHANGED,
        0,
        None,
    ),
    "a household that is not on record": (GOOD, None, 0, "household_unknown"),
    "somebody whom the form does not name": (mandate(HEAD, no="M"), household(), 1, "person_not_named"),
}


@pytest.mark.parametrize("name", CASES)
def test_who_may_be_asked_about(name: str) -> None:
    stored, home, place, expected = CASES[name]
    who = (home or household()).people[place]
    assert judge_person(KeptMandate(stored), home, who, TODAY) == expected
    assert expected is None or expected in ALL_REASONS


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (KeptMandate(GOOD, ended="withdrawn"), "revoked"),
        (KeptMandate(GOOD, ended="check_failed"), "lapsed"),
        (KeptMandate(GOOD, office="office_revoked"), "office_revoked"),
    ],
)
def test_a_mandate_that_ended_or_whose_office_may_not(kept: KeptMandate, expected: str) -> None:
    assert judge_person(kept, household(), household().people[0], TODAY) == expected


def test_a_child_is_one_until_its_fourteenth_birthday() -> None:
    """Born on 2020-01-01."""
    child = household().people[2]
    assert child.is_minor(date(2033, 12, 31))
    assert not child.is_minor(date(2034, 1, 1))


def test_the_newest_good_mandate_is_chosen() -> None:
    head = household().people[0]
    old = KeptMandate(mandate(no="OLD", valid_from=date(2025, 1, 1)))
    new = KeptMandate(mandate(no="NEW", valid_from=date(2026, 6, 1)))
    late = KeptMandate(mandate(no="LATE", valid_from=TODAY + timedelta(days=1)))
    assert choose_mandate([old, new, late], household(), head, TODAY) == (new, None)
    assert choose_mandate([late], household(), head, TODAY) == (late, "not_yet_valid")
    assert choose_mandate([], household(), head, TODAY) == (None, "no_mandate")
    relative = household().people[3]
    assert choose_mandate([new], household(), relative, TODAY) == (None, "relative_without_consent")


def test_what_a_mandate_does_not_cover() -> None:
    narrow = KeptMandate(mandate(no="M", items=frozenset({"C21"}), matter="01"))
    use = Use(("C21", "C22"), ("44",), "review", "01", TODAY)
    assert judge_use(narrow, use) == {("C22", "44"): "item_not_covered"}
    assert set(judge_use(narrow, replace(use, matter="")).values()) == {"item_not_covered", "matter_differs"}


def test_every_reason_has_words_in_both_languages() -> None:
    assert set(REASON_WORDS) == set(ALL_REASONS) == {*REASONS, *REASON_WORDS}
    for reason in ALL_REASONS:
        zh, en = reason_text(reason, "zh"), reason_text(reason, "en")
        assert zh != en
        assert not zh.isascii()
        assert en.isascii()
    assert reason_text("of a later version", "zh") == "of a later version"


def test_wordings_and_matters() -> None:
    assert wording_of("national") == NATIONAL
    assert wording_of("Jiangsu-2021") == JIANGSU
    assert wording_of("") == wording_of("jiangsu2021") == OTHER
    assert [is_matter(code) for code in ("01", "90", "91", "99", "00", "1", "０１", "*")] == [True] * 4 + [
        False
    ] * 4
