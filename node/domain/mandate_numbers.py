"""Numbers of mandates: county code, day, programme, sequence, check character (domain.md section 7). Pure.

    450103 20260701 01 00001 9        22 characters

The check character is that of ISO 7064, MOD 11-2, over the 21 digits, as in identity numbers: `0` to `9` or
`X`. It finds every wrong digit and every two neighbours that were exchanged. Other provinces number forms in
their own way: a number of another form is accepted as it is, and only one of this form is checked.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

_FORM: Final = re.compile(r"([0-9]{6})([0-9]{8})([0-9]{2})([0-9]{5})([0-9X])", re.ASCII)
_CHECK: Final = "10X98765432"
MAX_SEQUENCE: Final = 99_999


@dataclass(frozen=True, slots=True)
class MandateNumber:
    """The parts of a number: county (6 digits), day of signing, matter (2 digits), sequence from 1."""

    county: str
    day: date
    matter: str
    sequence: int

    def __str__(self) -> str:
        body = f"{self.county}{self.day.isoformat().replace('-', '')}{self.matter}{self.sequence:05d}"
        return body + check_character(body)


def check_character(digits: str) -> str:
    """The check character of 21 digits. Raises ValueError for anything but digits."""
    if not digits.isascii() or not digits.isdigit():
        raise ValueError("a check character is that of digits")
    total = sum(int(digit) * pow(2, len(digits) - at, 11) for at, digit in enumerate(digits))
    return _CHECK[total % 11]


def make_number(county: str, day: date, matter: str, sequence: int) -> str:
    """A number. Raises ValueError for parts that do not fit its form."""
    if not 0 < sequence <= MAX_SEQUENCE:
        raise ValueError(f"a sequence is 1 to {MAX_SEQUENCE}")
    number = str(MandateNumber(county, day, matter, sequence))
    if parse_number(number) is None:
        raise ValueError("a county code has 6 digits, a matter 2")
    return number


def parse_number(number: str) -> MandateNumber | None:
    """The parts of a number of this form; None for one of another form."""
    found = _FORM.fullmatch(number.upper())
    if found is None:
        return None
    county, day, matter, sequence, _ = found.groups()
    try:
        signed = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return None
    return MandateNumber(county, signed, matter, int(sequence))


def is_mistyped(number: str) -> bool:
    """Whether it has the form of our numbers, and another check character."""
    parts = parse_number(number)
    return parts is not None and str(parts) != number.upper()
