"""Disclosure control on plain numbers: what each rule suppresses and releases."""

from fractions import Fraction
from statistics import pvariance

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from matcher.errors import DisclosureError
from matcher.sums import disclosure
from matcher.sums.disclosure import Released, Rules, Suppressed, judge, judge_noisy, judge_opened
from matcher.sums.guards import Earlier
from matcher.sums.slots import Totals

RULES = Rules()


def totals(values, bands=()):
    return Totals(len(values), sum(values), sum(v * v for v in values), tuple(bands), fair(len(values)), 0)


def fair(count):
    """Guards as of rows that are each taken once: about half of the rows have each bit."""
    return tuple(count // 2 + step for step in (0, 1, 0, 1, 0, 1, 0, 1))


@given(st.lists(st.integers(0, 10**9), min_size=10, max_size=40))
def test_released_numbers_are_plain_numbers(values):
    judged = judge(totals(values), RULES)
    assume(isinstance(judged, Released))
    assert (judged.count, judged.total) == (len(values), sum(values))
    assert abs(judged.variance - pvariance(map(Fraction, values))) <= Fraction(1, 2)
    assert abs(judged.deviation**2 - judged.variance) <= judged.deviation + 1


@pytest.mark.parametrize("count", range(10))
def test_small_cohorts(count):
    assert judge(totals(list(range(count))), RULES) == Suppressed("min_cohort")


def test_the_smallest_cohort_allowed():
    assert isinstance(judge(totals(list(range(10))), RULES), Released)


@pytest.mark.parametrize("values", [[7] * 12, [0] * 12])
def test_equal_values(values):
    assert judge(totals(values), RULES) == Suppressed("no_variance")


@pytest.mark.parametrize(
    ("earlier", "stopped"),
    [((), False), ((40,), False), ((30,), False), ((29,), True), ((20,), True), ((11, 300), True)],
)
def test_differences_of_few_where_only_counts_are_left(earlier, stopped):
    judged = judge(totals(list(range(20))), RULES, [Earlier(count, ()) for count in earlier])
    assert (judged == Suppressed("differencing")) is stopped


def test_one_row_many_times_is_named_before_anything_else():
    """Also below the minimum cohort, and under noise."""
    for count in (6, 40, 65_536):
        one = Totals(count, 0, 0, (), (count, 0, count, count, 0, 0, count, 0), 0)
        assert judge_opened(one, count, RULES) == Suppressed("multiplicity")
        assert judge_noisy(one, count, 10) == Suppressed("multiplicity")


@pytest.mark.parametrize(
    ("values", "stopped"),
    [
        ([10**6] + [1] * 20, True),
        ([75] + [1] * 25, True),
        ([50] + [2] * 30, False),
        ([100, 99] + [1] * 20, False),
        (list(range(30)), False),
    ],
)
def test_dominance(values, stopped):
    assert (judge(totals(values), RULES) == Suppressed("dominance")) is stopped


@given(
    st.lists(st.integers(0, 1000), min_size=10, max_size=14),
    st.sampled_from([0.2, 0.25, 0.5, 0.9, 1.0]),
)
def test_dominance_never_accuses_wrongly(values, share):
    """Every suppressed sum has a contribution above the share."""
    if judge(totals(values), Rules(dominance_share=share)) == Suppressed("dominance"):
        assert max(values) > share * sum(values)


@given(st.integers(1, 10**6), st.lists(st.integers(0, 1000), min_size=9, max_size=14))
def test_dominance_by_far_is_seen(top, rest):
    if top * top > 0.5 * (top + sum(rest)) ** 2:
        assert judge(totals([top, *rest]), RULES) == Suppressed("dominance")


@pytest.mark.parametrize(("base", "total"), [(1, 145), (10, 150), (100, 100), (1000, 0)])
def test_rounding(base, total):
    judged = judge(totals([*range(10), *range(10, 20, 2), 30]), Rules(rounding=base))
    assert judged.total == total
    assert judged.variance % base**2 == 0


CELLS = [
    ((20, 30, 0), (20, 30, 0)),
    ((20, 1, 0, 30), (None, None, 0, 30)),
    ((20, 1, 1, 30), (None, None, None, 30)),
    ((20, 2, 3, 30), (20, None, None, 30)),
    ((2, 48), (None, None)),
    ((0, 50, 0), (None, None, None)),
    ((5, 45), (5, 45)),
    ((4, 46), (None, None)),
    ((), ()),
]


@pytest.mark.parametrize(("bands", "shown"), CELLS)
def test_small_cells(bands, shown):
    judged = judge(totals([*range(50)], bands), RULES)
    assert judged.bands == shown
    assert judged.total == sum(range(50))


@example([0, 1, 1], 3)
@given(st.lists(st.integers(0, 12), min_size=2, max_size=8), st.integers(1, 6))
def test_hidden_cells_cannot_be_taken_back(bands, least):
    shown = disclosure.shown_bands(tuple(bands), least)
    hidden = [number for number, cell in zip(bands, shown, strict=True) if cell is None]
    assert all(number == 0 or number >= least for number in shown if number is not None)
    assert all(cell in (None, number) for number, cell in zip(bands, shown, strict=True))
    assert not hidden or None not in shown or len(hidden) > 1
    assert shown.count(None) in (0, len(bands)) or sum(hidden) >= least


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_cohort": 2},
        {"dominance_share": 0.0},
        {"dominance_share": 1.5},
        {"dominance_share": float("nan")},
        {"rounding": 0},
        {"min_cell": 0},
    ],
)
def test_rules_that_make_no_sense(wrong):
    with pytest.raises(DisclosureError):
        Rules(**wrong)


def test_only_known_rules_suppress():
    with pytest.raises(DisclosureError):
        Suppressed("by 3 people")


def test_numbers_do_not_show():
    assert "190" not in repr(judge(totals(list(range(20))), RULES))
