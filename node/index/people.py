"""People of an import in tables: identities, names, values, by number of the row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from matcher.types import Level
from matcher.vectorised import Bytes
from node.domain.catalogue import Item


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What reading needs besides the file: item, salt, as-of day of undated rows, today."""

    item: Item
    salt: bytes = field(repr=False)
    default_day: int
    today: date

    @property
    def monthly(self) -> bool:
        """Whether the date belongs to a record number."""
        return self.item.time == "period"


Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class People:
    """One record per subject: identity, total before disclosure, as-of day (ordinal), name."""

    types: NDArray[np.uint8]
    values: Bytes = field(repr=False)
    subjects: NDArray[np.uint64] = field(repr=False)
    totals: Numbers = field(repr=False)
    days: Numbers
    names: Sequence[bytes] = field(repr=False)


def disclose_all(item: Item, totals: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """`records.disclose` of many totals: the values, and which of them have an entry at all."""
    always, positive = np.ones(len(totals), dtype=bool), totals > 0
    match item.level:
        case Level.EXISTENCE:
            return np.ones_like(totals), positive
        case Level.COUNT:
            return totals, positive
        case Level.BAND:
            return np.searchsorted(item.bands, totals, side="left").astype(np.int64), always
        case Level.THRESHOLD:
            over = ~always if item.threshold is None else totals > item.threshold
            return np.ones_like(totals), over
        case Level.VALUE | Level.CODE:
            return totals, always
        case _:
            return totals, ~always
