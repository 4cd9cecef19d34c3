from datetime import date
from pathlib import Path

import pytest

from matcher.types import Identity
from node.domain.subjects import Subject
from node.errors import InputError
from node.tabular.person_lists import read_cohort, read_households, read_mandates
from node.tabular.text_form import TextForm

A, B = "449999190001010034", "33999919000101008X"
NAME = "张三丰"
ZH = "户编号,成员编号,与户主关系,姓名,证件类型,证件号码,曾用证件号码,授权书编号"
EN = "household_no,member_no,relation,name,id_type,id_no,former_id_no,mandate_no"
MANDATES_EN = "mandate_no,programme,scope_items,scope_regions,valid_from,valid_to,revoked_at,signers,doc_hash"
MANDATES_ZH = "授权书编号,社会救助项目,核对项目,核对区域,有效期起,有效期止,撤销日期,签字人,授权书摘要"
HASH = "ab" * 32


def put(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("header", [ZH, EN])
def test_households(tmp_path, header, encoding):
    text = f"{header}\r\nH1,01,户主,{NAME} ,居民身份证,{A},{B},M1\r\nH1,02,配偶,,,{B.lower()},,\r\n"
    subjects, rejects = read_households(put(tmp_path, text, encoding))
    assert rejects == []
    assert subjects == [
        Subject("H1/01", "H1", NAME, (Identity("resident", A), Identity("resident", B)), "M1"),
        Subject("H1/02", "H1", "", (Identity("resident", B),), ""),
    ]


def test_the_same_person_may_be_listed_twice(tmp_path):
    subjects, rejects = read_households(put(tmp_path, f"{EN}\nH1,01,,x,,{A},,M\nH2,01,,x,,{A},,M\n"))
    assert [subject.ref for subject in subjects] == ["H1/01", "H2/01"]
    assert rejects == []


REJECTED = [
    ("reference twice", f"H0,01,,x,,{A},,M", "duplicate_ref", "成员编号"),
    ("wrong check digit", "H1,01,,x,,449999190001010035,,M", "bad_check_digit", "证件号码"),
    ("no number", "H1,01,,x,,,,M", "empty", "证件号码"),
    ("type conflict", f"H1,01,,x,港澳台居民居住证,{A},,M", "type_conflict", "证件类型"),
    ("bad former number", f"H1,01,,x,,{A},1,M", "wrong_length", "曾用证件号码"),
    ("no household", f",01,,x,,{A},,M", "empty", "户编号"),
    ("no member", f"H1, ,,x,,{A},,M", "empty", "成员编号"),
    ("slash", f"H/1,01,,x,,{A},,M", "bad_number", "户编号"),
    ("blank inside", f"H 1,01,,x,,{A},,M", "bad_number", "户编号"),
    ("long", f"{'H' * 49},01,,x,,{A},,M", "bad_number", "户编号"),
    ("identity as household", f"{A},01,,x,,{B},,M", "ref_is_identity", "户编号"),
    ("identity inside a number", f"户-{A}-1,01,,x,,{B},,M", "ref_is_identity", "户编号"),
    ("own number as member", f"H1,{B.lower()},,x,,{B},,M", "ref_is_identity", "成员编号"),
    ("own old number as member", f"H1,449999000101003,,x,,{A},,M", "ref_is_identity", "成员编号"),
    ("name of two lines", f'H1,01,,"{NAME}\nx",,{A},,M', "bad_name", "姓名"),
    ("cells", f"H1,01,,x,,{A},,M,1", "wrong_cell_count", ""),
    ("a cell left out", f"H1,01,,x,,{A},M", "wrong_length", "曾用证件号码"),
]


@pytest.mark.parametrize(
    ("line", "reason", "column"), [r[1:] for r in REJECTED], ids=[r[0] for r in REJECTED]
)
def test_rejected_members(tmp_path, line, reason, column):
    path = put(tmp_path, f"{ZH}\nH0,01,,x,,{B},,M\n{line}\nH9,01,,x,,{A},,M\n")
    subjects, rejects = read_households(path)
    assert [subject.ref for subject in subjects] == ["H0/01", "H9/01"]
    assert [(r.file, r.line, r.reason, r.column) for r in rejects] == [(str(path), 3, reason, column)]
    assert A not in repr(rejects)
    assert NAME not in repr(rejects)


def test_repr_hides_the_person():
    shown = repr(Subject("H1/01", "H1", NAME, (Identity("resident", A),), "M1"))
    assert "H1/01" in shown
    assert NAME not in shown
    assert A not in shown


FILES = [
    ("empty", "", "the file is empty"),
    ("header only", ZH, "no row"),
    ("no mandate column", f"户编号,成员编号,证件号码\nH1,01,{A}\n", "mandate_no"),
    ("no header", f"H1,01,户主,{NAME},,{A},,M1\n", "looks like data"),
]


@pytest.mark.parametrize(("text", "problem"), [r[1:] for r in FILES], ids=[r[0] for r in FILES])
def test_unusable_household_files(tmp_path, text, problem):
    with pytest.raises(InputError, match=problem) as caught:
        read_households(put(tmp_path, text))
    assert A not in str(caught.value)
    assert NAME not in str(caught.value)


@pytest.mark.parametrize("header", [MANDATES_EN, MANDATES_ZH])
def test_mandates(tmp_path, header):
    text = (
        f"{header}\nM1,new_application,*,*,2026-01-01,2026-12-31,,{NAME}；李四,{HASH}\n"
        f"M2,在保复核,C21；C23,440000;33,2026年1月1日,,2026/5/1,,sha256:{HASH.upper()}\nM3,,C21、B12r,44,20260101,,,,\n"
    )
    mandates, rejects = read_mandates(put(tmp_path, text, "gb18030"))
    assert rejects == []
    one, two, three = mandates["M1"], mandates["M2"], mandates["M3"]
    assert (one.programme, one.items, one.regions) == ("new_application", {"*"}, {"*"})
    assert (one.valid_from, one.valid_to, one.revoked_at) == (date(2026, 1, 1), date(2026, 12, 31), None)
    assert (one.signers, one.doc_hash) == ((NAME, "李四"), HASH)
    assert (two.programme, two.items, two.regions) == ("review", {"C21", "C23"}, {"44", "33"})
    assert (two.valid_to, two.revoked_at, two.doc_hash) == (None, date(2026, 5, 1), f"sha256:{HASH}")
    assert (three.programme, three.items) == ("*", {"C21", "B12r"})


BAD_MANDATES = [
    ("number twice", "M0,,*,*,2026-01-01,,,,", "duplicate_mandate", "mandate_no"),
    ("no number", ",,*,*,2026-01-01,,,,", "empty", "mandate_no"),
    ("identity as number", f"{A},,*,*,2026-01-01,,,,", "ref_is_identity", "mandate_no"),
    ("unknown programme", "M1,lottery,*,*,2026-01-01,,,,", "unknown_programme", "programme"),
    ("no items", "M1,,,*,2026-01-01,,,,", "empty_scope", "scope_items"),
    ("only separators", "M1,,;;,*,2026-01-01,,,,", "empty_scope", "scope_items"),
    ("items by name", "M1,,机动车,*,2026-01-01,,,,", "bad_scope", "scope_items"),
    ("no regions", "M1,,*,,2026-01-01,,,,", "empty_scope", "scope_regions"),
    ("regions by name", "M1,,*,广东,2026-01-01,,,,", "bad_scope", "scope_regions"),
    ("no start", "M1,,*,*,,2026-12-31,,,", "empty", "valid_from"),
    ("no such day", "M1,,*,*,2026-02-30,,,,", "bad_date", "valid_from"),
    ("bad end", "M1,,*,*,2026-01-01,soon,,,", "bad_date", "valid_to"),
    ("ends before it starts", "M1,,*,*,2026-01-02,2026-01-01,,,", "ends_before_start", "valid_to"),
    ("bad revocation", "M1,,*,*,2026-01-01,,yes,,", "bad_date", "revoked_at"),
    ("bad digest", "M1,,*,*,2026-01-01,,,,xyz", "bad_hash", "doc_hash"),
    ("too many items", f"M1,,{';'.join(['C21'] * 101)},*,2026-01-01,,,,", "bad_scope", "scope_items"),
]


@pytest.mark.parametrize(
    ("line", "reason", "column"), [r[1:] for r in BAD_MANDATES], ids=[r[0] for r in BAD_MANDATES]
)
def test_rejected_mandates(tmp_path, line, reason, column):
    mandates, rejects = read_mandates(put(tmp_path, f"{MANDATES_EN}\nM0,,*,*,2026-01-01,,,,\n{line}\n"))
    assert list(mandates) == ["M0"]
    assert [(r.line, r.reason, r.column) for r in rejects] == [(3, reason, column)]


def test_mandates_without_an_end_column_are_refused(tmp_path):
    with pytest.raises(InputError, match="valid_to"):
        read_mandates(put(tmp_path, "mandate_no,scope_items,scope_regions,valid_from\nM1,*,*,2026-01-01\n"))


# ---- the rules of docs/import.md, "What is guessed", in every list


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("shape", ["{}\t", "\t{}", '"{}"\t', '"{}\t"'])
def test_tabs_round_the_cells_of_a_list(tmp_path, shape, encoding):
    rows = (ZH, f"H1,01,户主,{NAME},身份证,'{A},无,M1", f"H1,02,{'长' * 2000},,111,{B},,M1,,")
    text = "\n".join(",".join(map(shape.format, row.split(","))) for row in rows)
    subjects, rejects = read_households(put(tmp_path, text, encoding))
    assert not rejects
    assert [(one.ref, one.name, one.mandate) for one in subjects] == [
        ("H1/01", NAME, "M1"),
        ("H1/02", "", "M1"),
    ]
    assert [one.identities[0].value for one in subjects] == [A, B]


def test_lists_that_are_not_guessed_at(tmp_path):
    line = f"H1,01,户主,{NAME},,{A},,M1"
    mixed = put(tmp_path, "")
    mixed.write_bytes(f"{ZH}\n{line}\n".encode() + f"{line}\n".replace("01", "02").encode("gb18030"))
    with pytest.raises(InputError, match="line 3 is GB18030"):
        read_households(mixed)
    semicolons = put(tmp_path, f"{ZH}\n{line}\n".replace(",", ";"))
    with pytest.raises(InputError) as caught:
        read_households(semicolons)
    assert "--delimiter semicolon" in caught.value.hint
    (subject,), rejects = read_households(semicolons, stated=TextForm(";"))
    assert (subject.ref, rejects) == ("H1/01", [])
    mandates = put(tmp_path, f"{MANDATES_EN}\nM1,,*,*,2026.01.01,2026/12/31 0:00,,,\n".replace(",", "|"))
    ((mandate,), rejects) = [*read_mandates(mandates, stated=TextForm("|"))]
    assert not rejects
    known = read_mandates(mandates, stated=TextForm("|"))[0][mandate]
    assert (known.valid_from, known.valid_to) == (date(2026, 1, 1), date(2026, 12, 31))


def test_the_people_of_a_sum_are_read_by_their_numbers_only(tmp_path):
    path = put(tmp_path, f"姓名,姓名,证件号码,曾用证件号码\n{'x' * 2000},\x01,{A},—\n,,{B}\n")
    people, rejects = read_cohort(path)
    assert [[identity.value for identity in person] for person in people] == [[A], [B]]
    assert rejects == []
