"""Lists of households and mandates for tests, with people whose county codes end in 9999."""

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

from matcher.identity import check_digit
from matcher.types import Identity
from node.domain.households import Household, Person
from node.domain.mandate import Mandate
from node.domain.mandate_numbers import make_number
from node.domain.stored_mandates import StoredMandate
from tests.support.examples import mandate_for
from tests.support.single_node import number

HEAD, SPOUSE, SON = (number(place, "459999") for place in (101, 102, 103))
CHILD = "45999920200101001"  # born in 2020; the check character follows
OFFICE = "459999"
NAMES = {"head": "韦一", "spouse": "韦二", "child": "韦三", "relative": "韦四"}


def child_number() -> str:
    return CHILD + check_digit(CHILD)


def person(member_no: str, who: str, value: str, **changes: object) -> Person:
    made = Person(member_no, NAMES[who], (Identity("resident", value),))
    return replace(made, **changes)


def household(no: str = "H1", **changes: object) -> Household:
    """A couple with a child, and a grown-up son who lives in Guangdong."""
    people = (
        person("1", "head", HEAD),
        person("2", "spouse", SPOUSE),
        person("3", "child", child_number()),
        person("9", "relative", SON, role="relative", province="44", relation="子"),
    )
    return replace(Household(no, "A-2026-1", OFFICE, people), **changes)


def mandate(
    *people: str,
    no: str = "",
    household_no: str = "H1",
    guardians: tuple[str, ...] = ("韦一",),
    **changes: object,
) -> StoredMandate:
    """A mandate that covers everything, signed by both adults; the child's guardian is the head."""
    named = people or (HEAD, SPOUSE, child_number())
    made = mandate_for(*named, number=no or make_number(OFFICE, date(2026, 1, 1), "01", 1))
    signed: Mandate = replace(made, signers=("韦一", "韦二"), office=OFFICE, doc_hash="ab" * 32)
    return StoredMandate(replace(signed, **changes), household_no, "A-2026-1", guardians)


def consent(no: str = "M9", **changes: object) -> StoredMandate:
    """The relative's own mandate."""
    return mandate(SON, no=no, guardians=(), **{"signers": ("韦四",), **changes})


def household_rows(*households: Household) -> list[list[str]]:
    header = ["household_no", "application_no", "office", "member_no", "role", "relation", "name", "id_no"]
    rows = [[*header, "province", "guardian"]]
    for one in households:
        for each in one.people:
            own = [each.member_no, each.role, each.relation, each.name, each.identities[0].value]
            rows.append([one.number, one.application_no, one.office, *own, each.province, each.guardian])
    return rows


def mandate_rows(*mandates: StoredMandate) -> list[list[str]]:
    header = ["mandate_no", "household_no", "application_no", "template_id", "office", "programme", "matter"]
    rows = [[*header, "people", "scope_items", "scope_regions", "valid_from", "valid_to", "signers", "agents",
             "guardians", "sig_type", "doc_hash"]]  # fmt: skip
    for one in mandates:
        form = one.mandate
        last = form.event or (form.valid_to.isoformat() if form.valid_to else "")
        rows.append(
            [
                *(form.number, one.household_no, one.application_no, form.template_id, form.office),
                *(form.programme, form.matter, ";".join(sorted(form.people))),
                *(";".join(sorted(form.items)), ";".join(sorted(form.regions))),
                *(form.valid_from.isoformat(), last, ";".join(form.signers), ";".join(form.agents)),
                *(";".join(one.guardians), form.sig_type, form.doc_hash),
            ]
        )
    return rows


def write_rows(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path
