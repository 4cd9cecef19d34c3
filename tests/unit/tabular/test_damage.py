# ruff: noqa: E501  (a case of a table is one line)
"""Codes that a spreadsheet damaged are refused with the reason; codes that only look like it are not."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import identity
from node.domain.records import Reject
from node.errors import InputError
from node.index import people
from node.registers import block_reader, chunks, row_parser
from node.tabular.damage import Rounding, any_damaged, bare, check_code, count_rounded, refuse_rounded
from node.tabular.delimited import CellError, open_table
from node.tabular.person_lists import read_cohort, read_households
from tests.support.source_files import CARS, DEPOSITS, A, B, only, put, reason, take

TODAY = date(2026, 7, 1)
DAMAGED = {
    "scientific_notation": ["6.22202E+18", "6.22202e18", "6.E+18", "6E+18", "6e+18", "1.5E-05", "-6.2E+18", "６.２２E＋18"],
    "decimal_number": ["6222020.0", "12.00", "1,234.0", "12."],
    "date_for_code": [
        "1-Mar", "01-Mar-26", "1-Mar-2026", "Mar-26", "3月1日", "2026年3月1日", "2026年3月", "2026/3/1", "3/1/2026",
        "2026-03-01", "2026-03-01 00:00:00", "2026-03-01T00:00:00.000", "2026-03-01T00:00:00Z", "12:30:00",
    ],
    "error_value": ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "##########", "#", "＃N/A"],
    "no_number": ["nan", "NaN", "NULL", "None", "NaT", "<NA>", "n/a", "\\N", "TRUE", "false", "inf", "-", "--", "无", "/", "、"],
}  # fmt: skip
ALL_DAMAGED = [code for codes in DAMAGED.values() for code in codes]
CODES = [
    "粤A12E34", "12E34", "6E18", "2E05", "91440101MA5CABCD1X", "440106003001GB00001F00010001", "0012", "1-3", "3-12",
    "MARS-01", "A1.0", "1.2.3", "1.10", "2026-0001", "2026-001-01", "20260301", "ZH-2026-1", "公积金1月", "NANJING", "NULL1",
    "#12", "1/2", "TRUE-1", "440101-12", "E+18", "1:2", "无锡1",
]  # fmt: skip


@pytest.mark.parametrize(("why", "code"), [(why, code) for why in DAMAGED for code in DAMAGED[why]])
def test_a_damaged_record_number_is_refused_with_its_reason(tmp_path, why, code):
    assert reason(tmp_path, f'id_no,record_no\n{A},"{code}"\n') == why


@pytest.mark.parametrize("code", CODES)
def test_a_code_that_only_looks_like_it_is_taken(tmp_path, code):
    assert only(put(tmp_path, f"id_no,record_no\n{A},{code}\n")).key == code.upper()


def test_two_damaged_accounts_are_not_one(tmp_path):
    """OVER must not become NOT_OVER: both rows are refused, none is a duplicate of the other."""
    text = f"证件号码,账号,余额(元)\n{A},6.22202E+18,200000\n{A},6.22202E+18,200000\n{B},1,1\n"
    _, tally = take(tmp_path, text, DEPOSITS)
    assert (tally.rejected, tally.duplicates, tally.accepted) == (2, 0, 1)
    assert tally.reasons == (("scientific_notation", 2),)


@pytest.mark.parametrize(
    ("text", "expected"), [('="123"', "123"), ("'123", "123"), ("123", "123"), ('=""', ""), ("O'1", "O'1")]
)
def test_what_is_around_a_number_is_taken_off(text, expected):
    assert bare(text) == expected


@given(
    st.lists(
        st.one_of(
            st.sampled_from([*ALL_DAMAGED, *CODES, ""]),
            st.text("0123456789.E+-#月日NA/:", max_size=12),
        ),
        max_size=8,
    )
)
def test_looking_at_many_at_once_finds_the_same_as_one_by_one(cells):
    codes = list(map(row_parser.record_number, cells))

    def damaged(code):
        try:
            check_code("record_no", code)
        except CellError:
            return True
        return False

    assert any_damaged("\n".join(codes) + "\n") == any(map(damaged, codes))


@given(st.lists(st.sampled_from([*ALL_DAMAGED, *CODES, ""]), min_size=1, max_size=20))
def test_blocks_refuse_the_same_rows_as_single_rows(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("b") / "r.csv"
    path.write_text("id_no,record_no\n" + "".join(f'{A},"{cell}"\n' for cell in cells), encoding="utf-8")
    alone = [row for row in row_parser.read(path, CARS) if isinstance(row, Reject)]
    assert rejects_of(path)[0] == alone


def rejects_of(path, item=CARS):
    terms = people.ReadOptions(item, bytes(32), TODAY.toordinal(), TODAY)
    found, rounded = [], Rounding()
    with open_table(path, row_parser.ALIASES) as table:
        amount = row_parser.amount_field(table.layout, item, {})
        for order, block in enumerate(chunks.cut_file(path, table, amount)):
            reading = block_reader.read_block(block, terms, order)
            found += reading.rejects
            rounded += reading.rounded_records
    return found, rounded


# ---- rounding, which no single cell shows


def numbers(size, count, seed=1):
    draw = random.Random(seed)
    return [str(draw.randrange(10 ** (size - 1), 10**size)) for _ in range(count)]


def rounded(number):
    """As a spreadsheet does it: by a float, shown with 15 digits."""
    return (
        f"{float(f'{float(number):.14e}'):.0f}"
        if len(number) < 16
        else number[:15] + "0" * (len(number) - 15)
    )


@pytest.mark.parametrize("size", range(16, 25))
def test_files_that_a_spreadsheet_rounded_are_refused(size):
    good = numbers(size, 20_000)
    assert not count_rounded(good).certain
    refuse_rounded("f", "record numbers", count_rounded(good), "hint")
    for share in (1.0, 0.7) if size == 16 else (1.0, 0.3, 0.1):
        bad = [rounded(each) if at < share * len(good) else each for at, each in enumerate(good)]
        with pytest.raises(InputError, match="rounded them") as caught:
            refuse_rounded("f", "record numbers", count_rounded(bad), "hint")
        assert caught.value.hint


@given(st.integers(16, 24), st.integers(1, 3000), st.integers())
def test_good_files_are_not_refused(size, count, seed):
    assert not count_rounded(numbers(size, count, seed)).certain


def test_short_numbers_and_one_number_that_occurs_often_prove_nothing():
    assert count_rounded(["123456789000000", "1000", ""]) == Rounding(0, 0)
    assert not count_rounded(["6222021234567890000"] * 12).certain
    assert count_rounded(["6222021234567890000"]).suspicious
    assert not count_rounded(["622202123456789000A", "440106003001GB00001F000000000"]).found


def test_the_import_of_rounded_accounts_is_refused(tmp_path):
    path = put(tmp_path, "id_no,record_no\n" + "".join(f"{A},{rounded(each)}\n" for each in numbers(19, 50)))
    assert rejects_of(path)[1].certain
    path = put(tmp_path, "id_no,record_no\n" + "".join(f"{A},{each}\n" for each in numbers(19, 5000)))
    assert not rejects_of(path)[1].certain


def identities(count):
    draw = random.Random(3)
    bodies = [
        f"449999{draw.randrange(1950, 2000)}0{draw.randrange(1, 10)}{draw.randrange(10, 29)}{draw.randrange(1000):03}"
        for _ in range(count)
    ]
    return [body + identity.check_digit(body) for body in bodies]


@pytest.mark.parametrize("read", [read_cohort, read_households])
def test_a_list_of_rounded_people_is_refused(tmp_path, read):
    """One of eleven rounded numbers has a right check digit, and is somebody else's."""
    good, header = identities(300), "户编号,成员编号,证件号码,授权书编号\n"
    path = tmp_path / "list.csv"
    path.write_text(header + "".join(f"H{at},1,{each},\n" for at, each in enumerate(good)), encoding="utf-8")
    assert not read(path)[1]
    path.write_text(
        header + "".join(f"H{at},1,{each[:15]}000,\n" for at, each in enumerate(good)), encoding="utf-8"
    )
    with pytest.raises(InputError, match="identity numbers end in zeros"):
        read(path)


@pytest.mark.parametrize(("why", "code"), [(why, code) for why in DAMAGED for code in DAMAGED[why][:3]])
@pytest.mark.parametrize("field", ["household_no", "member_no", "mandate_no"])
def test_codes_of_households(tmp_path, field, why, code):
    cells = {"household_no": "H1", "member_no": "1", "id_no": A, "mandate_no": "M1", field: f'"{code}"'}
    path = put(tmp_path, ",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    subjects, rejects = read_households(path)
    if field == "mandate_no" and why == "no_number":
        assert subjects[0].mandate == "", "no mandate is no mandate"
    else:
        assert [reject.reason in (why, "bad_number") for reject in rejects] == [True]


@pytest.mark.parametrize("name", DAMAGED["error_value"])
def test_an_error_of_a_spreadsheet_is_no_name(tmp_path, name):
    assert reason(tmp_path, f'id_no,name\n{A},"{name}"\n') == "bad_name"
