"""Small counts are hidden, and so are those from which they could be worked out (ADR 41). Pure.

A count from 1 to 9 might be a person. The reader of a table is taken to know the exact sum of its counts: it
may stand in another table.
"""

from collections.abc import Sequence
from typing import Final

LEAST: Final = 10
SMALL: Final = f"<{LEAST}"
HIDDEN: Final = "-"  # not small, or not told whether it is
Shown = int | str  # a count, SMALL or HIDDEN


def hide(counts: Sequence[int]) -> list[Shown]:
    """Counts that add up to a known sum, as they are shown.

    A small one is SMALL. Beside it the largest others are HIDDEN, until every small one could be anything
    from 1 to 9. Where there are not enough others all are HIDDEN: who shows names beside them leaves the
    names away too.
    """
    room = sum(count - 1 for count in counts if is_small(count))
    if not any(map(is_small, counts)):
        return list(counts)
    hidden = set[int]()
    for place in sorted(range(len(counts)), key=lambda at: -counts[at]):
        if counts[place] < LEAST:
            break
        hidden.add(place)
        room += counts[place] - LEAST
        if room >= LEAST - 2:
            return [_shown(count, at in hidden) for at, count in enumerate(counts)]
    return [HIDDEN] * len(counts)


def split_is_small(counts: Sequence[int]) -> bool:
    """Whether any part of a whole is small: then none of its parts is shown."""
    return any(map(is_small, counts))


def is_small(count: int) -> bool:
    """Whether a count might be a person; nothing is nobody."""
    return 0 < count < LEAST


def _shown(count: int, hidden: bool) -> Shown:
    if hidden:
        return HIDDEN
    return SMALL if is_small(count) else count
