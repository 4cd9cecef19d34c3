"""Groups of rows by area: large enough, or the rest of a province."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.sums.groups import NO_AREA, choose_groups, covering_group, longest_prefix


@given(st.dictionaries(st.integers(110000, 659999), st.integers(1, 50), max_size=30), st.integers(1, 40))
def test_groups_hold_enough_or_are_the_rest_of_a_province(areas, least):
    group_of = choose_groups(areas, least)
    assert group_of.keys() == areas.keys()
    sizes = Counter()
    for area, prefix in group_of.items():
        assert str(area).startswith(prefix)
        sizes[prefix] += areas[area]
    assert all(count >= least for prefix, count in sizes.items() if len(prefix) > 2)


def test_documents_without_an_area_are_one_group():
    assert choose_groups({0: 1, 449999: 9}, 5) == {0: NO_AREA, 449999: "449999"}
    assert choose_groups({0: 0}, 5) == {}


@pytest.mark.parametrize(
    ("prefixes", "area", "group"),
    [
        (("449999", "4499", "44"), 449999, "449999"),
        (("4499", "44"), 449999, "4499"),
        (("459999",), 449999, "44"),
        ((), 449999, "44"),
        (("449999",), 0, NO_AREA),
    ],
)
def test_the_group_that_holds_an_area(prefixes, area, group):
    assert covering_group(prefixes, area) == group


def test_no_prefix_covers_an_area():
    assert longest_prefix(("45", "4599"), "449999") is None
    assert longest_prefix((NO_AREA,), NO_AREA) == NO_AREA
