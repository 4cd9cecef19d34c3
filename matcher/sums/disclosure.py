"""Disclosure control: which part of a sum may leave the node, decided from totals (design.md section 5).

A refusal names a rule, never by how much it was missed. The node keeps the privacy budgets and uses the same
words. docs/threat-model.md describes what these rules cannot detect.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt
from typing import Final

from matcher.errors import DisclosureError
from matcher.sums.guards import Earlier, has_multiples, is_near
from matcher.sums.slots import Totals

MIN_COHORT: Final = "min_cohort"
NO_VARIANCE: Final = "no_variance"
DOMINANCE: Final = "dominance"
MULTIPLICITY: Final = "multiplicity"
DIFFERENCING: Final = "differencing"
SMALL_CELL: Final = "small_cell"
PRIVACY_BUDGET: Final = "privacy_budget"
INCONSISTENT: Final = "inconsistent"
# Every rule that can suppress a sum, or a cell of it.
RULES = (
    MIN_COHORT,
    MULTIPLICITY,
    NO_VARIANCE,
    DOMINANCE,
    DIFFERENCING,
    SMALL_CELL,
    PRIVACY_BUDGET,
    INCONSISTENT,
)
LEAST_COHORT = 3  # with two contributors each can compute the other's value


@dataclass(frozen=True)
class Rules:
    """An item's rules. Raises DisclosureError for numbers that would switch a rule off.

    min_cohort: fewest contributors. dominance_share: in (0, 1], the share of the total that no single
    contribution may be forced to exceed. rounding: totals are multiples of it (1: exact). min_cell: fewest
    people in a band that is shown; an empty band is shown too.
    """

    min_cohort: int = 10
    dominance_share: float = 0.5
    rounding: int = 1
    min_cell: int = 5

    def __post_init__(self) -> None:
        if self.min_cohort < LEAST_COHORT:
            raise DisclosureError(f"the minimum cohort must be {LEAST_COHORT} or more")
        if not 0 < self.dominance_share <= 1:
            raise DisclosureError("the dominance share must be above 0 and at most 1")
        if self.rounding < 1 or self.min_cell < 1:
            raise DisclosureError("rounding base and smallest cell must be 1 or more")


@dataclass(frozen=True)
class Released:
    """A permitted answer: the count, the rounded total and variance, a number or None for each band.

    `variance` is of the population, in the unit squared; None is a cell suppressed as `small_cell`.
    """

    count: int = field(repr=False)
    total: int = field(repr=False)
    variance: int = field(repr=False)
    bands: tuple[int | None, ...] = field(repr=False)

    @property
    def deviation(self) -> int:
        """The standard deviation to the nearest unit."""
        return (isqrt(4 * self.variance) + 1) // 2


@dataclass(frozen=True)
class Suppressed:
    """A suppressed answer: only the name of the rule, one of RULES."""

    rule: str

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise DisclosureError("unknown disclosure rule")


def judge_opened(
    totals: Totals | None, asked: int, rules: Rules, earlier: Iterable[Earlier] = ()
) -> Released | Suppressed:
    """`judge` of decrypted totals (see `cohort.open_totals`); `asked` is the size of the cohort."""
    allowed = _judge_rows(totals, asked, rules.min_cohort)
    return allowed if isinstance(allowed, Suppressed) else judge(allowed, rules, earlier)


def judge_noisy(totals: Totals | None, asked: int, min_cohort: int) -> Totals | Suppressed:
    """The totals to which noise may be added, or the rule that suppresses them.

    Noise hides a person who is counted once, so nobody may be counted many times.
    """
    return _judge_rows(totals, asked, min_cohort)


def _judge_rows(totals: Totals | None, asked: int, min_cohort: int) -> Totals | Suppressed:
    """What both modes require. Multiples come first: they are an alert, however few people they are of."""
    if totals is None or totals.count > asked:
        return Suppressed(INCONSISTENT)
    if has_multiples(totals.count, totals.guards):
        return Suppressed(MULTIPLICITY)
    return totals if totals.count >= min_cohort else Suppressed(MIN_COHORT)


def judge(totals: Totals, rules: Rules, earlier: Iterable[Earlier] = ()) -> Released | Suppressed:
    """Which part of consistent totals may be answered.

    `earlier` are the sums opened before that one of this item could be taken from, also those that were
    suppressed.
    """
    count, total, squares = totals.count, totals.total, totals.squares
    if count < rules.min_cohort:
        return Suppressed(MIN_COHORT)
    if is_near(count, totals.guards, earlier, rules.min_cohort):
        return Suppressed(DIFFERENCING)
    if count * squares == total * total:
        return Suppressed(NO_VARIANCE)
    if _is_dominated(total, squares, Fraction(rules.dominance_share)):
        return Suppressed(DOMINANCE)
    spread = Fraction(count * squares - total * total, count * count)
    return Released(
        count,
        _rounded(Fraction(total), rules.rounding),
        _rounded(spread, rules.rounding**2),
        shown_bands(totals.bands, rules.min_cell),
    )


def _is_dominated(total: int, squares: int, share: Fraction) -> bool:
    """Whether some contribution must exceed `share` of the total, whatever the others are.

    If none exceeds m = share * total, the squares are greatest with as many contributions of m as fit and one
    of the rest. More than that, and one contribution must be greater.
    """
    bound = share * total
    full = total // bound
    return squares > full * bound**2 + (total - full * bound) ** 2


def _rounded(number: Fraction, base: int) -> int:
    """The nearest multiple of `base`, halves upward."""
    return (2 * number + base) // (2 * base) * base


def shown_bands(bands: tuple[int, ...], least: int) -> tuple[int | None, ...]:
    """The histogram without small cells.

    With a small cell others are hidden, the smallest first, until at least two hidden cells hold
    `least` people together: otherwise count minus the shown cells would reveal it. If all people are in
    one band nothing is shown, since that would reveal everyone's band.
    """
    filled = sorted((number, at) for at, number in enumerate(bands) if number)
    if len(filled) < 2:
        return (None,) * len(bands)
    hidden: list[tuple[int, int]] = []
    for number, at in filled:
        if number >= least and (not hidden or (len(hidden) > 1 and sum(n for n, _ in hidden) >= least)):
            break
        hidden.append((number, at))
    if sum(number for number, _ in hidden) < least and hidden:
        return (None,) * len(bands)  # even together they are too few
    kept_back = {at for _, at in hidden}
    return tuple(None if at in kept_back else number for at, number in enumerate(bands))
