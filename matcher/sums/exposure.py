"""What the opening of sums shows a curious responder, and when a requester stops (design.md section 5).

A responder opens a sum also when it then suppresses it, and knows its own rows: every opening gives it linear
equations about which rows were added. A set of m rows of n is one of about (n / m)^m, so few equations leave
it open and many do not. Which sets were opened is counted for each peer and epoch, and an opening that would
tell too much is not sent. It is a bound on one attack that was tried, not a proof: docs/threat-model.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import log
from typing import Final

from matcher.sums.slots import GUARDS

SHARE: Final = 0.5
_OF_A_SET: Final = 1 + GUARDS  # its count and its guards, the same for every item
_WITHOUT_BANDS: Final = 2  # total and squares


@dataclass(frozen=True, slots=True)
class OpenedSet:
    """The rows of a sum, by something that tells them apart, and the equations that its item adds."""

    rows: frozenset[bytes] = field(repr=False)
    equations: int


def item_equations(bands: int) -> int:
    """The equations of one opening of an item with so many bands, beside those of the set of rows."""
    return 1 + bands if bands else _WITHOUT_BANDS


def count_equations(new: OpenedSet, earlier: Iterable[OpenedSet]) -> int:
    """All equations about sets that share half or more of the smaller with the new one, its own included."""
    related = [new, *(one for one in earlier if _share_half(new.rows, one.rows))]
    return _OF_A_SET * len({one.rows for one in related}) + sum(one.equations for one in related)


def may_open(new: OpenedSet, earlier: Iterable[OpenedSet], fetched: int) -> bool:
    """Whether a sum of some of `fetched` rows may be opened after earlier ones of the peer and epoch."""
    matched = len(new.rows)
    least = min(matched, fetched - matched)
    return least > 0 and count_equations(new, earlier) <= SHARE * least * log(fetched / least)


def _share_half(one: frozenset[bytes], other: frozenset[bytes]) -> bool:
    return 2 * len(one & other) >= min(len(one), len(other))
