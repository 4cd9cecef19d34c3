"""Units of the administration: bodies by their 12-digit codes, in four tiers (domain.md, S29).

Pure. A body code is the code of its region (GB/T 2260: two digits each for province, city and county, then
three for a township), filled up with zeros: `450124000000` is a county, `450100000000` its city.
"""

import re
from typing import Final

MINISTRY: Final = "000000000000"
TIERS: Final = ("ministry", "province", "city", "county", "township")
_FORM: Final = re.compile(r"[0-9]{12}")
# How many digits say where a body of each tier is.
_DIGITS: Final = (0, 2, 4, 6, 9)


def check_unit(code: str) -> str:
    """The same code. Raises ValueError for anything but a body code of twelve digits."""
    if not _FORM.fullmatch(code):
        raise ValueError("a unit is a body code of 12 digits, such as 450124000000")
    if code[9:] != "000":
        raise ValueError("a unit is a ministry, province, city, county or township: its last digits are 000")
    if code != MINISTRY and code[:2] == "00":
        raise ValueError("a unit begins with the two digits of its province")
    return code


def tier(code: str) -> str:
    """One of TIERS: the lowest one whose digits are not all zeros."""
    significant = len(_prefix(code))
    return next(name for name, digits in zip(TIERS, _DIGITS, strict=True) if significant <= digits)


def covers(upper: str, lower: str) -> bool:
    """Whether a unit is the other one or above it."""
    return lower.startswith(_prefix(upper))


def digits_of(code: str) -> str:
    """The digits that the codes of a unit and of all units below it begin with."""
    return _prefix(code)


def province_unit(code: str) -> str:
    """The unit of a whole province, by its two digits."""
    return code.ljust(12, "0")


def _prefix(code: str) -> str:
    for digits in _DIGITS:
        if not code[digits:].strip("0"):
            return code[:digits]
    return code
