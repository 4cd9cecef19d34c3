"""Identity numbers: drawn unique, and written the ways real files write them.

The check character has its own code here, so that a mistake in the matcher's cannot hide.
"""

import random
from datetime import date
from typing import Final

RESIDENT: Final = "resident"
PERMIT: Final = "hmt-permit"
FOREIGN: Final = "foreign-permit"
FOREIGN_OLD: Final = "foreign-permit-old"

# Codes of the residence permit for Hong Kong, Macao and Taiwan residents (domain.md section 5).
PERMIT_AREAS: Final = ("810000", "820000", "830000")
# Country code 999 and the letters XXX are not assigned to any country.
_FOREIGN_AREA: Final = "900999"
_FOREIGN_OLD_AREA: Final = "XXX9999"

_CHECK: Final = "0123456789X"
_FULL_WIDTH: Final = str.maketrans("0123456789Xx", "０１２３４５６７８９Ｘｘ")
# Sequence numbers 996 to 999 once marked centenarians; nobody here gets one.
_SEQUENCES: Final = 498


def check_character(digits: str) -> str:
    """The ISO 7064 MOD 11-2 character for any count of digits (17 of a number, 21 of a mandate)."""
    remainder = 0
    for digit in digits:
        remainder = (remainder + int(digit)) * 2 % 11
    return _CHECK[(12 - remainder) % 11]


class NumberBook:
    """Draws numbers and remembers them, so that no two people share one."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def draw_resident(self, province: str, born: date, male: bool) -> str:
        """A number first registered in `province` (two digits), county code 9999."""
        return self._draw(province + "9999", born, male)

    def draw_permit(self, born: date, male: bool) -> str:
        """A residence permit number of somebody from Hong Kong, Macao or Taiwan."""
        return self._draw(self._rng.choice(PERMIT_AREAS), born, male)

    def draw_foreign(self, born: date, male: bool) -> str:
        """A foreign permanent resident number, form of 2023."""
        return self._draw(_FOREIGN_AREA, born, male)

    def draw_foreign_old(self, born: date) -> str:
        """A foreign permanent resident number before 2023: three letters and twelve digits."""
        while True:
            number = f"{_FOREIGN_OLD_AREA}{born:%y%m%d}{self._rng.randrange(100):02d}"
            if number not in self._used:
                self._used.add(number)
                return number

    def _draw(self, area: str, born: date, male: bool) -> str:
        head = f"{area}{born.year:04d}{born.month:02d}{born.day:02d}"
        while True:
            body = f"{head}{2 * int(self._rng.random() * _SEQUENCES) + male:03d}"
            number = body + check_character(body)
            if number not in self._used:
                self._used.add(number)
                return number


def spoil_check(number: str) -> str:
    """The same number with a wrong last character."""
    return number[:-1] + _CHECK[(_CHECK.index(number[-1]) + 3) % 10]


def has_fifteen(number: str) -> bool:
    """Whether a first-generation form exists: resident numbers of people born in the 1900s."""
    return number[2:6] == "9999" and number[6:8] == "19"


def fifteen(number: str) -> str:
    """The first-generation form: no century, no check character."""
    return number[:6] + number[8:17]


def write_number(rng: random.Random, number: str, rate: float) -> tuple[str, str]:
    """How a file writes `number`, and the name of the fault planted in it (empty for none).

    `rate` is the chance of each of: 15 digits, full-width digits, blanks around. Of the numbers
    that end in X, one in five is written with a small x.
    """
    if number[-1] == "X" and rng.random() < 0.2:
        return number[:-1] + "x", "lower_x"
    draw = rng.random()
    if draw >= 3 * rate:
        return number, ""
    if draw < rate and has_fifteen(number):
        return fifteen(number), "fifteen_digits"
    if draw < 2 * rate:
        return number.translate(_FULL_WIDTH), "full_width"
    return f" {number}　" if draw < 2.5 * rate else f"{number}  ", "blanks"
