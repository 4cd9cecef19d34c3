"""Lists of households and mandates that a node keeps (docs/mandates.md), and the rows that are refused."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from matcher.names import normalise_name
from node.domain.households import MEMBER, RELATIVE, Household, Person
from node.domain.households import fault as household_fault
from node.domain.mandate import Mandate
from node.domain.records import Reject
from node.domain.stored_mandates import StoredMandate
from node.domain.stored_mandates import fault as mandate_fault
from node.tabular.delimited import TO_FIND, CellError, Row, clean
from node.tabular.fields import IDENTITY_ALIASES, read_identities, read_name
from node.tabular.list_files import ListTable
from node.tabular.person_lists import (
    HOUSEHOLD_ALIASES,
    MANDATE_ALIASES,
    read_day,
    read_list,
    read_mandate,
    read_names,
    read_number,
)
from node.tabular.text_form import TextForm

PERSON_ALIASES: Mapping[str, tuple[str, ...]] = {
    "household_no": HOUSEHOLD_ALIASES["household_no"],
    "member_no": HOUSEHOLD_ALIASES["member_no"],
    **IDENTITY_ALIASES,
    "application_no": ("application_no", "受理编号"),
    "office": MANDATE_ALIASES["office"],
    "role": ("role", "人员类别"),
    "relation": ("relation", "与户主关系"),
    "province": ("province", "居住省份"),
    "guardian": ("guardian", "监护人"),
    "born": ("born", "出生日期"),
}
FORM_ALIASES: Mapping[str, tuple[str, ...]] = {
    **MANDATE_ALIASES,
    "household_no": HOUSEHOLD_ALIASES["household_no"],
    "application_no": PERSON_ALIASES["application_no"],
    "guardians": ("guardians", "监护人"),
    "form_file": ("form_file", "授权书扫描件"),
    "signature": ("signature", "委托单位签名"),
    "certificate": ("certificate", "委托单位证书"),
}
ROLE_NAMES: Mapping[str, str] = {
    "": MEMBER,
    MEMBER: MEMBER,
    RELATIVE: RELATIVE,
    "共同生活家庭成员": MEMBER,
    "家庭成员": MEMBER,
    "赡抚扶养义务人": RELATIVE,
}


class HouseholdList(NamedTuple):
    """The households of a list, the rows that are refused, and the first row of each household."""

    households: list[Household]
    rejects: list[Reject]
    lines: list[int]


class MandateList(NamedTuple):
    """The mandates of a list, the files with their scanned forms by number, the rows that are refused, and
    the row of each mandate.
    """

    mandates: list[StoredMandate]
    files: dict[str, str]
    rejects: list[Reject]
    lines: list[int]


def read_household_records(path: Path, stated: TextForm = TO_FIND) -> HouseholdList:
    """Households of a list with one row a person; rows of a household may be anywhere in it.

    Raises InputError for a file that cannot be used as a whole.
    """
    places: dict[str, tuple[ListTable, int]] = {}

    def build(table: ListTable, row: Row) -> tuple[str, str, str, Person]:
        number = read_number(table, row, "household_no")
        places.setdefault(number, (table, row.line))
        office = clean(table.cell(row, "office"))
        application = clean(table.cell(row, "application_no"))
        person = _read_person(table, row)
        # Found here, a fault has its row.
        alone = household_fault(_with_head(Household(number, application, office, (person,)), person))
        if alone is not None:
            raise CellError(*alone)
        return number, application, office, person

    required = ("household_no", "member_no", "id_no", "name", "office", "application_no")
    found, rejects = read_list(path, PERSON_ALIASES, None, stated, required, build)
    people: dict[str, list[Person]] = {}
    heads: dict[str, tuple[str, str]] = {}
    for number, application, office, person in found:
        table, line = places[number]
        if heads.setdefault(number, (application, office)) != (application, office):
            message = "the rows of a household name different applications or offices"
            rejects.append(table.reject(line, CellError("office", "rows_differ", message)))
        people.setdefault(number, []).append(person)
    households = [Household(number, *heads[number], tuple(each)) for number, each in people.items()]
    for one in households:
        wrong = household_fault(one)
        if wrong is not None:
            table, line = places[one.number]
            rejects.append(table.reject(line, CellError(*wrong)))
    return HouseholdList(households, rejects, [places[one.number][1] for one in households])


def _with_head(household: Household, person: Person) -> Household:
    """The row by itself: a relative is judged as if it were a member, as no household has only relatives."""
    if person.role == MEMBER:
        return household
    alone = Person(person.member_no, person.name, person.identities, MEMBER, person.relation, person.province)
    return Household(household.number, household.application_no, household.office, (alone,))


def read_role(table: ListTable, row: Row) -> str:
    """Member or relative; an empty cell, or no such column, is a member. Raises CellError."""
    role = ROLE_NAMES.get(clean(table.cell(row, "role")).lower())
    if role is None:
        known = ", ".join(sorted(filter(None, ROLE_NAMES)))
        raise CellError("role", "unknown_word", f"the role is not one of {known}")
    return role


def _read_person(table: ListTable, row: Row) -> Person:
    return Person(
        member_no=read_number(table, row, "member_no"),
        name=read_name(table.layout, row),
        identities=read_identities(table.layout, row),
        role=read_role(table, row),
        relation=clean(table.cell(row, "relation")),
        province=clean(table.cell(row, "province")).removesuffix("0000"),
        guardian=normalise_name(table.cell(row, "guardian")),
        born=read_day(table, row, "born"),
    )


def read_mandate_records(path: Path, stated: TextForm = TO_FIND) -> MandateList:
    """Mandates of a list, one a row.

    Raises InputError for a file that cannot be used as a whole.
    """
    seen: set[str] = set()
    files: dict[str, str] = {}

    def build(table: ListTable, row: Row) -> tuple[StoredMandate, int]:
        mandate = read_mandate(table, row)
        if mandate.number.upper() in seen:
            message = "the mandate number was seen on an earlier row"
            raise CellError("mandate_no", "duplicate_mandate", message)
        seen.add(mandate.number.upper())
        stored = _read_stored(table, row, mandate)
        wrong = mandate_fault(stored)
        if wrong is not None:
            raise CellError(*wrong)
        name = clean(table.cell(row, "form_file"))
        if name:
            files[mandate.number] = _check_file(name)
        return stored, row.line

    required = (
        "mandate_no",
        "office",
        "people",
        "scope_items",
        "scope_regions",
        "valid_from",
        "valid_to",
        "signers",
    )
    found, rejects = read_list(path, FORM_ALIASES, None, stated, (*required, "doc_hash"), build)
    return MandateList([one for one, _ in found], files, rejects, [line for _, line in found])


def _read_stored(table: ListTable, row: Row, mandate: Mandate) -> StoredMandate:
    number = table.cell(row, "household_no").strip()
    return StoredMandate(
        mandate,
        read_number(table, row, "household_no") if number else "",
        clean(table.cell(row, "application_no")),
        read_names(table, row, "guardians"),
        _read_base64(table, row, "signature"),
        _read_base64(table, row, "certificate"),
    )


def _read_base64(table: ListTable, row: Row, field: str) -> bytes:
    try:
        return base64.b64decode(table.cell(row, field).strip(), validate=True)
    except (binascii.Error, ValueError):
        raise CellError(field, "not_base64", "the cell is not base64 text") from None


def _check_file(name: str) -> str:
    if Path(name).name != name or name.startswith("."):
        raise CellError("form_file", "bad_file", "the file is named without a folder")
    return name
