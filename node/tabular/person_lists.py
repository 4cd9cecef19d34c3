"""A county's lists: households and mandates for `heqiao verify`, people for `heqiao sum` (docs/import.md)."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TypeVar

from matcher.names import is_name
from matcher.types import Identity
from node.domain.catalogue import CODE_PATTERN
from node.domain.mandate import ANY, CODE, DOC_HASH, EVENTS, PROGRAMMES, SIG_TYPES, Mandate
from node.domain.matters import is_matter
from node.domain.records import Reject
from node.domain.subjects import NUMBER, Subject, holds_identity
from node.tabular.damage import check_code, count_rounded, is_nothing, refuse_rounded
from node.tabular.delimited import TO_FIND, CellError, Row, clean
from node.tabular.fields import (
    IDENTITY_ALIASES,
    MAX_NAME,
    PERSON_ALIASES,
    parse_date,
    parse_identity,
    read_identities,
    read_name,
)
from node.tabular.list_files import ListTable, open_list
from node.tabular.text_form import TextForm

HOUSEHOLD_ALIASES = {
    "household_no": ("household_no", "户编号"),
    "member_no": ("member_no", "成员编号"),
    **IDENTITY_ALIASES,
    "mandate_no": ("mandate_no", "授权书编号"),
}
MANDATE_ALIASES = {
    "mandate_no": ("mandate_no", "授权书编号"),
    "template_id": ("template_id", "授权书样式"),
    "office": ("office", "委托单位"),
    "people": ("people", "被授权核对人证件号码"),
    "programme": ("programme", "社会救助项目"),
    "scope_items": ("scope_items", "核对项目"),
    "scope_regions": ("scope_regions", "核对区域"),
    "valid_from": ("valid_from", "有效期起"),
    "valid_to": ("valid_to", "有效期止"),
    "revoked_at": ("revoked_at", "撤销日期"),
    "signers": ("signers", "签字人"),
    "agents": ("agents", "代理人"),
    "sig_type": ("sig_type", "签署方式"),
    "doc_hash": ("doc_hash", "授权书摘要"),
    "matter": ("matter", "救助事项"),
}
# The business types of domain.md section 7, as Chinese lists name them.
PROGRAMME_NAMES: Mapping[str, str] = {
    **{name: name for name in (*PROGRAMMES, ANY)},
    "": ANY,
    "新申请": "new_application",
    "在保复核": "review",
    "复核": "review",
    "举报": "report",
    "举报核查": "report",
    "动态监测": "monitoring",
    "其他": "other",
}
# Until when a mandate without a last day lasts, and how it was signed, as lists word them.
EVENT_NAMES: Mapping[str, str] = {
    **{name: name for name in EVENTS},
    "退出救助": "programme_exit",
    "家庭变更": "household_change",
}
SIG_TYPE_NAMES: Mapping[str, str] = {
    **{name: name for name in ("", *SIG_TYPES)},
    "签字": "handwritten",
    "指印": "fingerprint",
    "电子签名": "electronic",
}
T = TypeVar("T")
MAX_SCOPE = 100  # items, regions, signers or agents of one mandate
MAX_PEOPLE = 50  # numbers of one mandate: more do not fit in a cell

_ITEM = re.compile(CODE_PATTERN)
_REGION = re.compile(r"[0-9]{2}(?:[0-9]{2}){0,2}")


def read_households(
    path: Path, columns: Mapping[str, str] | None = None, stated: TextForm = TO_FIND
) -> tuple[list[Subject], list[Reject]]:
    """Read a household list: one subject per row, in file order, and the rows that cannot be used.

    A repeated reference is a reject; the same person under two references is not.
    Raises InputError for a file that cannot be used as a whole.
    """
    seen: set[str] = set()

    def build(table: ListTable, row: Row) -> Subject:
        subject = _read_subject(table, row)
        if subject.ref in seen:
            raise CellError(
                "member_no", "duplicate_ref", "household and member number were seen on an earlier row"
            )
        seen.add(subject.ref)
        return subject

    required = ("household_no", "member_no", "id_no", "mandate_no")
    return read_list(path, HOUSEHOLD_ALIASES, columns, stated, required, build)


def read_members(path: Path) -> tuple[list[tuple[str, tuple[Identity, ...]]], list[Reject]]:
    """Read the people of one household, each with name and identities, and the rows that cannot be used.

    Raises InputError for a file that cannot be used as a whole.
    """

    def build(table: ListTable, row: Row) -> tuple[str, tuple[Identity, ...]]:
        name = read_name(table.layout, row)
        if not name:
            raise CellError("name", "bad_name", "a member has a name")
        return name, read_identities(table.layout, row)

    return read_list(path, IDENTITY_ALIASES, None, TO_FIND, ("id_no", "name"), build)


def read_cohort(
    path: Path, columns: Mapping[str, str] | None = None, stated: TextForm = TO_FIND
) -> tuple[list[tuple[Identity, ...]], list[Reject]]:
    """Read the people of a sum: the identities of each, in file order, and the rows that cannot be used.

    Only the columns of identities are read. A person with a repeated number is a reject: each
    counts once. Raises InputError for a file that cannot be used as a whole.
    """
    seen: set[Identity] = set()

    def build(table: ListTable, row: Row) -> tuple[Identity, ...]:
        identities = read_identities(table.layout, row)
        if not seen.isdisjoint(identities):
            raise CellError("id_no", "duplicate_person", "a number of this person was seen on an earlier row")
        seen.update(identities)
        return identities

    return read_list(path, PERSON_ALIASES, columns, stated, ("id_no",), build)


def read_mandates(
    path: Path, columns: Mapping[str, str] | None = None, stated: TextForm = TO_FIND
) -> tuple[dict[str, Mandate], list[Reject]]:
    """Read a list of mandates by number; a repeated number is a reject.

    Raises InputError for a file that cannot be used as a whole.
    """
    seen: set[str] = set()

    def build(table: ListTable, row: Row) -> Mandate:
        mandate = read_mandate(table, row)
        if mandate.number in seen:
            raise CellError(
                "mandate_no", "duplicate_mandate", "the mandate number was seen on an earlier row"
            )
        seen.add(mandate.number)
        return mandate

    required = (
        "mandate_no",
        "office",
        "people",
        "scope_items",
        "scope_regions",
        "valid_from",
        "valid_to",
        "signers",
        "doc_hash",
    )
    mandates, rejects = read_list(path, MANDATE_ALIASES, columns, stated, required, build)
    return {mandate.number: mandate for mandate in mandates}, rejects


def read_revoked(
    path: Path, columns: Mapping[str, str] | None = None, stated: TextForm = TO_FIND
) -> tuple[list[str], list[Reject]]:
    """Read the numbers of mandates that are revoked, from a list with that column.

    Raises InputError for a file that cannot be used as a whole.
    """

    def build(table: ListTable, row: Row) -> str:
        return read_number(table, row, "mandate_no")

    aliases = {"mandate_no": MANDATE_ALIASES["mandate_no"]}
    return read_list(path, aliases, columns, stated, ("mandate_no",), build)


def read_list(
    path: Path,
    aliases: Mapping[str, tuple[str, ...]],
    columns: Mapping[str, str] | None,
    stated: TextForm,
    required: tuple[str, ...],
    build: Callable[[ListTable, Row], T],
) -> tuple[list[T], list[Reject]]:
    """The rows of a list as `build` makes them, and those it refuses. Raises InputError as the others do."""
    built: list[T] = []
    rejects: list[Reject] = []
    numbers: list[str] = []
    with open_list(path, aliases, columns, stated) as table:
        table.require(*required)
        for row in table.rows():
            if isinstance(row, Reject):
                rejects.append(row)
                continue
            numbers.append(clean(table.cell(row, "id_no")))
            numbers += split(table.cell(row, "people"))
            try:
                built.append(build(table, row))
            except CellError as error:
                rejects.append(table.reject(row.line, error))
    hint = "format the column as text before the list is opened in a spreadsheet, and write it again"
    refuse_rounded(str(path), "identity numbers", count_rounded(numbers), hint)
    return built, rejects


def _read_subject(table: ListTable, row: Row) -> Subject:
    identities = read_identities(table.layout, row)
    household = read_number(table, row, "household_no")
    member = read_number(table, row, "member_no")
    for field, number in (("household_no", household), ("member_no", member)):
        # A reference is used in jobs, logs and reports, which must never contain an identity number.
        if holds_identity(number, identities):
            raise CellError(
                field, "ref_is_identity", "an identity number must not serve as household or member number"
            )
    stated = table.cell(row, "mandate_no")
    mandate = read_number(table, row, "mandate_no") if stated and not is_nothing(stated) else ""
    return Subject(f"{household}/{member}", household, read_name(table.layout, row), identities, mandate)


def read_number(table: ListTable, row: Row, field: str) -> str:
    """A number of a household, a member or a mandate; raises CellError."""
    number = clean(table.cell(row, field))
    if not number:
        raise CellError(field, "empty", "the number is empty")
    if not NUMBER.fullmatch(number) or not number.isprintable():
        raise CellError(field, "bad_number", "a number is at most 48 characters without blanks and slashes")
    check_code(field, number.upper())
    return number


def read_mandate(table: ListTable, row: Row) -> Mandate:
    """One form; raises CellError."""
    number = read_number(table, row, "mandate_no")
    if holds_identity(number, ()):
        raise CellError(
            "mandate_no", "ref_is_identity", "an identity number must not serve as mandate number"
        )
    programme = PROGRAMME_NAMES.get(clean(table.cell(row, "programme")).lower())
    if programme is None:
        raise CellError(
            "programme", "unknown_programme", f"the programme is not one of {', '.join(PROGRAMMES)}"
        )
    valid_from = read_day(table, row, "valid_from")
    if valid_from is None:
        raise CellError("valid_from", "empty", "the first day of the mandate is empty")
    valid_to, event = _read_end(table, row)
    if valid_to is not None and valid_to < valid_from:
        raise CellError("valid_to", "ends_before_start", "the mandate ends before it starts")
    signers = read_names(table, row, "signers")
    if not signers:
        raise CellError("signers", "empty", "nobody signed the mandate")
    return Mandate(
        number=number,
        programme=programme,
        items=_read_scope(table, row, "scope_items", _ITEM),
        regions=frozenset(map(_short_region, _read_scope(table, row, "scope_regions", _REGION))),
        valid_from=valid_from,
        valid_to=valid_to,
        revoked_at=read_day(table, row, "revoked_at"),
        event=event,
        office=_read_office(table, row),
        template_id=_read_template(table, row),
        sig_type=_read_word(table, row, "sig_type", SIG_TYPE_NAMES),
        matter=_read_matter(table, row),
        signers=signers,
        agents=read_names(table, row, "agents"),
        people=frozenset(one.value for one in _read_people(table, row)),
        doc_hash=_read_hash(table, row),
    )


def _read_end(table: ListTable, row: Row) -> tuple[date | None, str]:
    """The last day of a mandate, or the event that ends it."""
    text = clean(table.cell(row, "valid_to")).lower()
    if not text:
        words = ", ".join(EVENTS)
        raise CellError("valid_to", "empty", f"a mandate needs a last day, or an event that ends it: {words}")
    event = EVENT_NAMES.get(text, "")
    return (None, event) if event else (read_day(table, row, "valid_to"), "")


def _read_office(table: ListTable, row: Row) -> str:
    office = table.cell(row, "office").strip()
    if not office:
        raise CellError("office", "empty", "the office that ordered the verification is empty")
    if len(office) > MAX_NAME or not is_name(office) or holds_identity(office, ()):
        raise CellError(
            "office", "bad_office", f"an office is a name or code of at most {MAX_NAME} characters"
        )
    return office


def _read_template(table: ListTable, row: Row) -> str:
    template = clean(table.cell(row, "template_id"))
    if template and not CODE.fullmatch(template):
        raise CellError(
            "template_id", "bad_code", "the form's code has letters, digits, dot, underscore, hyphen"
        )
    return template


def _read_matter(table: ListTable, row: Row) -> str:
    matter = clean(table.cell(row, "matter"))
    if matter and matter != ANY and not is_matter(matter):
        raise CellError(
            "matter", "unknown_matter", "the matter is two digits of docs/mandates.md, * or nothing"
        )
    return matter


def _read_word(table: ListTable, row: Row, field: str, words: Mapping[str, str]) -> str:
    word = words.get(clean(table.cell(row, field)).lower())
    if word is None:
        known = ", ".join(sorted(set(words.values()) - {""}))
        raise CellError(field, "unknown_word", f"the word is not one of {known}")
    return word


def _read_hash(table: ListTable, row: Row) -> str:
    doc_hash = clean(table.cell(row, "doc_hash")).lower()
    if not doc_hash:
        raise CellError("doc_hash", "empty", "the digest of the signed form is empty")
    if not DOC_HASH.fullmatch(doc_hash):
        raise CellError("doc_hash", "bad_hash", "the digest of the form is 32 to 128 hexadecimal digits")
    return doc_hash


def read_names(table: ListTable, row: Row, field: str) -> tuple[str, ...]:
    """Names in a cell; raises CellError."""
    found = tuple(split(table.cell(row, field)))
    if len(found) > MAX_SCOPE or not all(map(is_name, found)):
        raise CellError(field, f"bad_{field}", f"{field} are at most {MAX_SCOPE} names separated by ;")
    return found


def _read_people(table: ListTable, row: Row) -> list[Identity]:
    parts = split(table.cell(row, "people"))
    if not parts:
        raise CellError("people", "empty", "the mandate names nobody whom it is for")
    if len(parts) > MAX_PEOPLE:
        raise CellError("people", "too_many", f"a mandate is for at most {MAX_PEOPLE} identity numbers")
    return [parse_identity("people", part) for part in parts]


def _read_scope(table: ListTable, row: Row, field: str, form: re.Pattern[str]) -> frozenset[str]:
    parts = split(table.cell(row, field))
    if not parts:
        raise CellError(field, "empty_scope", "the scope is empty; write * for everything")
    if len(parts) > MAX_SCOPE or not all(part == ANY or form.fullmatch(part) for part in parts):
        raise CellError(field, "bad_scope", "a scope is * or codes separated by ;")
    return frozenset(parts)


def read_day(table: ListTable, row: Row, field: str) -> date | None:
    """A day, None for an empty cell; raises CellError."""
    text = table.cell(row, field)
    if not text.strip():
        return None
    day = parse_date(text)
    if day is None:
        raise CellError(field, "bad_date", "the date is not a real one written as 2026-06-30")
    return day


def split(text: str) -> list[str]:
    """The parts of a cell that holds several, separated by semicolons or Chinese list commas."""
    # NFKC converts the full-width semicolon; lists also use the Chinese list comma (、).
    return [part.strip() for part in clean(text).replace("、", ";").split(";") if part.strip()]


def _short_region(code: str) -> str:
    # 440000 and 44 are the same province (GB/T 2260): a trailing pair of zeros means the whole area.
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code
