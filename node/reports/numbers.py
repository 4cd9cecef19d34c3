"""The number of a report: county code, date, sequence and check digit, with hyphens (ADR 0024). Pure.

`450000-20260701-012345678901-3`: the code of the body that asks, filled up with zeros to six digits; the day
in China on which the job was accepted; twelve digits that follow from the job and the people in the report;
and the check digit of ISO 7064 MOD 11,10 over all digits before it, which finds every single wrong digit.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from blake3 import blake3

from node.domain.days import china_day

PATTERN = re.compile(r"[0-9]{6}-[0-9]{8}-[0-9]{12}-[0-9]")
_CODE, _SEQUENCE = 6, 12


def report_number(code: str, accepted: datetime, job: str, people: Iterable[str] = ()) -> str:
    """The number of a job's report about some people: always the same for the same report."""
    digest = blake3("\n".join((job, *people)).encode()).digest()
    sequence = int.from_bytes(digest[:16], "big") % 10**_SEQUENCE
    day = china_day(accepted).isoformat().replace("-", "")
    body = f"{code_digits(code)}-{day}-{sequence:0{_SEQUENCE}d}"
    return f"{body}-{check_digit(body)}"


def code_digits(code: str) -> str:
    """The first six digits of the numbers of a body."""
    return "".join(one for one in code if one.isdecimal() and one.isascii())[:_CODE].ljust(_CODE, "0")


def is_number(text: str) -> bool:
    """Whether a text has the form of a number, and its check digit fits."""
    return bool(PATTERN.fullmatch(text)) and check_digit(text[:-2]) == int(text[-1])


def check_digit(text: str) -> int:
    """ISO 7064 MOD 11,10 over the digits of a text, hyphens apart."""
    rest = 10
    for digit in text.replace("-", ""):
        total = (rest + int(digit)) % 10 or 10
        rest = total * 2 % 11
    return (11 - rest) % 10
