"""How items may be summed: defaults by sensitivity, and what is refused when a catalogue is loaded."""

from dataclasses import replace

import pytest

from node.domain.catalogue import BUILT_IN, load
from node.domain.sum_rules import SumForm, build
from node.errors import ConfigError
from node.requester.sum_limits import fewest_rows

PLAIN = SumForm()
CAPPED = SumForm(max_contribution=1_000)


@pytest.mark.parametrize(("sensitivity", "mode", "cell"), [("P", "exact", 5), ("SP", "exact", 5),
                                                           ("SF", "dp", 10), ("SM", "dp", 10)])  # fmt: skip
def test_defaults_by_sensitivity(sensitivity, mode, cell):
    rule = build(CAPPED if mode == "dp" else PLAIN, sensitivity, ())
    assert (rule.mode, rule.min_cell, rule.min_cohort) == (mode, cell, 10)


def test_a_sensitive_item_needs_a_cap_or_is_said_to_be_exact():
    with pytest.raises(ValueError, match="max_contribution"):
        build(PLAIN, "SM", ())
    assert build(SumForm(mode="exact"), "SM", ()).mode == "exact"


@pytest.mark.parametrize(("sensitivity", "cell"), [("SP", 4), ("SM", 9)])
def test_no_smaller_cell_than_the_least(sensitivity, cell):
    with pytest.raises(ValueError, match=f"min_cell must be {cell + 1} or more for {sensitivity}"):
        build(SumForm(mode="exact", min_cell=cell), sensitivity, ())
    assert build(SumForm(mode="exact", min_cell=cell + 20), sensitivity, ()).min_cell == cell + 20


def test_a_query_that_costs_more_than_all_there_is_to_spend_is_no_rule():
    with pytest.raises(ValueError, match="epsilon_milli is above epsilon_milli_period"):
        build(SumForm(epsilon_milli=600, epsilon_milli_period=599), "SP", ())


def test_at_most_seventeen_bands_fit():
    assert build(PLAIN, "SP", tuple(range(1, 17))).layout.slots == 23
    with pytest.raises(ValueError, match="24 slots of 128 bits do not fit"):
        build(PLAIN, "SP", tuple(range(1, 18)))


def test_a_layout_that_does_not_fit_is_refused_with_the_catalogue(tmp_path):
    path = tmp_path / "catalogue.toml"
    bounds = "[1_200_000, 3_600_000, 6_000_000, 9_600_000, 14_400_000]"
    text = BUILT_IN.read_text(encoding="utf-8")
    assert bounds in text
    path.write_text(text.replace(bounds, str(list(range(1, 18)))), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"B11: its slots do not fit"):
        load(path)


def test_medical_spending_has_noise_and_wages_do_not():
    modes = {item.code: item.sum.mode for item in load().items if item.sum}
    assert {code: modes[code] for code in ("D32m", "B11", "D35")} == {
        "D32m": "exact",
        "B11": "exact",
        "D35": "dp",
    }
    assert {modes[one.code] for one in load().items if one.sum and one.sensitivity in ("SF", "SM")} == {"dp"}


def test_the_packing_is_of_form_bands_and_cap(monkeypatch):
    rule = build(PLAIN, "SP", (5, 10))
    same = replace(rule, min_cohort=99, min_cell=77, epsilon_milli=3)
    others = [replace(rule, bands=(5,)), replace(rule, max_contribution=7)]
    assert same.packing == rule.packing
    before = rule.packing
    assert len({before, *(one.packing for one in others)}) == 3
    monkeypatch.setattr("matcher.sums.slots.FORMAT", 3)
    assert rule.packing != before


def test_a_requester_returns_no_fewer_than_the_larger_of_both_rules():
    rule = build(PLAIN, "SP", ())
    assert (fewest_rows(rule, 30), fewest_rows(rule, 3)) == (30, 10)
