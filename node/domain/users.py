"""People who use a node: roles, states of an account, what excludes what (domain.md 3 and 9). Pure."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Final

ACCOUNT: Final = re.compile(
    r"(?!.*[0-9]{6})[a-z][a-z0-9._-]{1,31}"
)  # no place for an identity or phone number
LONGEST_NAME: Final = 40
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 128
CONFIRMED_FOR: Final = timedelta(days=365)
RECORD_FOR: Final = timedelta(days=365)  # a confidentiality record is signed anew every year


class Role(StrEnum):
    """What a person may do; the rights are in node.domain.rights."""

    PREPARER = "preparer"
    APPROVER = "approver"
    SYSTEM = "system"
    SECURITY = "security"
    AUDIT = "audit"
    OBSERVER = "observer"


ROLE_NAMES: Final = {
    Role.PREPARER: ("经办人", "preparer"),
    Role.APPROVER: ("复核人", "approver"),
    Role.SYSTEM: ("系统管理员", "system administrator"),
    Role.SECURITY: ("安全管理员", "security administrator"),
    Role.AUDIT: ("审计管理员", "audit administrator"),
    Role.OBSERVER: ("观察员", "observer"),
}
ADMINISTRATORS: Final = frozenset({Role.SYSTEM, Role.SECURITY, Role.AUDIT})
OFFICERS: Final = frozenset({Role.PREPARER, Role.APPROVER})


class Need(StrEnum):
    """What a person who has signed in must do before anything else, in this order."""

    NEW_PASSWORD = "new_password"  # noqa: S105  a word, no password
    TOTP = "totp"
    CONFIDENTIALITY = "confidentiality"


class Ending(StrEnum):
    """Why an account cannot sign in."""

    DISABLED = "disabled"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    NOT_CONFIRMED = "not_confirmed"


@dataclass(frozen=True, slots=True, repr=False)
class User:
    """An account, without its secrets. Both days of the validity count; the name is kept sealed.

    `password_set` says whether the person chose the password, `has_totp` whether a second factor is enrolled;
    `record_signed_at` is when the confidentiality record of `record_version` was signed last.
    """

    account: str
    name: str
    unit: str
    roles: frozenset[Role]
    valid_from: date
    valid_to: date | None
    disabled_at: datetime | None
    created_at: datetime
    confirmed_at: datetime
    last_sign_in: datetime | None
    password_set: bool
    has_totp: bool
    record_version: str
    record_signed_at: datetime | None

    def __repr__(self) -> str:
        return f"User({self.account})"


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a new account is made of; `valid_to` is None for no end."""

    account: str
    name: str = field(repr=False)
    unit: str
    roles: frozenset[Role]
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: the account that is signed in, its unit and roles; `need` is what must be done first."""

    account: str
    unit: str
    roles: frozenset[Role]
    need: Need | None

    @property
    def owner(self) -> str:
        """The owner of what the person submits: the unit. The audit chain names the person."""
        return unit_owner(self.unit)


def unit_owner(unit: str) -> str:
    """The owner of what people of a unit submit."""
    return f"unit/{unit}"


def conflicts(roles: Collection[Role]) -> tuple[tuple[Role, Role], ...]:
    """The pairs of roles that one account must not have together, in a stable order.

    The three administrators exclude one another and the two officers, who see cases. A preparer may be an
    approver of others' queries: that nobody approves the own one is judged for each.
    """
    return tuple(
        (one, other)
        for one, other in combinations([role for role in Role if role in roles], 2)
        if (one in ADMINISTRATORS and other in ADMINISTRATORS | OFFICERS)
        or (other in ADMINISTRATORS and one in OFFICERS)
    )


def ending(user: User, today: date, now: datetime) -> Ending | None:
    """Why the account cannot sign in or act now; None where it can."""
    if user.disabled_at is not None:
        return Ending.DISABLED
    if today < user.valid_from:
        return Ending.NOT_YET_VALID
    if user.valid_to is not None and today > user.valid_to:
        return Ending.EXPIRED
    if now - user.confirmed_at > CONFIRMED_FOR:
        return Ending.NOT_CONFIRMED
    return None


def first_need(user: User, record_version: str, now: datetime) -> Need | None:
    """What the person must do next before anything else."""
    if not user.password_set:
        return Need.NEW_PASSWORD
    if not user.has_totp:
        return Need.TOTP
    signed = user.record_signed_at
    if user.record_version != record_version or signed is None or now - signed > RECORD_FOR:
        return Need.CONFIDENTIALITY
    return None


def check_account(account: str) -> str:
    """The same account name. Raises ValueError."""
    if not ACCOUNT.fullmatch(account):
        raise ValueError(
            "an account is 2 to 32 small letters, digits, dots, hyphens and underscores, begins with a "
            "letter and has no six digits in a row"
        )
    return account


def check_name(name: str) -> str:
    """A person's name, in normal form. Raises ValueError for an empty one, a long one, control characters."""
    normal = unicodedata.normalize("NFC", name.strip())
    if not normal or len(normal) > LONGEST_NAME:
        raise ValueError(f"a name has 1 to {LONGEST_NAME} characters")
    if any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for one in normal):
        raise ValueError("a name has no control or invisible characters")
    return normal


def check_password(password: str, account: str) -> str:
    """A new password in normal form (NFKC). Raises ValueError with the rule that it breaks.

    Long rather than mixed (NIST SP 800-63B section 3.1.1.2): no rules about kinds of characters.
    """
    normal = unicodedata.normalize("NFKC", password)
    if not SHORTEST_PASSWORD <= len(normal) <= LONGEST_PASSWORD:
        raise ValueError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if len(set(normal)) < 6:
        raise ValueError("a password has at least 6 different characters")
    if account in normal.casefold():
        raise ValueError("a password does not contain the account")
    return normal
