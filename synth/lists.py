"""The county's export: households with their members, and one mandate for each household."""

import csv
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from synth.ledger import ITEMS
from synth.names import write_name
from synth.numbers import NumberBook, check_character, fifteen, has_fifteen, spoil_check, write_number
from synth.people import HEAD, Household, Member, age, draw_outsider
from synth.registers import DOCUMENTS
from synth.scenario import Scenario

_HEADER_ZH: Final = (
    "户编号", "成员编号", "与户主关系", "姓名", "证件类型", "证件号码", "曾用证件号码", "授权书编号",
)  # fmt: skip
_HEADER: Final = (
    "household_no", "member_no", "relation", "name", "id_type", "id_no", "former_id_no", "mandate_no",
)  # fmt: skip
_MANDATE_HEADER: Final = (
    "mandate_no", "template_id", "office", "programme", "scope_items", "scope_regions", "people",
    "valid_from", "valid_to", "revoked_at", "signers", "agents", "sig_type", "doc_hash",
)  # fmt: skip
_PROGRAMME_CODE: Final = "01"
_TEMPLATES: Final = ("national", "provincial")  # two wordings of the form (domain.md section 7)
_SIGNS_FROM: Final = 14  # a guardian signs for younger members (domain.md section 7)


@dataclass(frozen=True, slots=True)
class Mandate:
    """One household's authorisation, as on the signed form."""

    number: str
    office: str
    scope_items: str
    scope_regions: str
    people: str
    valid_from: date
    valid_to: date
    revoked_at: date | None
    signers: str
    agents: str
    doc_hash: str

    def __repr__(self) -> str:
        return "Mandate(****)"


def choose_spared(rng: random.Random, households: Sequence[Household], people: int) -> set[str]:
    """Numbers of households of exactly `people` members together, small ones last to make it exact."""
    order = rng.sample(range(len(households)), len(households))
    spared: set[str] = set()
    left = people
    for place in order:
        size = len(households[place].members)
        if size <= left:
            spared.add(households[place].number)
            left -= size
        if not left:
            break
    return spared


def spoil_members(
    rng: random.Random, book: NumberBook, households: Sequence[Household], count: int, today: date
) -> dict[str, Member]:
    """Extra members, by household, whose number has a wrong check character: rows to be rejected."""
    extra = {}
    for place in sorted(rng.sample(range(len(households)), count)):
        household = households[place]
        person = draw_outsider(rng, book, household.number[:2], today)
        person = replace(person, number=spoil_check(person.number), former="")
        member_no = f"{len(household.members) + 1:02d}"
        extra[household.number] = Member(f"{household.number}/{member_no}", member_no, "其他", person)
    return extra


def draw_mandates(
    rng: random.Random, scenario: Scenario, households: Sequence[Household], spared: set[str], today: date
) -> dict[str, Mandate]:
    """A mandate for each household; those of `spared` are expired, revoked, or cover something else."""
    mandates = {}
    sequences: Counter[date] = Counter()
    faults = 0
    for household in households:
        signed = _back(today, 35 + int(rng.random() * 365))
        sequences[signed] += 1
        body = f"{scenario.requester}9999{signed:%Y%m%d}{_PROGRAMME_CODE}{sequences[signed]:05d}"
        mandate = Mandate(
            number=body + check_character(body),
            office=f"{scenario.requester}9999000000",
            scope_items="*" if rng.random() < 0.7 else ";".join(ITEMS),
            scope_regions="*" if rng.random() < 0.8 else ";".join(scenario.providers),
            people=_numbers(household),
            valid_from=signed,
            valid_to=_back(today, -400 - int(rng.random() * 600)),
            revoked_at=None,
            signers=_signers(household, today),
            agents=_agents(household, today),
            doc_hash=f"{rng.getrandbits(256):064x}",
        )
        if household.number in spared:
            mandate = _void(mandate, faults, scenario, today)
            faults += 1
        mandates[household.number] = mandate
    return mandates


def write_mandates(path: Path, mandates: Iterable[Mandate], programme: str) -> int:
    """Write mandates.csv; returns the number of rows."""
    rows = [
        (
            mandate.number,
            _TEMPLATES[mandate.scope_regions != "*"],
            mandate.office,
            programme,
            mandate.scope_items,
            mandate.scope_regions,
            mandate.people,
            mandate.valid_from.isoformat(),
            mandate.valid_to.isoformat(),
            mandate.revoked_at.isoformat() if mandate.revoked_at else "",
            mandate.signers,
            mandate.agents,
            "handwritten",
            mandate.doc_hash,
        )
        for mandate in mandates
    ]
    write_csv(path, _MANDATE_HEADER, rows)
    return len(rows)


def write_households(
    path: Path, rng: random.Random, scenario: Scenario, households: Sequence[Household],
    extra: dict[str, Member], mandates: dict[str, Mandate],
) -> tuple[int, Counter[str]]:  # fmt: skip
    """Write households.csv as a clerk typed it; returns the number of rows and of each fault."""
    faults: Counter[str] = Counter()
    rows: list[tuple[str, ...]] = []
    for household in households:
        members = household.members
        if household.number in extra:
            members = (*members, extra[household.number])
            faults["wrong_check_digit"] += 1
        for member in members:
            spoiled = member is members[-1] and household.number in extra
            cells = _write_member(rng, member, 0.0 if spoiled else scenario.fault_rate, faults)
            rows.append((household.number, *cells, mandates[household.number].number))
    write_csv(path, _HEADER_ZH if scenario.chinese_headers else _HEADER, rows)
    return len(rows), faults


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a plain UTF-8 file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_member(rng: random.Random, member: Member, rate: float, faults: Counter[str]) -> tuple[str, ...]:
    person = member.person
    number, fault = write_number(rng, person.number, rate)
    name, changed = write_name(rng, person.name, rate)
    former, former_fault = write_number(rng, person.former, rate) if person.former else ("", "")
    if not former and has_fifteen(person.number) and rng.random() < rate:
        # An old first-generation card: the same number once more, not another one.
        former, former_fault = fifteen(person.number), "former_is_same"
    faults.update(name for name in (fault, former_fault, "name_written_otherwise" if changed else "") if name)
    return member.member_no, member.relation, name, DOCUMENTS[person.id_type], number, former


def _void(mandate: Mandate, turn: int, scenario: Scenario, today: date) -> Mandate:
    """One of the ways in which a mandate fails to cover a query of today."""
    elsewhere = "54" if "54" not in scenario.providers else "63"
    ways = (
        replace(mandate, valid_to=_back(today, 12)),
        replace(mandate, revoked_at=_back(today, 9)),
        replace(mandate, scope_items="A05;Z63"),
        replace(mandate, scope_regions=elsewhere),
        replace(mandate, valid_from=_back(today, -30)),
    )
    return ways[turn % len(ways)]


def _numbers(household: Household) -> str:
    people = [member.person for member in household.members]
    return ";".join(number for one in people for number in (one.number, one.former) if number)


def _agents(household: Household, today: date) -> str:
    minor = any(m.relation != HEAD and age(m.person, today) < _SIGNS_FROM for m in household.members)
    return household.members[0].person.name if minor else ""


def _signers(household: Household, today: date) -> str:
    able = [m for m in household.members if m.relation == HEAD or age(m.person, today) >= _SIGNS_FROM]
    return ";".join(member.person.name for member in able)


def _back(today: date, days: int) -> date:
    return date.fromordinal(today.toordinal() - days)
