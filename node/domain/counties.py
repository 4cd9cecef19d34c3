"""Codes of provinces, cities and counties since 1980 (domain.md section 6, GB/T 2260). Pure.

The table is node/domain/county_codes/codes.csv, whose head says where it is from; it is read when it is first
used. It knows years and not days: a code counts in the year in which it came and in that in which it went.

A code in an identity number is that of the place where the number was first given, and says neither where a
person lives nor where a household is registered. Its first two digits need not be the province of today:
numbers of people from Chongqing begin with 51, of people from Haikou with 44.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Final

from node.errors import InputError

TABLE: Final = Path(__file__).with_name("county_codes") / "codes.csv"
FIRST_YEAR: Final = 1980  # of the lists that the table comes from
# Numbers were given for life from October 1999 on (GB 11643-1999). Until then people had them when they were
# registered anew or took out a first card, years after their birth, with the code of that time.
LIFELONG_YEAR: Final = 1999
CODE: Final = re.compile(r"[0-9]{6}")
# County code, day, programme, sequence, check character (domain.md section 7).
_NUMBERED: Final = re.compile(r"([0-9]{6})([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{2}[0-9]{5}[0-9X]")
_TRIALS: Final = "9999"  # no county's; of synthetic people
_DISTRICTS: Final = "01"  # of a city without a district of its own: 440301 in old numbers of Shenzhen


class Place(Enum):
    """What the address code of an identity number is, beside its date of birth; never a reason to reject."""

    LISTED = "listed"
    NOT_THEN = "not_then"  # a code of another time
    UNKNOWN = "unknown"  # in no list


@dataclass(frozen=True, slots=True)
class County:
    """A code under one name. Both years count: `first` is None where it was in the first list, `last` is None
    where it is in force.
    """

    code: str
    name: str
    first: int | None
    last: int | None

    def counts_in(self, first: int, last: int) -> bool:
        """Whether it counted in any year from `first` to `last`."""
        return (self.first is None or self.first <= last) and (self.last is None or self.last >= first)


def history(code: str) -> Sequence[County]:
    """All that a code of six digits has meant, oldest first; empty for one that was in no list.

    A code that ends in 01 and is no county's is the districts of its city together (市辖区).
    """
    return _table().get(code) or _districts(code)


def on(code: str, day: date) -> Sequence[County]:
    """What a code meant in the year of a day: mostly one, two where it changed in that year."""
    return in_year(code, day.year)


def in_year(code: str, year: int) -> Sequence[County]:
    """What a code meant in a year."""
    return [one for one in history(code) if one.counts_in(year, year)]


def province(code: str) -> str:
    """The name of the province that the first two digits of a code stand for; empty where none does."""
    found = _table().get(f"{code[:2]}0000")
    return found[-1].name if found else ""


def city(code: str) -> str:
    """The name of the city or prefecture that the first four digits stand for, the latest one; empty where
    there was none, as above the counties that a province leads itself.
    """
    found = _table().get(f"{code[:4]}00")
    return found[-1].name if found and code[2:4] != "00" else ""


def judge(code: str, year: int) -> Place:
    """The address code of a number beside its year of birth.

    It should have been in force at some time from birth to 1999, and at birth for those born later. Real
    numbers break this seldom, so that it is counted and shown, and nobody is refused for it.
    """
    found = history(code)
    if not found:
        return Place.UNKNOWN
    first, last = max(year, FIRST_YEAR), max(year, LIFELONG_YEAR)
    return Place.LISTED if any(one.counts_in(first, last) for one in found) else Place.NOT_THEN


def count_stray_mandates(numbers: Iterable[str]) -> int:
    """How many numbers of mandates have a county code that was not in force on their day, or no real day.

    Counted among numbers made of county code, day, programme, sequence and check character. For a warning
    only, since a province may number as it likes.
    """
    return sum(_is_stray(found) for found in map(_NUMBERED.fullmatch, numbers) if found)


def _is_stray(found: re.Match[str]) -> bool:
    code, *parts = found.groups()
    if code.endswith(_TRIALS):
        return False
    try:
        return not on(code, date(*map(int, parts)))
    except ValueError:
        return True


def all_codes() -> Sequence[str]:
    """Every code that `history` knows, in order."""
    table = _table()
    districts = (f"{code[:4]}{_DISTRICTS}" for code in table if code.endswith("00") and code[2:4] != "00")
    return sorted({*table, *districts})


def check_code(text: str) -> str:
    """The code of six digits for two, four or six. Raises InputError."""
    code = text.strip().ljust(6, "0") if len(text.strip()) in (2, 4, 6) else ""
    if not CODE.fullmatch(code):
        raise InputError("a county's code is six digits", "of a province the first two do, of a city four")
    return code


@cache
def _table() -> Mapping[str, tuple[County, ...]]:
    found: dict[str, list[County]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            code, name, first, last = line.split(",")
            one = County(code, name, int(first) if first else None, int(last) if last else None)
            found.setdefault(code, []).append(one)
    return {code: tuple(several) for code, several in found.items()}


def _districts(code: str) -> Sequence[County]:
    if not code.endswith(_DISTRICTS) or code[2:4] == "00":
        return ()
    cities = _table().get(f"{code[:4]}00", ())
    return [County(code, f"{one.name}市辖区", one.first, one.last) for one in cities]
