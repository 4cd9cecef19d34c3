"""Households and mandates on record, used in a new check."""

from dataclasses import replace

import pytest

from node.client.platform import Platform
from node.client.records import Records
from node.console import forms
from node.domain.declared import DeclaredHousehold
from tests.support.console import Browser, forms_of
from tests.support.console_site import Site
from tests.support.mandate_lists import HEAD, SON, SPOUSE, child_number, consent, household, mandate

NUMBERS = (HEAD, SPOUSE, SON, child_number())


@pytest.fixture(scope="module")
def records(site: Site) -> Records:
    """A household of the county and its mandates, kept by its preparer; one mandate has ended."""
    platform = Platform.open(site.node.home, f"127.0.0.1:{site.node.platform_port}")
    kept = Records(platform.as_person(site.people["li"].token))
    kept.put_households([household("H77")])
    good = mandate(no="REC-1", household_no="H77", items=frozenset({"C21"}))
    ended = consent("REC-2", household_no="")
    added = kept.add_mandates([good, replace(ended, household_no="H77")])
    assert not added.faults
    kept.end_mandates(["REC-2"])
    return kept


def draft_with(li: Browser) -> str:
    li.get("/households")
    page = li.send("/households", {"number": "H77"})
    return next(action for action in forms_of(page) if action.startswith("/checks/d-"))


def test_a_household_on_record_becomes_a_draft(site: Site, records: Records, li: Browser) -> None:
    assert "H77" in li.get("/households")
    assert not any(number in li.page for number in NUMBERS)
    assert "韦一" not in li.page
    path = draft_with(li)
    page = li.get(path)
    assert page.count("hq-number") == 4
    assert "赡抚扶养义务人（户外）" in page
    assert not any(number in page for number in NUMBERS)


def test_a_mandate_on_record_keeps_its_scope(site: Site, records: Records, li: Browser) -> None:
    path = draft_with(li)
    li.get(f"{path}?step=mandates")
    assert "REC-1" in li.send(path, {"action": "add_recorded", "number": "REC-1"})
    draft = path.rpartition("/")[2]
    kept = site.form(draft)
    assert [one.mandate for one in kept.members] == ["REC-1", "REC-1", "REC-1", ""]
    assert kept.mandates[0].scope_items == ("C21",)
    assert forms.unpack(forms.pack(kept)) == kept


def test_a_relative_stays_outside_the_household(site: Site, records: Records, li: Browser) -> None:
    """What is asked says who is a relative, and the application on record; another household has neither."""
    path = draft_with(li)
    li.get(f"{path}?step=mandates")
    li.send(path, {"action": "add_recorded", "number": "REC-1"})
    kept = site.form(path.rpartition("/")[2])
    filled = replace(
        kept,
        members=tuple(replace(one, mandate="REC-1") for one in kept.members),
        items=("C21",),
        peers=("44",),
    )
    (beside,) = forms.to_verification(filled).declared
    assert beside == DeclaredHousehold("H77", application_no="A-2026-1", relatives=("H77/4",))
    li.get(f"{path}?step=members")
    other = {"household": "H78", "purpose": "new_application", "legal_basis": "SA-2026-41"}
    li.send(path, {"action": "household", **other})
    assert site.form(path.rpartition("/")[2]).application_no == ""
    inside = tuple(replace(one, outside=False) for one in filled.members)
    assert forms.to_verification(replace(filled, members=inside, application_no="")).declared == ()


@pytest.mark.parametrize(("number", "words"), [("REC-2", "已失效"), ("REC-9", "没有这份在册授权书")])
def test_mandates_that_are_not_used(
    site: Site, records: Records, li: Browser, number: str, words: str
) -> None:
    path = draft_with(li)
    li.get(f"{path}?step=mandates")
    assert words in li.send(path, {"action": "add_recorded", "number": number}, status=422)


def test_a_mandate_of_other_people(site: Site, records: Records, li: Browser) -> None:
    li.get("/checks")
    li.send("/checks", {})
    path = next(action for action in forms_of(li.page) if action.startswith("/checks/d-"))
    li.send(path, {"action": "add_member", "name": "韦小明", "id_no": "449999190001010034"})
    li.get(f"{path}?step=mandates")
    assert "不含名单中的人员" in li.send(path, {"action": "add_recorded", "number": "REC-1"}, status=422)
