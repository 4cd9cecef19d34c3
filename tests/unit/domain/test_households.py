"""Households: what is refused, by field and reason; what screens show; what counts as a change."""

from dataclasses import replace
from datetime import date

import pytest

from matcher.types import Identity
from node.domain.households import (
    change,
    fault,
    mask_name,
    mask_number,
    masked,
    pack_household,
    text_fault,
    unpack_household,
)
from tests.support.mandate_lists import HEAD, SON, SPOUSE, household, person

TODAY = date(2026, 7, 1)
LONG = "韦" * 201


def with_head(**changes):
    first, *others = household().people
    return household(people=(replace(first, **changes), *others))


FAULTS = {
    "no number": (household(""), "household_no", "empty"),
    "no application": (household(application_no=""), "application_no", "empty"),
    "a number that is an identity": (household(HEAD), "household_no", "ref_is_identity"),
    "an identity in the application number": (
        household(application_no=f"A{SON}"),
        "application_no",
        "ref_is_identity",
    ),
    "an identity as member number": (with_head(member_no=HEAD), "member_no", "ref_is_identity"),
    "an identity in the name": (with_head(name=f"韦一{SPOUSE}"), "name", "holds_identity"),
    "an old identity in the relation": (
        with_head(relation=HEAD[:6] + HEAD[8:17]),
        "relation",
        "holds_identity",
    ),
    "an identity as guardian": (with_head(guardian=HEAD), "guardian", "holds_identity"),
    "a name of 201 characters": (with_head(name=LONG), "name", "bad_text"),
    "a right-to-left mark": (with_head(name="韦\u202e一"), "name", "bad_text"),
    "a name of two lines": (with_head(name="韦\n一"), "name", "bad_text"),
    "no name": (with_head(name=""), "name", "empty"),
    "an office that is a name": (household(office="民政局"), "office", "bad_office"),
    "nobody": (household(people=()), "people", "bad_count"),
    "relatives only": (household(people=household().people[3:]), "people", "bad_count"),
    "another role": (with_head(role="friend"), "role", "unknown_word"),
    "a province of three digits": (with_head(province="440"), "province", "bad_region"),
    "a person twice": (
        household(people=(person("1", "head", HEAD), person("2", "spouse", HEAD))),
        "id_no",
        "duplicate_person",
    ),
    "a member number twice": (
        household(people=(person("1", "head", HEAD), person("1", "spouse", SPOUSE))),
        "member_no",
        "duplicate_ref",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_refused(name: str) -> None:
    wrong, field, reason = FAULTS[name]
    found = fault(wrong)
    assert found is not None
    assert found[:2] == (field, reason)
    assert not any(value in found[2] for value in (HEAD, SON, SPOUSE, "韦"))
    assert fault(household()) is None


def test_a_formula_is_a_name_like_any_other() -> None:
    """It is stored as text; what writes cells disarms it (node.tabular.csv_writer)."""
    assert text_fault("name", "=cmd|' /C calc'!A0") is None


def test_what_is_sealed_comes_back() -> None:
    home = replace(household(), changed_on=TODAY)
    assert unpack_household(pack_household(home)) == home
    assert HEAD not in repr(home)
    assert "韦" not in repr(home.people[0])


def test_only_other_members_are_a_change() -> None:
    before = household()
    renamed = replace(before, people=tuple(replace(one, name="覃一") for one in before.people))
    assert change(before, renamed, TODAY).changed_on is None
    without_relative = replace(before, people=before.people[:3])
    assert change(before, without_relative, TODAY).changed_on is None
    fewer = replace(before, people=before.people[1:])
    assert change(before, fewer, TODAY).changed_on == TODAY
    assert change(replace(fewer, changed_on=TODAY), fewer, date(2026, 8, 1)).changed_on == TODAY


def test_what_screens_show() -> None:
    assert mask_number("450103199001010012") == "450103********0012"
    assert mask_number("XXX999990010112") == "XXX999*****0112"
    assert mask_name("韦小宝") == "韦＊＊"
    assert mask_name("韦") == "韦＊"
    assert mask_name("") == ""
    shown = masked(household())
    assert not any(one.value in {HEAD, SPOUSE, SON} for each in shown.people for one in each.identities)
    assert [one.name for one in shown.people] == ["韦＊"] * 4


def test_a_birthday_is_in_the_number_or_stated() -> None:
    assert person("1", "head", HEAD).birthday() == date(1990, 1, 1)
    old = Identity("foreign-permit-old", "XXX999990010112")
    assert replace(person("1", "head", HEAD), identities=(old,)).birthday() is None
    assert replace(person("1", "head", HEAD), identities=(old,), born=TODAY).birthday() == TODAY
