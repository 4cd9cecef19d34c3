"""People: households of a county list, and the people in a register who are on no list."""

import itertools
import random
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from synth.names import draw_foreign_name, draw_name, draw_surname
from synth.numbers import FOREIGN, FOREIGN_OLD, PERMIT, RESIDENT, NumberBook

HEAD: Final = "户主"
SPOUSE: Final = "配偶"
_CHANGED_NUMBER: Final = 0.012  # share of people with a number-change certificate (domain.md section 5)
_SIZES: Final = (1, 2, 3, 4, 5, 6)
_SIZE_WEIGHTS: Final = tuple(itertools.accumulate((18, 22, 22, 19, 12, 7)))
# Where people in a coastal register were first registered, beside the register's own province.
_ORIGINS: Final = {
    "45": 14, "43": 12, "36": 8, "42": 8, "51": 7, "52": 6, "41": 6, "34": 4, "44": 3, "50": 2,
    "33": 2, "35": 2, "46": 1, "53": 2, "61": 1, "65": 1, PERMIT: 1, FOREIGN: 1,
}  # fmt: skip
_OWN_WEIGHT: Final = 55


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person; `number` and `former` are canonical, `former` empty for most."""

    number: str = field(repr=False)
    id_type: str
    name: str = field(repr=False)
    male: bool
    born: date = field(repr=False)
    former: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """A person's place in a household; `reference` is how every report names them."""

    reference: str
    member_no: str
    relation: str
    person: Person


@dataclass(frozen=True, slots=True)
class Household:
    """People who live together; the first member is the head."""

    number: str
    members: tuple[Member, ...]


def draw_households(
    rng: random.Random, book: NumberBook, province: str, people: int, married_in: float, today: date
) -> list[Household]:
    """Households of exactly `people` members in all."""
    households: list[Household] = []
    left = people
    while left:
        size = min(rng.choices(_SIZES, cum_weights=_SIZE_WEIGHTS)[0], left)
        number = f"{province}9999{len(households) + 1:07d}"
        households.append(_draw_household(rng, book, number, province, size, married_in, today))
        left -= size
    return households


def draw_origins(provider: str, requester: str) -> tuple[list[str], list[int]]:
    """Origins and cumulative weights of the people in `provider`'s registers."""
    weights = dict(_ORIGINS)
    weights[requester] = max(weights.get(requester, 0), 12)
    weights[provider] = _OWN_WEIGHT
    return list(weights), list(itertools.accumulate(weights.values()))


def draw_outsider(rng: random.Random, book: NumberBook, origin: str, today: date) -> Person:
    """An adult on no list; `origin` is a province, or the document type of those without one."""
    male = rng.random() < 0.54
    born = _draw_birth(rng, 18 + int(rng.random() ** 1.4 * 60), today)
    if origin == PERMIT:
        name = draw_name(rng, "44", male, born.year)
        return Person(book.draw_permit(born, male), PERMIT, name, male, born)
    if origin == FOREIGN:
        name = draw_foreign_name(rng)
        if rng.random() < 0.4:
            return Person(book.draw_foreign_old(born), FOREIGN_OLD, name, male, born)
        return Person(book.draw_foreign(born, male), FOREIGN, name, male, born)
    return _draw_resident(rng, book, origin, male, born)


def age(person: Person, today: date) -> int:
    """Completed years of age."""
    return today.year - person.born.year - ((today.month, today.day) < (person.born.month, person.born.day))


def _draw_resident(
    rng: random.Random, book: NumberBook, province: str, male: bool, born: date, surname: str = ""
) -> Person:
    number = book.draw_resident(province, born, male)
    former = ""
    if rng.random() < _CHANGED_NUMBER:
        # Most changes correct a shared number or a birth date recorded wrongly.
        before = date.fromordinal(born.toordinal() - 1 - int(rng.random() * 200))
        former = book.draw_resident(province, before, male)
    return Person(number, RESIDENT, draw_name(rng, province, male, born.year, surname), male, born, former)


def _draw_birth(rng: random.Random, years: int, today: date) -> date:
    return date.fromordinal(today.toordinal() - years * 365 - years // 4 - 1 - int(rng.random() * 364))


def _draw_household(
    rng: random.Random,
    book: NumberBook,
    number: str,
    province: str,
    size: int,
    married_in: float,
    today: date,
) -> Household:
    head_age = min(88, max(23, round(rng.normalvariate(51, 14))))
    head_male = rng.random() < 0.72
    surname = draw_surname(rng, province)
    members = []
    for place, (relation, years, male) in enumerate(_draw_roles(rng, size, head_age, head_male), 1):
        from_elsewhere = relation == SPOUSE and rng.random() < 4 * married_in
        origin = rng.choice(("43", "44", "52", "53")) if from_elsewhere else province
        family = "" if relation in (SPOUSE, "母") else surname
        person = _draw_resident(rng, book, origin, male, _draw_birth(rng, years, today), family)
        members.append(Member(f"{number}/{place:02d}", f"{place:02d}", relation, person))
    return Household(number, tuple(members))


def _draw_roles(rng: random.Random, size: int, head_age: int, head_male: bool) -> list[tuple[str, int, bool]]:
    """Relation to the head, age and sex of each member."""
    roles = [(HEAD, head_age, head_male)]
    if size > 1 and rng.random() < 0.78:
        roles.append((SPOUSE, max(21, head_age + rng.randint(-5, 4)), not head_male))
    parents = ["母", "父"] if head_age < 66 else []
    while len(roles) < size:
        if parents and rng.random() < 0.3:
            relation = parents.pop()
            roles.append((relation, min(97, head_age + rng.randint(20, 32)), relation == "父"))
            continue
        male = rng.random() < 0.52
        years = head_age - rng.randint(21, 34)
        if years > 30 and rng.random() < 0.6:
            roles.append(("孙子" if male else "孙女", max(0, years - rng.randint(22, 30)), male))
        else:
            roles.append(("子" if male else "女", max(0, years), male))
    return roles
