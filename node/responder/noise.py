"""Figures with noise: the mode `dp` of a sum (design.md section 5). OpenDP draws the noise.

Whole numbers with discrete Laplace noise. A person adds at most 1 to the count, at most `max_contribution`
to the total (rows are capped at it when they are made) and 1 to one cell of the histogram, so the answer is
epsilon-differentially private for adding or removing a person, the budget being split evenly.
"""

import importlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from matcher.sums.slots import Totals


@dataclass(frozen=True, slots=True)
class Noisy:
    """Figures that may be below zero; the cells of `bands` need not add up to `count`."""

    count: int = field(repr=False)
    total: int = field(repr=False)
    bands: tuple[int, ...] = field(repr=False)


def add_noise(totals: Totals, max_contribution: int, epsilon: float) -> Noisy:
    """Count, total and histogram with noise of `epsilon` altogether."""
    share = epsilon / (3 if totals.bands else 2)
    return Noisy(
        count=_draw([totals.count], 1, share)[0],
        total=_draw([totals.total], max_contribution, share)[0],
        bands=tuple(_draw(list(totals.bands), 1, share)) if totals.bands else (),
    )


@cache
def _opendp() -> Any:
    """Loaded by the first sum with noise: loading takes half a second."""
    library = importlib.import_module("opendp.prelude")
    library.enable_features("contrib")
    return library


def _draw(numbers: list[int], sensitivity: int, epsilon: float) -> list[int]:
    dp = _opendp()
    domain = dp.vector_domain(dp.atom_domain(T=dp.i64))
    noise = dp.m.make_laplace(domain, dp.l1_distance(T=dp.i64), scale=sensitivity / epsilon)
    found: list[int] = noise(numbers)
    return found
