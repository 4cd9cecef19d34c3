"""What households declare, in columns of a county's list beside its people (docs/import.md).

One row a person; what a household declares stands on one of its rows, or the same on several.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from node.domain.declared import CAUSES, MOST_FEN, DeclaredHousehold, is_number
from node.domain.households import RELATIVE
from node.domain.records import Reject
from node.domain.subjects import Subject
from node.tabular.delimited import TO_FIND, CellError, Row, clean
from node.tabular.list_files import ListTable, open_list
from node.tabular.record_lists import PERSON_ALIASES, read_household_records, read_role
from node.tabular.text_form import TextForm

_AMOUNTS: Final[Mapping[str, tuple[str, str]]] = {
    "declared_income_fen": ("income", "申报收入(分)"),
    "declared_assets_fen": ("assets", "申报财产(分)"),
    "declared_spending_fen": ("spending", "申报支出(分)"),
}
DECLARED_ALIASES: Final = {
    "household_no": ("household_no", "户编号"),
    "member_no": ("member_no", "成员编号"),
    **{name: (name, chinese) for name, (_, chinese) in _AMOUNTS.items()},
    "causes": ("causes", "致困原因"),
    "application_no": ("application_no", "申请编号"),
    "acceptance_no": ("acceptance_no", "受理编号"),
    "member_kind": ("member_kind", "成员类别"),
    "role": PERSON_ALIASES["role"],
}
# The causes of domain.md section 11, S37, as Chinese lists name them.
CAUSE_NAMES: Final[Mapping[str, str]] = {
    **{name: name for name in CAUSES},
    "因病": "illness",
    "因残": "disability",
    "因学": "schooling",
    "因灾": "disaster",
    "缺劳力": "labour",
    "因意外": "accident",
    "其他": "other",
}
_APPLICANT, _MEMBER = "applicant", "member"
KIND_NAMES: Final[Mapping[str, str]] = {
    **{name: name for name in (_APPLICANT, _MEMBER, RELATIVE)},
    "申请人": _APPLICANT,
    "共同生活家庭成员": _MEMBER,
    "赡抚扶养义务人": RELATIVE,
}


@dataclass
class _Household:
    """What the rows of one household say so far."""

    amounts: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    numbers: dict[str, str] = field(default_factory=dict)
    applicant: str = ""
    id_type: str = ""
    relatives: list[str] = field(default_factory=list)
    is_bad: bool = False

    @property
    def says_something(self) -> bool:
        """Whether any column was filled in."""
        return any((self.amounts, self.items, self.causes, self.numbers, self.applicant, self.relatives))


def read_declared(
    path: Path,
    people: Iterable[Subject],
    items: Sequence[str],
    columns: Mapping[str, str] | None = None,
    stated: TextForm = TO_FIND,
) -> tuple[tuple[DeclaredHousehold, ...], list[Reject]]:
    """What the households of a list declare, and the rows whose declared columns cannot be used.

    `people` are those of the list that can be used, `items` the codes that may have a column `declared_CODE`.
    A household with a wrong row declares nothing: half of its figures would mislead. Raises InputError for a
    file that cannot be used as a whole.
    """
    aliases = {**DECLARED_ALIASES, **{_column(code): (_column(code), f"申报{code}") for code in items}}
    known = {one.ref: one for one in people}
    found: dict[str, _Household] = {}
    rejects: list[Reject] = []
    with open_list(path, aliases, columns, stated) as table:
        if set(table.layout.columns) <= {"household_no", "member_no"}:
            return (), []
        for row in table.rows():
            if isinstance(row, Reject):
                continue  # told already where people are read
            person = known.get(
                f"{clean(table.cell(row, 'household_no'))}/{clean(table.cell(row, 'member_no'))}"
            )
            if person is None:
                continue
            household = found.setdefault(person.household, _Household())
            try:
                _read_row(table, row, person, items, household)
            except CellError as error:
                household.is_bad = True
                rejects.append(table.reject(row.line, error))
    good = {name: one for name, one in found.items() if one.says_something and not one.is_bad}
    return tuple(_declared(name, one) for name, one in good.items()), rejects


def read_declared_records(
    path: Path, numbers: Collection[str], office: str, items: Sequence[str], stated: TextForm = TO_FIND
) -> tuple[tuple[DeclaredHousehold, ...], list[Reject]]:
    """What households on record declare, by the list that put them there and has the declared columns too.

    Only of those in `numbers`, or of offices whose code begins with `office`. Raises InputError for a
    file that cannot be used as a whole.
    """
    households, rejects, _ = read_household_records(path, stated)
    people = [
        Subject(f"{one.number}/{person.member_no}", one.number, "", person.identities, "")
        for one in households
        if one.number in numbers or (office and one.office.startswith(office))
        for person in one.people
    ]
    declared, bad = read_declared(path, people, items, stated=stated)
    return declared, rejects + bad


def _column(code: str) -> str:
    return f"declared_{code}"


def _declared(name: str, one: _Household) -> DeclaredHousehold:
    return DeclaredHousehold(
        household=name,
        income=one.amounts.get("income"),
        assets=one.amounts.get("assets"),
        spending=one.amounts.get("spending"),
        items=one.items,
        causes=one.causes,
        application_no=one.numbers.get("application_no", ""),
        acceptance_no=one.numbers.get("acceptance_no", ""),
        applicant=one.applicant,
        applicant_id_type=one.id_type,
        relatives=tuple(one.relatives),
    )


def _read_row(table: ListTable, row: Row, person: Subject, items: Sequence[str], into: _Household) -> None:
    for name, (total, _) in _AMOUNTS.items():
        _once(name, into.amounts, total, _read_amount(table, row, name))
    for code in items:
        _once(_column(code), into.items, code, _read_amount(table, row, _column(code)))
    for name in ("application_no", "acceptance_no"):
        _once(name, into.numbers, name, _read_code(table, row, name, person))
    causes = _read_causes(table, row)
    if causes and into.causes not in ((), causes):
        raise _differs("causes")
    into.causes = into.causes or causes
    kind = _read_kind(table, row)
    if kind == _APPLICANT:
        if into.applicant:
            raise CellError("member_kind", "second_applicant", "the household has an applicant already")
        into.applicant, into.id_type = person.ref, person.identities[0].id_type
    elif kind == RELATIVE:
        into.relatives.append(person.ref)


def _read_kind(table: ListTable, row: Row) -> str:
    """Applicant, member or relative; a list of households on record says it by its column `role`."""
    text = clean(table.cell(row, "member_kind")).lower()
    if not text:
        return read_role(table, row)
    kind = KIND_NAMES.get(text)
    if kind is None:
        raise CellError("member_kind", "unknown_word", "the kind is not one of applicant, member, relative")
    return kind


T_ = int | str | None


def _once(name: str, into: dict[str, int] | dict[str, str], key: str, value: T_) -> None:
    if value is None:
        return
    known: T_ = into.get(key)
    if known not in (None, value):
        raise _differs(name)
    into[key] = value  # type: ignore[assignment]


def _differs(name: str) -> CellError:
    return CellError(name, "declared_differs", "another row of the household declares something else")


def _read_amount(table: ListTable, row: Row, name: str) -> int | None:
    text = clean(table.cell(row, name)).replace(",", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) > MOST_FEN:
        raise CellError(
            name, "bad_amount", f"an amount is a whole number from 0 to {MOST_FEN}, fen for money"
        )
    return int(text)


def _read_code(table: ListTable, row: Row, name: str, person: Subject) -> str | None:
    text = clean(table.cell(row, name))
    if not text:
        return None
    if not is_number(text, person.identities):
        raise CellError(
            name, "bad_code", "a number has no blanks and slashes, at most 48 characters, and no identity"
        )
    return text


def _read_causes(table: ListTable, row: Row) -> tuple[str, ...]:
    parts = [
        one.strip() for one in clean(table.cell(row, "causes")).replace("、", ";").split(";") if one.strip()
    ]
    found = [CAUSE_NAMES.get(one.lower()) for one in parts]
    if None in found:
        raise CellError("causes", "unknown_cause", f"a cause is not one of {', '.join(CAUSES)}")
    return tuple(sorted({one for one in found if one is not None}, key=CAUSES.index))
