"""Groups of rows by area of registration: large enough to reveal little of a person (design.md section 5).

A group is named by the first 6, 4 or 2 digits of its people's identity numbers, or NO_AREA for documents
without an area.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

NO_AREA: Final = "00"
AREA_DIGITS: Final = 6


def choose_groups(areas: Mapping[int, int], least: int) -> dict[int, str]:
    """The group of each area: the area itself where it holds `least` rows, else joined upward.

    Small areas of a city are one group, if they hold enough together; the rest of a province is one,
    however small, since no larger area is left.
    """
    found: dict[int, str] = {0: NO_AREA} if areas.get(0) else {}
    left = {f"{area:06}": count for area, count in areas.items() if area and count}
    for digits in (AREA_DIGITS, 4):
        sizes = Counter[str]()
        for area, count in left.items():
            sizes[area[:digits]] += count
        full = {prefix for prefix, count in sizes.items() if count >= least}
        found |= {int(area): area[:digits] for area in left if area[:digits] in full}
        left = {area: count for area, count in left.items() if area[:digits] not in full}
    return found | {int(area): area[:2] for area in left}


def covering_group(prefixes: Iterable[str], area: int) -> str:
    """The group among `prefixes` for an area's people; a new area belongs to the rest of its province."""
    if not area:
        return NO_AREA
    text = f"{area:06}"
    return longest_prefix(prefixes, text) or text[:2]


def longest_prefix(prefixes: Iterable[str], area: str) -> str | None:
    """The longest of some prefixes that an area (six digits, or NO_AREA) begins with."""
    return max((prefix for prefix in prefixes if area.startswith(prefix)), key=len, default=None)
