"""A person on a list: reference, name, identities."""

import re
from contextlib import suppress
from dataclasses import dataclass

from matcher.errors import IdentityError
from matcher.identity import parse
from matcher.types import Identity

_IDENTITY_LIKE = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])")


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """One queried person. `ref` is `household_no/member_no`, the only name a report uses.

    `name` is normalised and may be empty; `mandate` is the mandate's number, empty where the list
    gives none.
    """

    ref: str
    household: str
    name: str
    identities: tuple[Identity, ...]
    mandate: str

    def __repr__(self) -> str:
        return f"Subject({self.ref}, ****)"


def holds_identity(number: str, own: tuple[Identity, ...]) -> bool:
    """Whether a reference contains an identity number, which must not get into jobs, logs and reports."""
    for found in _IDENTITY_LIKE.findall(number):
        with suppress(IdentityError):
            parse(found)
            return True
    upper = number.upper()
    # The old 15-digit form is the 18-digit form without century and check digit.
    return any(one.value in upper or one.value[:6] + one.value[8:17] in upper for one in own)
