"""Households: the people who live together, and relatives with a duty of support (domain.md sections 1, 2,
7). Pure.

A household is kept with everything about its people sealed. Members live together and all sign; relatives
outside the household are asked about only by their own consent (Social Assistance Law 2026, art. 41), in
whatever province they live.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from matcher.errors import IdentityError
from matcher.identity import FOREIGN_OLD, parse
from matcher.names import is_name, normalise_name
from matcher.types import Identity
from node.domain.packed import add_version, strip_version
from node.domain.subjects import NUMBER, holds_identity

_FORM: Final = 1
MEMBER: Final = "member"
RELATIVE: Final = "relative"
ROLES: Final = (MEMBER, RELATIVE)
MAX_PEOPLE: Final = 50
MAX_NUMBERS: Final = 8  # of one person
MAX_TEXT: Final = 200  # characters of a name, of an office
MINOR: Final = 14  # years: younger people's data is sensitive, and a guardian consents (domain.md section 7)
_OFFICE: Final = re.compile(r"[0-9]{6,12}", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """One person of a household. `identities` are the current number, then former ones.

    `role` is one of ROLES, `relation` to the head in the form's own words, `province` where a relative lives
    (two digits) or empty. `guardian` is the name of who signs for a person who cannot; `born` is needed only
    where the number does not say it.
    """

    member_no: str
    name: str
    identities: tuple[Identity, ...]
    role: str = MEMBER
    relation: str = ""
    province: str = ""
    guardian: str = ""
    born: date | None = None

    def __repr__(self) -> str:
        return f"Person({self.role}, ****)"

    @property
    def numbers(self) -> frozenset[str]:
        """All numbers of the person."""
        return frozenset(one.value for one in self.identities)

    def birthday(self) -> date | None:
        """The day of birth as stated, or by the number; None where neither says it."""
        if self.born is not None:
            return self.born
        for one in self.identities:
            if one.id_type != FOREIGN_OLD:
                text = one.value[6:14]
                return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        return None

    def is_minor(self, today: date) -> bool:
        """Whether the person is under 14 on a day; one whose day of birth is not known is not."""
        born = self.birthday()
        if born is None:
            return False
        return (today.year - born.year, today.month, today.day) < (MINOR, born.month, born.day)


@dataclass(frozen=True, slots=True, repr=False)
class Household:
    """A household: its number, the application (受理编号) that its checks belong to, the office, its people.

    `changed_on` is the day since which the members are these: None while they never changed. A mandate whose
    wording says so is signed again after it.
    """

    number: str
    application_no: str
    office: str
    people: tuple[Person, ...]
    changed_on: date | None = None

    def __repr__(self) -> str:
        return f"Household({len(self.people)} people, ****)"

    @property
    def members(self) -> tuple[Person, ...]:
        """Who lives together."""
        return tuple(one for one in self.people if one.role == MEMBER)

    @property
    def relatives(self) -> tuple[Person, ...]:
        """Relatives outside the household."""
        return tuple(one for one in self.people if one.role == RELATIVE)

    def find(self, numbers: frozenset[str]) -> Person | None:
        """The person with one of some identity numbers."""
        return next((one for one in self.people if not one.numbers.isdisjoint(numbers)), None)


def change(before: Household, after: Household, today: date) -> Household:
    """`after` in the place of `before`: the day of change is today where other people are members now."""
    if set(map(_key, before.members)) == set(map(_key, after.members)):
        return replace(after, changed_on=before.changed_on)
    return replace(after, changed_on=today)


def _key(person: Person) -> Identity:
    return person.identities[0]


def fault(household: Household) -> tuple[str, str, str] | None:
    """Field, reason and message of what is wrong with a household; None for a good one. Names nobody."""
    for field, text, most in (
        ("household_no", household.number, 48),
        ("application_no", household.application_no, 48),
    ):
        if not text:  # R19: no query that belongs to no application
            return field, "empty", "the number is empty"
        if not (NUMBER.fullmatch(text) and text.isprintable()):
            return field, "bad_number", f"a number is at most {most} characters without blanks and slashes"
        if holds_identity(text, _all_identities(household)):
            return field, "ref_is_identity", "an identity number must not serve as a number of something else"
    if not _OFFICE.fullmatch(household.office):
        return "office", "bad_office", "the office is a code of 6 to 12 digits"
    if not 0 < len(household.people) <= MAX_PEOPLE or not household.members:
        return "people", "bad_count", f"a household has 1 to {MAX_PEOPLE} people, one of them a member"
    return _people_fault(household)


def _people_fault(household: Household) -> tuple[str, str, str] | None:
    refs: set[str] = set()
    known: set[Identity] = set()
    for person in household.people:
        found = _person_fault(person, _all_identities(household))
        if found is not None:
            return found
        if person.member_no in refs:
            return "member_no", "duplicate_ref", "the member number is given twice"
        if not known.isdisjoint(person.identities):
            return "id_no", "duplicate_person", "a number of this person is that of another one, too"
        refs.add(person.member_no)
        known.update(person.identities)
    return None


def _person_fault(person: Person, every: tuple[Identity, ...]) -> tuple[str, str, str] | None:
    if not (NUMBER.fullmatch(person.member_no) and person.member_no.isprintable()):
        return "member_no", "bad_number", "a number is at most 48 characters without blanks and slashes"
    if holds_identity(person.member_no, every):
        return (
            "member_no",
            "ref_is_identity",
            "an identity number must not serve as a number of something else",
        )
    if not 0 < len(person.identities) <= MAX_NUMBERS:
        return "id_no", "bad_count", f"a person has 1 to {MAX_NUMBERS} identity numbers"
    if person.role not in ROLES:
        return "role", "unknown_word", f"the role is not one of {', '.join(ROLES)}"
    if not person.name:
        return "name", "empty", "the name is empty"
    for field, text in (("name", person.name), ("relation", person.relation), ("guardian", person.guardian)):
        problem = text_fault(field, text, every)
        if problem is not None:
            return problem
    if person.province and not re.fullmatch(r"[0-9]{2}", person.province, re.ASCII):
        return "province", "bad_region", "the province is two digits"
    return None


def text_fault(field: str, text: str, every: tuple[Identity, ...] = ()) -> tuple[str, str, str] | None:
    """What is wrong with a name or a short text: too long, no text, or it holds an identity number."""
    if not text:
        return None
    if len(text) > MAX_TEXT or not is_name(text) or not text.isprintable():
        # A right-to-left mark shows other letters than are stored; it is not printable.
        return field, "bad_text", f"{field} is one line of at most {MAX_TEXT} printable characters"
    if holds_identity(text, every):
        return field, "holds_identity", "an identity number stands in a field of text"
    return None


def _all_identities(household: Household) -> tuple[Identity, ...]:
    return tuple(one for person in household.people for one in person.identities)


# ---- as JSON: what is sealed, and what files hold


def to_plain(household: Household) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "household_no": household.number,
        "application_no": household.application_no,
        "office": household.office,
        "changed_on": household.changed_on.isoformat() if household.changed_on else "",
        "people": [_person_plain(one) for one in household.people],
    }


def _person_plain(person: Person) -> dict[str, Any]:
    return {
        "member_no": person.member_no,
        "name": person.name,
        "identities": [[one.id_type, one.value] for one in person.identities],
        "role": person.role,
        "relation": person.relation,
        "province": person.province,
        "guardian": person.guardian,
        "born": person.born.isoformat() if person.born else "",
    }


def pack_household(household: Household) -> bytes:
    """Canonical bytes with a version in front, to be sealed."""
    text = json.dumps(to_plain(household), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return add_version(_FORM, text.encode())


def unpack_household(packed: bytes) -> Household:
    """What `pack_household` made. Raises PreconditionError for another version."""
    plain = json.loads(strip_version(_FORM, packed))
    return Household(
        plain["household_no"],
        plain["application_no"],
        plain["office"],
        tuple(map(_person, plain["people"])),
        day_of(plain["changed_on"]),
    )


def _person(plain: Mapping[str, Any]) -> Person:
    identities = tuple(Identity(id_type, value) for id_type, value in plain["identities"])
    texts = {name: plain[name] for name in ("member_no", "name", "role", "relation", "province", "guardian")}
    return Person(identities=identities, born=day_of(plain["born"]), **texts)


def day_of(text: str) -> date | None:
    """A day as JSON has it; None for an empty text. Raises ValueError."""
    return date.fromisoformat(text) if text else None


def mask_number(value: str) -> str:
    """An identity number as screens show it: 450103********0012; shorter ones without their middle."""
    ends = (6, 4) if len(value) >= 15 else (2, 2)
    return value[: ends[0]] + "*" * (len(value) - sum(ends)) + value[-ends[1] :]


def mask_name(name: str) -> str:
    """A name as screens show it: its first character, and a full-width star for each of the others."""
    shown = normalise_name(name) or name
    return shown[:1] + "＊" * max(len(shown) - 1, 1) if shown else ""


def masked(household: Household) -> Household:
    """The household as screens show it. Its numbers are no identities any more."""
    people = tuple(
        replace(
            one,
            name=mask_name(one.name),
            guardian=mask_name(one.guardian),
            born=None,
            identities=tuple(Identity(each.id_type, mask_number(each.value)) for each in one.identities),
        )
        for one in household.people
    )
    return replace(household, people=people)


def parse_numbers(texts: tuple[str, ...]) -> tuple[Identity, ...]:
    """Identity numbers as somebody typed them. Raises IdentityError, which never repeats them."""
    if not texts:
        raise IdentityError("length", "no identity number is given")
    return tuple(dict.fromkeys(parse(text) for text in texts))
