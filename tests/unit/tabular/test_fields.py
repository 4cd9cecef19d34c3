# ruff: noqa: E501  (a case of a table is one line)
"""Cells of a source row: numbers, dates, money."""

from datetime import date
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.types import Identity
from node.errors import InputError
from node.registers.row_parser import MAX_FEN, SourceRow, Tally, parse_yuan
from node.tabular.delimited import CellError
from tests.support.source_files import (
    CARS,
    DAY,
    DEPOSITS,
    INSURANCE,
    NAME,
    PAYROLL,
    A,
    B,
    C,
    only,
    put,
    reason,
    rows_of,
    take,
)

# ---- rows: domain.md section 5

NUMBERS = [
    ("valid", "449999190001010034", "", ("resident", "449999190001010034")),
    ("valid X", "33999919000101008X", "", ("resident", "33999919000101008X")),
    ("lower x", "33999919000101008x", "", ("resident", "33999919000101008X")),
    ("full-width X", "３３９９９９１９０００１０１００８Ｘ", "", ("resident", "33999919000101008X")),
    ("leap day", "449999200002290038", "", ("resident", "449999200002290038")),
    ("wrong check digit", "449999190001010035", "", "bad_check_digit"),
    ("30 February", "449999190002300033", "", "bad_date"),
    ("1901 was no leap year", "449999190102290039", "", "bad_date"),
    ("15 digits", "449999000101003", "", ("resident", "449999190001010034")),
    ("Hong Kong", "810000190001010018", "", ("hmt-permit", "810000190001010018")),
    ("Macao", "82000019000101001X", "", ("hmt-permit", "82000019000101001X")),
    ("Taiwan", "830000190001010011", "", ("hmt-permit", "830000190001010011")),
    ("foreign 2023", "900999190001010010", "", ("foreign-permit", "900999190001010010")),
    ("foreign before 2023", "XXX999919000101", "", ("foreign-permit-old", "XXX999919000101")),
    ("type in Chinese", A, "居民身份证", ("resident", A)),
    ("type as code", A, "Resident", ("resident", A)),
    ("permit in Chinese", "810000190001010018", "港澳台居民居住证", ("hmt-permit", "810000190001010018")),
    ("foreign in Chinese", "900999190001010010", "外国人永久居留身份证", ("foreign-permit", "900999190001010010")),
    ("old foreign in Chinese", "XXX999919000101", "外国人永久居留身份证", ("foreign-permit-old", "XXX999919000101")),
    ("type contradicts", A, "港澳台居民居住证", "type_conflict"),
    ("type unknown", A, "护照", "unknown_type"),
    ("planted is no document", A, "planted", "unknown_type"),
    ("empty", "", "", "empty"),
    ("blank", "　 ", "", "empty"),
    ("short", "44999919000101003", "", "wrong_length"),
    ("letters", "44999919000101OO34", "", "bad_characters"),
    ("spreadsheet number", "4.49999E+17", "", "wrong_length"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "kind", "expected"), [r[1:] for r in NUMBERS], ids=[r[0] for r in NUMBERS]
)
def test_identity_numbers(tmp_path, number, kind, expected):
    (row,) = rows_of(put(tmp_path, f"x,证件类型,证件号码\n1,{kind},{number}\n"))
    if isinstance(expected, tuple):
        assert row.identities == (Identity(*expected),)
    else:
        assert row.reason == expected
        assert (row.line, row.column) == (2, "证件类型" if "type" in expected else "证件号码")


def test_former_numbers(tmp_path):
    row = only(put(tmp_path, f"id_no,曾用证件号码\n{A},{B}；{C};{A}; \n"))
    assert [identity.value for identity in row.identities] == [A, B, C]
    # The 15-digit form of the same number is no third one.
    assert len(only(put(tmp_path, f"id_no,former_id_no\n{A},449999000101003\n")).identities) == 1
    assert reason(tmp_path, f"id_no,former_id_no\n{A},449999190001010035\n") == "bad_check_digit"
    assert reason(tmp_path, f"id_no,former_id_no\n{A},{';'.join([B] * 9)}\n") == "too_many"


ROWS = [
    ("too few cells", f"{A},{NAME}", "empty_amount", "余额（元）"),
    ("too many cells", f"{A},{NAME},1,1.00,,x", "wrong_cell_count", ""),
    ("too many cells after empty ones", f"{A},{NAME},1,1.00,,,,x", "wrong_cell_count", ""),
    ("stray quote", f'{A},"{NAME}"x,1,1.00,', "bad_quotes", ""),
    ("long cell", f"{A},{'x' * 1001},1,1.00,", "cell_too_long", ""),
    ("endless cell", f'{A},"{"x" * 140_000}",1,1.00,', "cell_too_long", ""),
    ("newline in a name", f'{A},"{NAME}\nx",1,1.00,', "bad_name", "姓名"),
    ("long name", f"{A},{'x' * 101},1,1.00,", "bad_name", "姓名"),
    ("no amount", f"{A},{NAME},1,,", "empty_amount", "余额（元）"),
    ("negative amount", f"{A},{NAME},1,-5.00,", "negative_amount", "余额（元）"),
    ("three decimals", f"{A},{NAME},1,5.001,", "too_many_decimals", "余额（元）"),
    ("words", f"{A},{NAME},1,十元,", "bad_amount", "余额（元）"),
    ("wrong thousands", f'{A},{NAME},1,"1,00,000.00",', "bad_amount", "余额（元）"),
    ("too much", f"{A},{NAME},1,100000000000.01,", "amount_too_large", "余额（元）"),
    ("no such day", f"{A},{NAME},1,5.00,2026-02-30", "bad_as_of", "数据时点"),
    ("year 0", f"{A},{NAME},1,5.00,0000-01-01", "bad_as_of", "数据时点"),
    ("American date", f"{A},{NAME},1,5.00,06/30/2026", "bad_as_of", "数据时点"),
    ("tomorrow", f"{A},{NAME},1,5.00,2026-07-01", "future_as_of", "数据时点"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected", "column"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_bad_rows_say_where_and_why_and_nothing_else(tmp_path, line, expected, column):
    path = put(tmp_path, f"证件号码,姓名,账号,余额（元）,数据时点\n{line}\n{B},李四,2,7.00,\n")
    *bad, good = rows_of(path, DEPOSITS, today=DAY)
    assert {(r.file, r.reason, r.column) for r in bad} == {(str(path), expected, column)}
    assert bad[0].line == 2
    assert good.amount == 700
    assert all(A not in repr(r) and NAME not in repr(r) for r in bad)


def test_every_line_a_stray_quote_swallows_is_counted(tmp_path):
    path = put(tmp_path, f'id_no,name\n{A},"x\n{B},y\n{C},"z"\n{A},w\n')
    rows = rows_of(path)
    assert [(r.line, getattr(r, "reason", "")) for r in rows] == [
        (2, "bad_quotes"), (3, "bad_quotes"), (4, "bad_quotes"), (5, ""),
    ]  # fmt: skip


# ---- money

YUAN = [
    ("0", 0), ("0.00", 0), ("12", 1200), ("12.3", 1230), ("12.34", 1234), ("1,234.50", 123450),
    ("1,234,567.89", 123456789), ("１２，３４５．６７", 1234567), (" 7.10 ", 710), ("007", 700),
    ("100000000000", MAX_FEN),
]  # fmt: skip
NOT_YUAN = [
    "",
    ".5",
    "5.",
    "1e3",
    "1,2",
    "1,2345",
    "+5",
    "-5",
    "NaN",
    "Infinity",
    "0x10",
    "5元",
    "1 000",
    "9" * 5000,
]


@pytest.mark.parametrize(("text", "fen"), YUAN)
def test_yuan(text, fen):
    assert parse_yuan(text) == fen


@pytest.mark.parametrize("text", NOT_YUAN)
def test_not_yuan(text):
    with pytest.raises(CellError) as caught:
        parse_yuan(text)
    assert len(text) < 4 or text not in str(caught.value)


@given(st.integers(0, MAX_FEN), st.booleans())
def test_yuan_agrees_with_decimal(fen, commas):
    amount = Decimal(fen).scaleb(-2)
    text = f"{amount:,.2f}" if commas else str(amount)
    assert parse_yuan(text) == fen


@given(st.text(alphabet="0123456789.,-+eE ", max_size=12))
def test_yuan_never_differs_from_decimal(text):
    try:
        fen = parse_yuan(text)
    except CellError:
        return
    try:
        assert Decimal(text.replace(",", "").strip()) * 100 == fen
    except InvalidOperation:
        pytest.fail("accepted what is no number")


AMOUNTS = [
    ("fen", DEPOSITS, "金额(分)", "1234", 1234),
    ("fen, full-width", DEPOSITS, "金额（分）", "１２３４", 1234),
    ("fen with decimals", DEPOSITS, "amount_fen", "12.34", "bad_amount"),
    ("fen, empty", DEPOSITS, "amount_fen", "", "empty_amount"),
    ("fen, too much", DEPOSITS, "amount_fen", "9" * 18, "amount_too_large"),
    ("fen, negative", DEPOSITS, "amount_fen", "-1", "bad_amount"),
    ("yuan", DEPOSITS, "amount_yuan", "1234.5", 123450),
    ("insurance", INSURANCE, "缴费基数（元）", "3,000.00", 300000),
    ("count", CARS, "数量", "3", 3),
    ("count of none", CARS, "value", "0", 0),
    ("count, absurd", CARS, "value", "1000001", "amount_too_large"),
    ("flag", PAYROLL, "value", "1", 1),
    ("flag not set", PAYROLL, "value", "0", 0),
    ("flag of two", PAYROLL, "value", "2", "amount_too_large"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "header", "text", "expected"), [r[1:] for r in AMOUNTS], ids=[r[0] for r in AMOUNTS]
)
def test_amounts(tmp_path, item, header, text, expected):
    (row,) = rows_of(put(tmp_path, f'id_no,"{header}"\n{A},"{text}"\n'), item)
    assert (row.amount if isinstance(row, SourceRow) else row.reason) == expected


def test_money_needs_one_amount_column(tmp_path):
    with pytest.raises(InputError, match="no column for amount_yuan"):
        rows_of(put(tmp_path, f"id_no\n{A}\n"), DEPOSITS)
    both = put(tmp_path, f"id_no,金额(元),金额(分)\n{A},1.00,250\n")
    with pytest.raises(InputError, match="in yuan and in fen"):
        rows_of(both, DEPOSITS)
    assert only(both, DEPOSITS, columns={"amount_fen": "金额(分)"}).amount == 250


# ---- combination


def test_counts_sums_and_dates(tmp_path):
    records, tally = take(
        tmp_path,
        "id_no,name,账号,余额(元),as_of\n"
        f"{A},张三,1,30000.00,2026-05-31\n"
        f"{B},李四,2,1.00,2026-06-01\n"
        f"{A},张三,3,20000.01,2026-04-30\n"
        f"449999190001010035,王五,4,9.00,2026-04-30\n",
        DEPOSITS,
    )
    assert [(r.identities[0].value, r.name, r.total, r.as_of) for r in records] == [
        (A, "张三", 5_000_001, date(2026, 4, 30)),
        (B, "李四", 100, date(2026, 6, 1)),
    ]
    assert tally == Tally(
        read=4, accepted=3, duplicates=0, rejected=1, records=2, entries=1, withheld=1,
        reasons=(("bad_check_digit", 1),),
    )  # fmt: skip
