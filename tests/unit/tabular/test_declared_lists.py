"""What households declare in columns of a county's list, and every cell that cannot be used."""

from pathlib import Path

import pytest

from matcher.types import Identity
from node.domain import declared as rules
from node.domain import declared_records
from node.domain.declared import DeclaredHousehold, pack_declared, unpack_declared
from node.tabular.declared_lists import read_declared, read_declared_records
from node.tabular.person_lists import read_households
from tests.support.mandate_lists import household

HEAD = (
    "household_no,member_no,id_no,name,mandate_no,member_kind,declared_income_fen,申报支出(分),declared_C21,"
    "causes,application_no,acceptance_no"
)
ROWS = (
    "H1,01,449999190001010034,甲,M1,申请人,3600000,,1,因病、因学,SQ-1,SL-1",
    "H1,02,33999919000101008X,乙,M1,,3600000,1200000,,,,",
    "H1,03,449999200002290038,丙,M1,赡抚扶养义务人,,,,,,",
    "H2,01,810000190001010018,丁,M2,applicant,,,,,,",
    "H3,01,82000019000101001X,戊,M3,,,,,,,",
)


def read(folder: Path, *rows: str, head: str = HEAD):
    path = folder / "list.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    people, rejects = read_households(path)
    assert not rejects
    return read_declared(path, people, ("C21", "D35"))


def test_a_household_declares_on_any_of_its_rows(tmp_path: Path) -> None:
    found, rejects = read(tmp_path, *ROWS)
    assert rejects == []
    first = DeclaredHousehold(
        "H1", income=3_600_000, spending=1_200_000, items={"C21": 1}, causes=("illness", "schooling"),
        application_no="SQ-1", acceptance_no="SL-1", applicant="H1/01", applicant_id_type="resident",
        relatives=("H1/03",),
    )  # fmt: skip
    second = DeclaredHousehold("H2", applicant="H2/01", applicant_id_type="hmt-permit")
    assert found == (first, second)
    refs = ("H1/01", "H1/02", "H1/03", "H2/01", "H3/01")
    assert [rules.fault(one, refs) for one in found] == [None, None]
    assert unpack_declared(pack_declared(found)) == found


def test_a_list_of_the_record_says_who_is_a_relative(tmp_path: Path) -> None:
    """By its column 人员类别, where 成员类别 says nothing; and its numbers may be those of the record."""
    head = "household_no,member_no,id_no,name,mandate_no,人员类别,成员类别,申请编号"
    rows = (
        "H1,01,449999190001010034,甲,M1,家庭成员,,受理〔2026〕1号",
        "H1,02,33999919000101008X,乙,M1,赡抚扶养义务人,,",
        "H1,03,449999200002290038,丙,M1,relative,member,",
    )
    found, rejects = read(tmp_path, *rows, head=head)
    assert rejects == []
    assert found == (DeclaredHousehold("H1", application_no="受理〔2026〕1号", relatives=("H1/02",)),)
    wrong = "H1,01,449999190001010034,甲,M1,邻居,,"
    found, (reject,) = read(tmp_path, wrong, head=head)
    assert (found, reject.column, reject.reason) == ((), "人员类别", "unknown_word")


def test_a_number_of_fifteen_digits_is_no_persons() -> None:
    """Attack: the old form of the person's own number; another long number is one of an office."""
    own = (Identity("resident", "449999190001010034"),)
    assert rules.is_number("2026450103000001", own)
    assert not rules.is_number("A449999000101003", own)
    assert not rules.is_number("a/b", own)


def test_a_list_without_these_columns_declares_nothing(tmp_path: Path) -> None:
    head = "household_no,member_no,id_no,name,mandate_no"
    assert read(tmp_path, "H1,01,449999190001010034,甲,M1", head=head) == ((), [])


BAD = {
    "bad_amount": ("declared_income_fen", "H1,01,449999190001010034,甲,M1,,36000.50,,,,,"),
    "declared_differs": (
        "申报支出(分)",
        "H1,01,449999190001010034,甲,M1,,,1,,,,",
        "H1,02,33999919000101008X,乙,M1,,,2,,,,",
    ),
    "unknown_cause": ("causes", "H1,01,449999190001010034,甲,M1,,,,,懒,,"),
    "bad_code": ("application_no", "H1,01,449999190001010034,甲,M1,,,,,,449999190001010034,"),
    "unknown_word": ("member_kind", "H1,01,449999190001010034,甲,M1,邻居,,,,,,"),
    "second_applicant": (
        "member_kind",
        "H1,01,449999190001010034,甲,M1,applicant,,,,,,",
        "H1,02,33999919000101008X,乙,M1,applicant,,,,,,",
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", BAD)
def test_a_wrong_cell_is_named_and_nothing_of_the_household_used(tmp_path: Path, reason: str) -> None:
    column, *rows = BAD[reason]
    found, rejects = read(tmp_path, *rows, "H9,01,449999200002290038,丙,M1,,5,,,,,")
    assert [one.household for one in found] == ["H9"]
    (reject,) = rejects
    assert (reject.reason, reject.column, reject.line) == (reason, column, len(rows) + 1)
    assert "449999" not in reject.message


FAULTS = {
    "has an amount outside": {"income": -1},
    "declares more than": {"items": {f"C{number:03}": 1 for number in range(65)}},
    "has a cause that is not": {"causes": ("fate",)},
    "names a cause twice": {"causes": ("illness", "illness")},
    "has a number that cannot be one": {"application_no": "a b"},
    "uses an identity number": {"acceptance_no": "受理449999190001010034"},
    "names an applicant who": {"applicant": "H1/99"},
    "has an unknown kind": {"applicant_id_type": "passport"},
    "names a relative who": {"relatives": ("H2/01",)},
}


@pytest.mark.parametrize("words", FAULTS)
def test_faults_of_what_a_platform_declares(words: str) -> None:
    found = rules.fault(DeclaredHousehold("H1", **FAULTS[words]), ("H1/01",))
    assert found is not None
    assert found.startswith(words)


def test_households_on_record_declare_in_the_list_that_put_them_there(tmp_path: Path) -> None:
    """Only those that are asked about, by number or by office; the list needs no mandates."""
    head = "household_no,member_no,application_no,office,name,id_no,declared_income_fen,declared_C21"
    rows = (
        "H1,01,SQ-1,459999000000,甲,449999190001010034,3600000,1",
        "H2,01,SQ-2,459999100000,乙,33999919000101008X,1200000,",
        "H3,01,SQ-3,449999000000,丙,449999200002290038,2400000,x",
    )
    path = tmp_path / "households.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    found, rejects = read_declared_records(path, ("H1",), "", ("C21",))
    due = DeclaredHousehold("H1", income=3_600_000, items={"C21": 1}, application_no="SQ-1")
    assert (found, rejects) == ((due,), [])
    found, rejects = read_declared_records(path, (), "4599", ("C21",))
    assert ([one.household for one in found], rejects) == (["H1", "H2"], [])
    found, rejects = read_declared_records(path, ("H3",), "", ("C21",))
    assert found == ()
    assert [(one.line, one.reason) for one in rejects] == [(4, "bad_amount")]


def test_of_too_many_households_on_record_only_those_with_relatives_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their numbers are a convenience; who is a relative changes every figure."""
    alone = household("H2", people=household().members)
    both = [household("H1"), alone]
    declared = [DeclaredHousehold("H1", acceptance_no="A-2026-1", relatives=("H1/2",))]
    first, second = declared_records.add_records(declared, both)
    assert (first.application_no, first.acceptance_no) == ("", "A-2026-1")  # the number once, not twice
    assert first.relatives == ("H1/2", "H1/9")
    assert second == DeclaredHousehold("H2", application_no="A-2026-1")
    monkeypatch.setattr(declared_records, "MOST_HOUSEHOLDS", 1)
    assert [one.household for one in declared_records.add_records((), both)] == ["H1"]
