"""How many numbers of a source have an address code of no list, or of another time than their birth.

Counted while a source is checked, never while it is imported: nobody is refused for it (domain.md section 5).
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher import identity
from matcher.batch import ID_TYPES
from node.domain.counties import FIRST_YEAR, LIFELONG_YEAR, Place, all_codes, history
from node.registers.block_reader import Reading

_RESIDENT: Final = ID_TYPES.index(identity.RESIDENT)
_CODES: Final = 1_000_000
_CODE = 10 ** np.arange(5, -1, -1)
_YEAR = 10 ** np.arange(3, -1, -1)


def count_address_codes(found: Reading) -> Mapping[Place, int]:
    """Rows with a resident number by what its address code is, the current number where there are several."""
    table = found.rows.table
    rows = np.flatnonzero(table["id_type"] == _RESIDENT)
    digits = table["value"][rows][:, :10].astype(np.int64) - ord("0")
    weights = table["copies"][rows].astype(np.int64)
    linked = [
        row.identities[0].value for row in found.linked if row.identities[0].id_type == identity.RESIDENT
    ]
    if linked:
        more = np.array([list(value[:10].encode()) for value in linked], dtype=np.int64) - ord("0")
        digits = np.concatenate([digits, more])
        weights = np.concatenate([weights, np.ones(len(linked), dtype=np.int64)])
    return count_places(digits[:, :6] @ _CODE, digits[:, 6:] @ _YEAR, weights)


def count_places(
    codes: NDArray[np.int64], years: NDArray[np.int64], weights: NDArray[np.int64]
) -> Mapping[Place, int]:
    """`counties.judge` of many numbers: the sum of their weights by place.

    Codes are whole numbers below 1,000,000, years those of birth, all arrays of one length.
    """
    row_of, before = _arrays()
    rows = row_of[codes]
    known = rows >= 0
    most = before.shape[1] - 2
    first = np.clip(years - FIRST_YEAR, 0, most)
    last = np.clip(np.maximum(years, LIFELONG_YEAR) - FIRST_YEAR, 0, most)
    listed = known & (before[rows, last + 1] > before[rows, first])
    counts = {Place.LISTED: int(weights[listed].sum()), Place.UNKNOWN: int(weights[~known].sum())}
    return {**counts, Place.NOT_THEN: int(weights.sum()) - sum(counts.values())}


@cache
def _arrays() -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """The row of each code, -1 for none; and by row in how many years it counted before each year."""
    codes = all_codes()
    latest = max(one.last or 0 for code in codes for one in history(code))
    years = (
        latest - FIRST_YEAR + 2
    )  # nothing changes after the latest; the year after it stands for all others
    row_of = np.full(_CODES, -1, dtype=np.int16)
    row_of[np.array(codes, dtype=np.int64)] = np.arange(len(codes))
    counted = np.zeros((len(codes), years), dtype=np.bool_)
    for row, code in enumerate(codes):
        for one in history(code):
            end = years if one.last is None else one.last - FIRST_YEAR + 1
            counted[row, (one.first or FIRST_YEAR) - FIRST_YEAR : end] = True
    before = np.zeros((len(codes), years + 1), dtype=np.int16)
    np.cumsum(counted, axis=1, out=before[:, 1:])
    return row_of, before
