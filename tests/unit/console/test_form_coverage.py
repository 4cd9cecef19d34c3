"""What authorisations of a new check do not permit, before it is sent."""

from dataclasses import replace
from datetime import date

import pytest

from node.console import forms
from node.console.form_coverage import Uncovered, find_uncovered
from node.console.forms import Authorisation, CheckForm, Member

TODAY = date(2026, 6, 1)
MANDATE = Authorisation("M1", ("韦一",), "马山县民政局", "ab" * 32, "2026-01-01", "2026-12-31", "", ("1",))
MEMBER = Member("1", "韦一", "449999190001010034")


def form_of(mandate: Authorisation) -> CheckForm:
    blank = CheckForm(household="H1", items=("C21", "Z59b"), peers=("44", "33"))
    return forms.add_mandate(forms.add_member(blank, MEMBER), mandate)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"valid_to": "2026-05-31"}, "expired"),
        ({"valid_from": "2026-06-02"}, "not_yet_valid"),
        ({"programme": "review"}, "programme_differs"),
        ({"matter": "01"}, "matter_differs"),
        ({"scope_items": ("D34",)}, "item_not_covered"),
        ({"scope_regions": ("51",)}, "region_not_covered"),
    ],
)
def test_nothing_is_left_to_ask(changes: dict, why: str) -> None:
    (found,) = find_uncovered(form_of(replace(MANDATE, **changes)), (), TODAY)
    assert found == Uncovered("1", why, ("C21", "Z59b"), ("44", "33"), nothing=True)


def test_some_is_left() -> None:
    found = find_uncovered(form_of(replace(MANDATE, scope_items=("C21",), scope_regions=("44",))), (), TODAY)
    assert found == [
        Uncovered("1", "region_not_covered", ("C21",), ("33",), nothing=False),
        Uncovered("1", "item_not_covered", ("Z59b",), ("44", "33"), nothing=False),
    ]


def test_an_item_that_only_its_name_covers() -> None:
    (found,) = find_uncovered(form_of(MANDATE), {"Z59b"}, TODAY)
    assert (found.why, found.items, found.nothing) == ("item_not_covered", ("Z59b",), False)
    named = replace(MANDATE, scope_items=("*", "Z59b"))
    assert find_uncovered(form_of(named), {"Z59b"}, TODAY) == []


def test_all_is_covered_and_who_has_no_mandate_is_named_elsewhere() -> None:
    form = form_of(MANDATE)
    assert find_uncovered(form, (), TODAY) == []
    assert find_uncovered(forms.remove_mandate(form, "M1"), (), TODAY) == []
