"""What the guards of a sum show: rows taken more than once, and sums that differ by few (design.md section
5).

A requester chooses what it multiplies. Count, total and squares are linear in its multiplicities m_i, so two
rows taken once and ten times would open as the exact values of two people. Each row has eight secret bits
g_j; with the count c and their totals G_j, x_j = 2 G_j - c is a sum of m_i under random signs, so the mean of
the x_j^2 estimates the sum of the m_i^2: of eleven people 11, of one person taken eleven times 121.

docs/adr/0020 weighs the constants; the simulations that measured them are tests.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import Final

MOST_SQUARES: Final = 5  # times the count: plain sums exceed it 3 times in a million
MOST_MULTIPLE: Final = 5
# p and q of p * (one sum) - q * (another): coprime, so that each proportion is compared once.
MULTIPLES: Final = tuple(
    (p, q) for p in range(1, MOST_MULTIPLE + 1) for q in range(1, MOST_MULTIPLE + 1) if gcd(p, q) == 1
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier sum of the same item; `guards` are empty where they were erased with their epoch.

    `other_rows`: the register was changed since. `other_peer`: it was opened for another peer.
    """

    count: int = field(repr=False)
    guards: tuple[int, ...] = field(repr=False)
    other_rows: bool = False
    other_peer: bool = False


def has_multiples(count: int, guards: Sequence[int]) -> bool:
    """Whether rows were taken several times: the estimate of their squares is far above the count."""
    return sum((2 * guard - count) ** 2 for guard in guards) > MOST_SQUARES * count * len(guards)


def is_near(count: int, guards: tuple[int, ...], earlier: Iterable[Earlier], min_cohort: int) -> bool:
    """Whether a sum could be taken from a multiple of an earlier one, or the reverse, leaving too few
    people.
    """
    return any(_is_near(count, guards, one, min_cohort) for one in earlier)


def _is_near(count: int, guards: tuple[int, ...], one: Earlier, min_cohort: int) -> bool:
    apart = abs(count - one.count)
    if one.other_rows and apart == 0 and one.guards in ((), guards):
        return False  # the same cohort, later
    if one.other_peer and apart >= 2 * min_cohort:
        return False
    if not one.guards:
        return not one.other_peer and apart < min_cohort
    return any(_leaves_few(count, guards, one, pair, 2 * min_cohort) for pair in MULTIPLES)


def _leaves_few(count: int, guards: tuple[int, ...], one: Earlier, pair: tuple[int, int], least: int) -> bool:
    """Whether p * (this sum) - q * (the other) is of fewer than `least` people, as the guards estimate it.

    A common divisor is taken out first: P + 5 (a + b) minus P is a and b, each taken five times.
    """
    p, q = pair
    difference = p * count - q * one.count
    parts = [p * guard - q * other for guard, other in zip(guards, one.guards, strict=True)]
    divisor = gcd(difference, *parts) or 1
    return sum((2 * part - difference) ** 2 for part in parts) < least * len(parts) * divisor**2
