"""When a requester returns no more sums: the rule, and what an attack on what it allows comes to."""

from math import log

import numpy as np
import pytest

from matcher.sums.exposure import OpenedSet, count_equations, item_equations, may_open

ROWS = [number.to_bytes(16, "big") for number in range(4_000)]
BANDS = item_equations(6)


def rows(first, count):
    return OpenedSet(frozenset(ROWS[first : first + count]), BANDS)


def test_equations_of_an_item():
    assert (item_equations(6), item_equations(0)) == (7, 2)


def test_one_set_is_counted_once_and_each_opening_of_it():
    one = rows(0, 40)
    assert count_equations(one, []) == 9 + 7
    assert count_equations(one, [one, one]) == 9 + 3 * 7
    assert count_equations(one, [OpenedSet(one.rows, 2)]) == 9 + 7 + 2


SETS = [(20, 40, True), (21, 40, False), (35, 10, True), (36, 9, False), (0, 4_000, True), (100, 40, False)]


@pytest.mark.parametrize(("first", "count", "related"), SETS)
def test_sets_that_share_half_of_the_smaller_count(first, count, related):
    assert count_equations(rows(0, 40), [rows(first, count)]) == (32 if related else 16)


def test_six_openings_of_thirty_in_a_thousand_are_allowed():
    """The figures of design.md section 5."""
    one = rows(0, 30)
    allowed = [may_open(one, [one] * before, 1_024) for before in range(10)]
    assert allowed == [True] * 6 + [False] * 4


SIDES = [
    (0, 1_000, False),
    (30, 30, False),
    (970, 1_000, True),
    (995, 1_000, False),
    (30, 100, True),
    (30, 80, False),
]


@pytest.mark.parametrize(("count", "fetched", "allowed"), SIDES)
def test_the_smaller_side_counts(count, fetched, allowed):
    """Few who are missing are as telling as few who are there."""
    least = min(count, fetched - count)
    assert may_open(rows(0, count), [], fetched) is allowed
    assert allowed is (least > 0 and 0.5 * least * log(fetched / least) >= 16)


# What a curious responder gets: every opening is linear equations about a set of its own rows, which it
# solves for a vector that is nowhere negative. Such vectors tend to be sparse. It is not the best attack.


def solve(equations, totals):
    """Non-negative least squares (Lawson and Hanson 1974)."""
    size = equations.shape[1]
    found, chosen, gain = np.zeros(size), np.zeros(size, bool), equations.T @ totals
    for _ in range(400):
        if chosen.all() or gain[~chosen].max() < 1e-9:
            break
        chosen[np.argmax(np.where(chosen, -np.inf, gain))] = True
        while True:
            tried = np.zeros(size)
            tried[chosen] = np.linalg.lstsq(equations[:, chosen], totals, rcond=None)[0]
            below = chosen & (tried <= 0)
            if not below.any():
                break
            found = found + (found[below] / (found[below] - tried[below])).min() * (tried - found)
            chosen &= found > 1e-12
        found = tried
        gain = equations.T @ (totals - equations @ found)
    return found


def named(rng, size, matches, openings):
    """The share of the matches that are named, by openings of as many items with six bands each."""
    found = [np.ones(size), *rng.integers(0, 2, (8, size))]
    for _ in range(openings):
        values = rng.lognormal(11, 0.6, size)
        bands = np.digitize(values, np.quantile(values, [0.1, 0.3, 0.5, 0.7, 0.9]))
        found += [values, values**2, *(bands == band for band in range(5))]
    equations = np.array(found, dtype=float)
    equations /= np.linalg.norm(equations, axis=1)[:, None]
    who = rng.choice(size, matches, replace=False)
    solution = solve(equations, equations[:, who].sum(axis=1))
    return np.isin(np.argsort(-solution)[:matches], who).mean()


def test_two_matches_are_named_by_one_opening():
    """S4: two numbers of 1,200 are known by their sum and the sum of their squares; so `min_opened`."""
    rng = np.random.default_rng(8)
    values = rng.integers(1_000_000, 16_000_000, 1_200)
    who = sorted(rng.choice(1_200, 2, replace=False).tolist())
    sums, squares = (np.triu(each[:, None] + each[None, :], 1) for each in (values, values**2))
    found = np.argwhere((sums == values[who].sum()) & (squares == (values[who] ** 2).sum()))
    assert found.tolist() == [who]


@pytest.mark.long
def test_thirty_matches_are_not_named_by_what_is_allowed():
    """One opening, and the six that are allowed; more than twice as many would name many."""
    rng = np.random.default_rng(9)
    assert np.mean([named(rng, 1_024, 30, 1) for _ in range(4)]) < 0.15
    assert np.mean([named(rng, 1_024, 30, 6) for _ in range(4)]) < 0.25
    assert named(rng, 1_024, 30, 14) > 0.4
