"""The guards of sums: what takes rows several times or leaves few is found, honest sums are hardly ever
refused.

The guards of a row are eight fair coins, so their totals are drawn here, not computed from rows.
"""

from math import gcd, lgamma, log

import numpy as np
import pytest

from matcher.sums.guards import MOST_SQUARES, MULTIPLES, Earlier, has_multiples, is_near

LEAST = 10  # the minimum cohort of the catalogue
FALSE_ALARMS = 1e-5


def draw(rng, people, trials):
    """Totals of the guards of so many people, each taken once: (trials, 8)."""
    return rng.binomial(people, 0.5, (trials, 8))


def refused(count, guards, other, other_guards, **more):
    """How many of some pairs are refused as too near."""
    pairs = zip(guards.tolist(), other_guards.tolist(), strict=True)
    return sum(is_near(count, tuple(a), [Earlier(other, tuple(b), **more)], LEAST) for a, b in pairs)


def false_alarm(count):
    """The exact probability that a plain sum of so many people is taken for one of multiples.

    The distribution of a squared coin total, eight of which are added: by Fourier, as far as no alarm goes.
    """
    ones = np.arange(count + 1)
    choose = np.array([lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1) for k in ones])
    squares, most = (2 * ones - count) ** 2, 8 * MOST_SQUARES * count
    one = np.zeros(most + 1)
    near = squares <= most
    np.add.at(one, squares[near], np.exp(choose[near] - count * log(2)))
    size = 1 << (8 * most).bit_length()
    # Parts above `most` stay above it, whatever is added, so each product is cut off there.
    for _ in range(3):
        one = np.fft.irfft(np.fft.rfft(one, size) ** 2, size)[: most + 1]
    return 1 - one.sum()


@pytest.mark.parametrize("count", [1, 2, 5, 10, 11, 12, 15, 20, 30, 50, 100, 300, 1000, 5000])
def test_false_alarms_of_plain_sums(count):
    """Three in a million at most."""
    assert false_alarm(count) < FALSE_ALARMS / 3


@pytest.mark.parametrize("trials", [40_000, pytest.param(4_000_000, marks=pytest.mark.long)])
def test_false_alarms_of_simulated_sums(trials):
    """The same by drawing, over cohorts of 10 to 5,000; two in 40,000 would come once in a hundred runs."""
    rng, found = np.random.default_rng(14), 0
    for _ in range(max(trials // 100_000, 1)):
        some = min(trials, 100_000)
        counts = np.exp(rng.uniform(np.log(10), np.log(5000), some)).astype(int)
        guards = rng.binomial(counts[:, None], 0.5, (some, 8))
        estimates = ((2 * guards - counts[:, None]) ** 2).sum(axis=1)
        found += int((estimates > 8 * MOST_SQUARES * counts).sum())
    assert found <= max(1, 3 * trials * FALSE_ALARMS / 3)
    assert not has_multiples(int(counts[0]), guards[0].tolist())


def test_the_judgement_is_that_of_the_simulation():
    """On whole numbers, at the bound."""
    assert not has_multiples(20, (10 + 5,) * 8)  # (2 * 15 - 20)^2 = 100 = 5 * 20
    assert has_multiples(20, (10 + 5,) * 7 + (10 + 6,))


def taken(rng, times, trials):
    """Totals of the guards of people taken several times each: (trials, 8)."""
    bits = rng.integers(0, 2, (trials, 8, len(times)))
    return bits @ np.array(times)


@pytest.mark.parametrize("times", [(1, 10), (6,), (12,), (1000,), (65_536,), (1, 1, 20)])
def test_few_people_many_times_are_always_found(times):
    """S1, S2: every rule was satisfied, and each person's value could be read from the total."""
    guards = taken(np.random.default_rng(1), times, 2_000)
    assert all(has_multiples(sum(times), row) for row in guards.tolist())


def test_a_ladder_of_multiples_is_found():
    """1, 2, 4 ... 1024 times: eleven people whose values are digits of one total."""
    times = [1 << at for at in range(11)]
    guards = taken(np.random.default_rng(2), times, 2_000)
    assert all(has_multiples(sum(times), row) for row in guards.tolist())


PEOPLE = [10, 30, 50, 120]


@pytest.mark.parametrize("people", PEOPLE)
@pytest.mark.parametrize(
    ("times", "more"),
    [
        (1, (1,)),
        (1, (5,)),
        (2, (1,)),
        (3, (1,)),
        (4, (3,)),
        (5, (1,)),
        (1, (5, 5)),  # by their common divisor
        (1, (1,) * 4),
        (1, (2,) * 4),
        (2, (4,) * 4),
        (1, (-1,)),
        (1, (-1, 1)),  # another person in one's place
        (1, ()),
    ],
)
def test_sums_that_leave_few_are_never_released(people, times, more):
    """S5: P then P + 5a, P then 2P + a, and others; in either order."""
    rng = np.random.default_rng(people)
    first, few = draw(rng, people, 500), taken(rng, more, 500) if more else np.zeros((500, 8), int)
    second, count = times * first + few, times * people + sum(more)
    assert refused(count, second, people, first) == 500
    assert refused(people, first, count, second) == 500


def test_nine_more_are_nearly_always_found():
    """They are estimated as twenty or more, and are then released, once in fifty times."""
    rng = np.random.default_rng(4)
    first = draw(rng, 100, 2_000)
    assert refused(109, first + draw(rng, 9, 2_000), 100, first) > 1_920


@pytest.mark.parametrize(
    ("one", "other", "shared", "most"),
    [
        (50, 50, 0, 0.02),
        (50, 100, 0, 0.02),
        (30, 30, 0, 0.08),
        (100, 100, 0, 0.005),
        (300, 300, 150, 0.005),
        (5000, 5000, 0, 0.001),
    ],
)
@pytest.mark.parametrize("pairs", [3_000, pytest.param(60_000, marks=pytest.mark.long)])
def test_honest_pairs_are_seldom_refused(one, other, shared, most, pairs):
    rng = np.random.default_rng(one + other)
    both = draw(rng, shared, pairs)
    first, second = draw(rng, one - shared, pairs) + both, draw(rng, other - shared, pairs) + both
    assert refused(one, first, other, second) < most * pairs


def test_the_same_cohort_later_is_allowed():
    """Its count and all its guards are the same and the register has changed; by the count alone in an older
    epoch. Under the same rows it would be the same answer.
    """
    guards = (5, 6, 4, 7, 5, 5, 6, 4)
    for earlier in (guards, ()):
        assert not is_near(11, guards, [Earlier(11, earlier, other_rows=True)], LEAST)
        assert is_near(11, guards, [Earlier(11, earlier)], LEAST)
    changed = (6, *guards[1:])
    assert is_near(11, guards, [Earlier(11, changed, other_rows=True)], LEAST)


def test_counts_alone_are_compared_after_the_epoch():
    assert is_near(50, (25,) * 8, [Earlier(41, ())], LEAST)
    assert not is_near(50, (25,) * 8, [Earlier(40, ())], LEAST)
    assert is_near(50, (25,) * 8, [Earlier(41, (), other_rows=True)], LEAST)


def test_sums_of_other_peers_are_compared_where_the_counts_are_close():
    rng = np.random.default_rng(7)
    first = draw(rng, 50, 200)
    added = first + taken(rng, (1,), 200)
    assert refused(51, added, 50, first, other_peer=True) == 200
    many = first + draw(rng, 20, 200)
    assert refused(70, many, 50, first, other_peer=True) == 0
    assert not is_near(50, (25,) * 8, [Earlier(50, (), other_peer=True)], LEAST)


def test_each_proportion_is_compared_once():
    assert len(MULTIPLES) == len({p / q for p, q in MULTIPLES}) == 19
    assert all(gcd(p, q) == 1 and max(p, q) <= 5 for p, q in MULTIPLES)


def test_what_remains_three_sums_tell_one_person():
    """A, B, and both with one more: no two of them are near. Budgets bound it (docs/threat-model.md)."""
    rng = np.random.default_rng(3)
    one, other, person = draw(rng, 60, 300), draw(rng, 80, 300), taken(rng, (1,), 300)
    together = one + other + person
    earlier = [
        [Earlier(60, tuple(a)), Earlier(80, tuple(b))]
        for a, b in zip(one.tolist(), other.tolist(), strict=True)
    ]
    found = [
        is_near(141, tuple(row), some, LEAST) for row, some in zip(together.tolist(), earlier, strict=True)
    ]
    assert sum(found) < 30
