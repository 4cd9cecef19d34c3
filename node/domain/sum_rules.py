"""How an item may be summed: part of the catalogue (design.md section 5, docs/catalogue.md)."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

from blake3 import blake3
from pydantic import BaseModel, ConfigDict, Field

from matcher.errors import MatcherError
from matcher.sums import slots
from matcher.sums.disclosure import Rules
from matcher.sums.slots import Layout

STATISTICS = "statistics"  # the purpose of a query whose answer names nobody

MODULUS_BITS = 3072
MILLI = 1000
SENSITIVE = ("SF", "SM")  # sensitive financial and medical data
LEAST_CELL, LEAST_SENSITIVE_CELL = 5, 10
KEPT_DAYS = 400  # counts of opened sums, so that nobody has to wait a month to take two from each other


@dataclass(frozen=True, slots=True)
class SumRule:
    """Disclosure control of one item. No floats, so that its digest is the same on all nodes.

    `mode` is `exact` or `dp`. `bands` are the bounds of the histogram, in the unit of the item, from the
    published table `table`; without one there is no histogram. `min_cohort` contributors at least; no
    contribution may exceed `dominance_percent` of the total; figures are rounded to multiples of `rounding`;
    histogram cells under `min_cell` are not shown. In mode `dp` a peer
    spends `epsilon_milli` thousandths at a time and at most `epsilon_milli_period` in 30 days, with no
    contribution counted above `max_contribution`.
    """

    mode: str
    table: str | None
    bands: tuple[int, ...]
    min_cohort: int
    dominance_percent: int
    rounding: int
    min_cell: int
    epsilon_milli: int
    epsilon_milli_period: int
    max_contribution: int

    @property
    def layout(self) -> Layout:
        """The slots of a row. Raises SlotsError when they do not fit."""
        return _layout(self.bands)

    @property
    def greatest(self) -> int:
        """The greatest value of a row."""
        return self.layout.max_value

    @property
    def packing(self) -> bytes:
        """32 bytes that are the same while rows are packed in the same way: the same format, bands and
        cap.
        """
        return blake3(json.dumps([slots.FORMAT, self.bands, self.max_contribution]).encode()).digest()

    @property
    def rules(self) -> Rules:
        """For matcher.disclosure."""
        return Rules(self.min_cohort, self.dominance_percent / 100, self.rounding, self.min_cell)


@lru_cache(maxsize=256)
def _layout(bands: tuple[int, ...]) -> Layout:
    return Layout.of(bands, MODULUS_BITS)


class SumForm(BaseModel):
    """The table `sum` of an item in the catalogue's file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    mode: Literal["exact", "dp"] | None = None
    table: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9a-z-]{0,39}$")] | None = None
    min_cohort: Annotated[int, Field(ge=3, le=1_000_000)] = 10
    dominance_percent: Annotated[int, Field(ge=1, le=100)] = 50
    rounding: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    min_cell: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    epsilon_milli: Annotated[int, Field(ge=1, le=10 * MILLI)] = MILLI // 2
    epsilon_milli_period: Annotated[int, Field(ge=1, le=1000 * MILLI)] = 5 * MILLI
    max_contribution: Annotated[int, Field(ge=1, le=10**10)] | None = None


def build(form: SumForm, sensitivity: str, bands: tuple[int, ...]) -> SumRule:
    """The rule of an item. Raises ValueError with the reason for one that cannot work."""
    mode = form.mode or ("dp" if sensitivity in SENSITIVE else "exact")
    least_cell = LEAST_SENSITIVE_CELL if sensitivity in SENSITIVE else LEAST_CELL
    min_cell = least_cell if form.min_cell is None else form.min_cell
    if min_cell < least_cell:
        raise ValueError(f"min_cell must be {least_cell} or more for {sensitivity}")
    if mode == "dp" and form.max_contribution is None:
        raise ValueError("the mode dp needs max_contribution: noise must hide one such contribution")
    if mode == "exact" and form.max_contribution is not None:
        raise ValueError("max_contribution is for the mode dp")
    if form.epsilon_milli > form.epsilon_milli_period:
        raise ValueError("epsilon_milli is above epsilon_milli_period: no query would be answered")
    rule = SumRule(
        mode=mode,
        table=form.table,
        bands=bands,
        min_cohort=form.min_cohort,
        dominance_percent=form.dominance_percent,
        rounding=form.rounding,
        min_cell=min_cell,
        epsilon_milli=form.epsilon_milli,
        epsilon_milli_period=form.epsilon_milli_period,
        max_contribution=form.max_contribution or 0,
    )
    try:
        greatest = rule.layout.max_value
    except MatcherError as error:
        raise ValueError(f"its slots do not fit into a modulus of {MODULUS_BITS} bits: {error}") from None
    if rule.max_contribution > greatest:
        raise ValueError(
            f"max_contribution is above {greatest}, the greatest value of a {slots.SLOT_BITS}-bit slot"
        )
    return rule
