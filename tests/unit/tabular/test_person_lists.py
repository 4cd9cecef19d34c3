from datetime import date
from pathlib import Path

import pytest

from matcher.types import Identity
from node.domain.mandate import fault
from node.domain.subjects import Subject
from node.errors import InputError
from node.tabular.person_lists import read_cohort, read_households, read_mandates, read_revoked
from node.tabular.text_form import TextForm

A, B = "449999190001010034", "33999919000101008X"
NAME = "张三丰"
ZH = "户编号,成员编号,与户主关系,姓名,证件类型,证件号码,曾用证件号码,授权书编号"
EN = "household_no,member_no,relation,name,id_type,id_no,former_id_no,mandate_no"
MANDATES_EN = (
    "mandate_no,template_id,office,programme,scope_items,scope_regions,people,valid_from,valid_to,revoked_at,"
    "signers,agents,sig_type,doc_hash"
)
MANDATES_ZH = (
    "授权书编号,授权书样式,委托单位,社会救助项目,核对项目,核对区域,被授权核对人证件号码,有效期起,有效期止,撤销日期,"
    "签字人,代理人,签署方式,授权书摘要"
)
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


def line(**changed):
    """A mandate of a list: its columns in order, some of them changed."""
    columns = {
        "no": "M1", "template": "", "office": "459999000000", "programme": "", "items": "*", "regions": "*",
        "people": A, "first": "2026-01-01", "last": "2026-12-31", "revoked": "", "signers": NAME,
        "agents": "", "sig_type": "", "doc_hash": HASH,
    }  # fmt: skip
    return ",".join({**columns, **changed}.values())


@pytest.mark.parametrize("header", [MANDATES_EN, MANDATES_ZH])
def test_mandates(tmp_path, header):
    one = line(programme="new_application", signers=f"{NAME}；李四", people=f"{A}、{B}")
    two = line(no="M2", template="js-2019", office="某县民政局", programme="在保复核", items="C21；C23",
               regions="440000;33", people=f"'{A}", first="2026年1月1日", last="退出救助", revoked="2026/5/1",
               agents="李四", sig_type="指印", doc_hash=f"sha256:{HASH.upper()}")  # fmt: skip
    three = line(no="M3", items="C21、B12r", regions="44", first="20260101", last="household_change")
    mandates, rejects = read_mandates(put(tmp_path, "\n".join((header, one, two, three, "")), "gb18030"))
    assert rejects == []
    one, two, three = mandates["M1"], mandates["M2"], mandates["M3"]
    assert (one.programme, one.items, one.regions) == ("new_application", {"*"}, {"*"})
    assert (one.valid_from, one.valid_to, one.revoked_at) == (date(2026, 1, 1), date(2026, 12, 31), None)
    assert (one.signers, one.doc_hash, one.people) == ((NAME, "李四"), HASH, {A, B})
    assert (one.office, one.event, one.agents, one.sig_type) == ("459999000000", "", (), "")
    assert (two.programme, two.items, two.regions) == ("review", {"C21", "C23"}, {"44", "33"})
    assert (two.valid_to, two.event, two.revoked_at) == (None, "programme_exit", date(2026, 5, 1))
    assert (two.doc_hash, two.people, two.agents) == (f"sha256:{HASH}", {A}, ("李四",))
    assert (two.template_id, two.office, two.sig_type) == ("js-2019", "某县民政局", "fingerprint")
    assert (three.programme, three.items, three.event) == ("*", {"C21", "B12r"}, "household_change")
    assert [fault(each) for each in mandates.values()] == [None] * 3


BAD_MANDATES = [
    ("number twice", {"no": "M0"}, "duplicate_mandate", "mandate_no"),
    ("no number", {"no": ""}, "empty", "mandate_no"),
    ("identity as number", {"no": A}, "ref_is_identity", "mandate_no"),
    ("a form by its title", {"template": "a form"}, "bad_code", "template_id"),
    ("no office", {"office": " "}, "empty", "office"),
    ("identity as office", {"office": A}, "bad_office", "office"),
    ("unknown programme", {"programme": "lottery"}, "unknown_programme", "programme"),
    ("no items", {"items": ""}, "empty_scope", "scope_items"),
    ("only separators", {"items": ";;"}, "empty_scope", "scope_items"),
    ("items by name", {"items": "机动车"}, "bad_scope", "scope_items"),
    ("no regions", {"regions": ""}, "empty_scope", "scope_regions"),
    ("regions by name", {"regions": "广东"}, "bad_scope", "scope_regions"),
    ("nobody", {"people": ""}, "empty", "people"),
    ("a number that is none", {"people": f"{A};{A[:17]}0"}, "bad_check_digit", "people"),
    ("too many people", {"people": ";".join([A] * 51)}, "too_many", "people"),
    ("no start", {"first": ""}, "empty", "valid_from"),
    ("no such day", {"first": "2026-02-30"}, "bad_date", "valid_from"),
    ("no end", {"last": ""}, "empty", "valid_to"),
    ("bad end", {"last": "soon"}, "bad_date", "valid_to"),
    ("ends before it starts", {"first": "2026-01-02", "last": "2026-01-01"}, "ends_before_start", "valid_to"),
    ("bad revocation", {"revoked": "yes"}, "bad_date", "revoked_at"),
    ("no signer", {"signers": ";"}, "empty", "signers"),
    ("signed otherwise", {"sig_type": "口头"}, "unknown_word", "sig_type"),
    ("no digest", {"doc_hash": ""}, "empty", "doc_hash"),
    ("bad digest", {"doc_hash": "xyz"}, "bad_hash", "doc_hash"),
    ("too many items", {"items": ";".join(["C21"] * 101)}, "bad_scope", "scope_items"),
]


@pytest.mark.parametrize(
    ("changed", "reason", "column"), [r[1:] for r in BAD_MANDATES], ids=[r[0] for r in BAD_MANDATES]
)
def test_rejected_mandates(tmp_path, changed, reason, column):
    text = f"{MANDATES_EN}\n{line(no='M0')}\n{line(**changed)}\n"
    mandates, rejects = read_mandates(put(tmp_path, text))
    assert list(mandates) == ["M0"]
    assert [(r.line, r.reason, r.column) for r in rejects] == [(3, reason, column)]
    assert A not in rejects[0].message


def test_numbers_of_revoked_mandates(tmp_path):
    numbers, rejects = read_revoked(put(tmp_path, "授权书编号,备注\nM1,\n4503012026070101000019,x\n,\n"))
    assert numbers == ["M1", "4503012026070101000019"]
    assert [(one.line, one.reason) for one in rejects] == [(4, "empty")]


def test_mandates_without_an_end_column_are_refused(tmp_path):
    with pytest.raises(InputError, match="valid_to"):
        read_mandates(put(tmp_path, MANDATES_EN.replace("valid_to,", "") + "\n"))


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
    row = f"H1,01,户主,{NAME},,{A},,M1"
    mixed = put(tmp_path, "")
    mixed.write_bytes(f"{ZH}\n{row}\n".encode() + f"{row}\n".replace("01", "02").encode("gb18030"))
    with pytest.raises(InputError, match="line 3 is GB18030"):
        read_households(mixed)
    semicolons = put(tmp_path, f"{ZH}\n{row}\n".replace(",", ";"))
    with pytest.raises(InputError) as caught:
        read_households(semicolons)
    assert "--delimiter semicolon" in caught.value.hint
    (subject,), rejects = read_households(semicolons, stated=TextForm(";"))
    assert (subject.ref, rejects) == ("H1/01", [])
    mandates = put(
        tmp_path, f"{MANDATES_EN}\n{line(first='2026.01.01', last='2026/12/31 0:00')}\n".replace(",", "|")
    )
    ((mandate,), rejects) = [*read_mandates(mandates, stated=TextForm("|"))]
    assert not rejects
    known = read_mandates(mandates, stated=TextForm("|"))[0][mandate]
    assert (known.valid_from, known.valid_to) == (date(2026, 1, 1), date(2026, 12, 31))


def test_the_people_of_a_sum_are_read_by_their_numbers_only(tmp_path):
    path = put(tmp_path, f"姓名,姓名,证件号码,曾用证件号码\n{'x' * 2000},\x01,{A},—\n,,{B}\n")
    people, rejects = read_cohort(path)
    assert [[identity.value for identity in person] for person in people] == [[A], [B]]
    assert rejects == []
