# ruff: noqa: E501  (a case of a table is one line)
import csv
import io
import itertools
import random
import tracemalloc
from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher.identity import check_digit
from matcher.types import Identity
from node.catalogue import load
from node.delimited import CellError, write_atomically
from node.errors import InputError, NodeError, UnavailableError
from node.reader import (
    MAX_FEN,
    Record,
    Reject,
    SourceRow,
    Tally,
    combine,
    parse_yuan,
    read,
    write_rejects,
)

CATALOGUE = load()
PAYROLL, CARS, DEPOSITS, INSURANCE = (CATALOGUE.item(code) for code in ("Z59b", "C21", "C23", "D32"))
DAY = date(2026, 6, 30)
A, B, C = "449999190001010034", "33999919000101008X", "449999200002290038"
NAME = "张三丰"


def put(tmp_path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "register.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def rows_of(path: Path, item=CARS, **options) -> list[SourceRow | Reject]:
    return list(read(path, item, **options))


def only(path: Path, item=CARS, **options) -> SourceRow:
    (row,) = rows_of(path, item, **options)
    assert isinstance(row, SourceRow), row
    return row


def reason(tmp_path: Path, content: str | bytes, item=CARS, **options) -> str:
    (row,) = rows_of(put(tmp_path, content), item, **options)
    assert isinstance(row, Reject)
    return row.reason


def take(tmp_path: Path, content: str, item=CARS) -> tuple[list[Record], Tally]:
    return combine(read(put(tmp_path, content), item), item, DAY)


# ---- encodings and forms of files

PLAIN = f"证件号码,姓名,号牌号码,数据时点\n{A},{NAME},粤A00001,2026-05-31\n{B},买买提·热依汗,粤A00002,2026-05-31\n"
FILES = [
    ("UTF-8", PLAIN.encode()),
    ("UTF-8 with mark", b"\xef\xbb\xbf" + PLAIN.encode()),
    ("GB18030", PLAIN.encode("gb18030")),
    ("GB18030 with mark", ("\ufeff" + PLAIN).encode("gb18030")),
    ("CRLF", PLAIN.replace("\n", "\r\n").encode()),
    ("CR", PLAIN.replace("\n", "\r").encode()),
    ("no newline at the end", PLAIN.rstrip("\n").encode()),
    ("tabs", PLAIN.replace(",", "\t").encode()),
    ("tabs in GB18030", PLAIN.replace(",", "\t").encode("gb18030")),
    ("every cell quoted", "".join(",".join(f'"{c}"' for c in x.split(",")) + "\n" for x in PLAIN.splitlines()).encode()),
    ("blank lines", PLAIN.replace("\n", "\n\n").encode()),
    ("full-width digits", PLAIN.translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789X"}).replace("－", "-").encode()),
    ("lower-case x", PLAIN.replace("08X", "08x").encode()),
    ("15 digits", PLAIN.replace(A, "449999000101003").encode()),
    ("blanks around", PLAIN.replace(",", " ,\u3000").encode()),
    ("full-width blanks in names", PLAIN.replace("张三丰", "张　三丰").encode()),
    ("other dot in a name", PLAIN.replace("·", "•").encode()),
    ("English headers", PLAIN.replace("证件号码,姓名,号牌号码,数据时点", "ID_NO,Name,record_no,as_of").encode()),
    ("other order, other columns", "".join(f"{i}," + ",".join(reversed(x.split(","))) + "\n" for i, x in enumerate(PLAIN.splitlines())).encode()),
    ("dates without dashes", PLAIN.replace("2026-05-31", "20260531").encode()),
    ("dates with slashes", PLAIN.replace("2026-05-31", "2026/5/31").encode()),
    ("dates in Chinese", PLAIN.replace("2026-05-31", "2026年5月31日").encode()),
]  # fmt: skip


@pytest.mark.parametrize("content", [row[1] for row in FILES], ids=[row[0] for row in FILES])
def test_the_same_rows_from_every_form_of_file(tmp_path, content):
    one, other = rows_of(put(tmp_path, content))
    assert (one.identities, one.name, one.key, one.amount, one.as_of) == (
        (Identity("resident", A),), NAME, "粤A00001", 1, date(2026, 5, 31),
    )  # fmt: skip
    assert (other.identities, other.name) == ((Identity("resident", B),), "买买提热依汗")


def test_a_quoted_cell_may_hold_commas_quotes_and_newlines(tmp_path):
    path = put(tmp_path, f'备注,id_no,name\r\n"a, ""b""\r\nc",{A},x\r\n"d",{B},"LOPEZ, MARIA"\r\n,1,z\r\n')
    one, other, bad = rows_of(path)
    assert (one.line, other.line, bad.line) == (2, 4, 5)
    assert other.name == "LOPEZ,MARIA"


def test_encoding_is_found_past_the_first_chunk(tmp_path, monkeypatch):
    monkeypatch.setattr("node.delimited.CHUNK", 7)
    assert only(put(tmp_path, f"id_no,name\n{A},{NAME}", "gb18030")).name == NAME
    assert only(put(tmp_path, f"id_no,name\n{A},{NAME}")).name == NAME


BAD_FILES = [
    ("empty", b"", "the file is empty"),
    ("blank", b" \n\t\n", "the file is empty"),
    ("only a mark", b"\xef\xbb\xbf", "first line is empty"),
    ("first line blank", f"\nid_no\n{A}\n".encode(), "first line is empty"),
    ("only a header", b"id_no,name\n", "there is a header but no row"),
    ("header and blank lines", b"id_no,name\n\n\n", "there is a header but no row"),
    ("NUL", f"id_no\n{A}\n".encode() + b"a\0b", "NUL at byte 26"),
    ("UTF-16", f"id_no\n{A}\n".encode("utf-16"), "UTF-16"),
    ("spreadsheet", b"PK\x03\x04rest", "spreadsheet"),
    ("no known encoding", b"id_no\n" + b"\xff\xff\n", "wrong at byte 6"),
    ("Latin-1 byte at the end", b"id_no\nabc\x80", "GB18030 (wrong at byte 9)"),
    ("id column missing", f"name,号牌号码\n{NAME},a\n".encode(), "no column for id_no"),
    ("two id columns", f"id_no,证件号码\n{A},{A}\n".encode(), "columns 1 and 2 are both headed as id_no"),
    ("two record columns", f"id_no,账号,记录编号\n{A},1,2\n".encode(), "both headed as record_no"),
    ("quote never closed", f'id_no,name\n{A},"{NAME}\n{B},x\n'.encode(), "line 2: a quote opens here"),
    ("header quote never closed", f'id_no,"name\n{A},x\n'.encode(), "the header's quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "problem"), [r[1:] for r in BAD_FILES], ids=[r[0] for r in BAD_FILES])
def test_files_that_cannot_be_used(tmp_path, content, problem):
    path = put(tmp_path, content)
    with pytest.raises(InputError) as caught:
        rows_of(path)
    assert str(path) in str(caught.value)
    assert problem in str(caught.value)
    assert caught.value.hint
    assert A not in str(caught.value) + caught.value.hint
    assert NAME not in str(caught.value) + caught.value.hint


def test_a_file_without_header_is_not_quoted_back(tmp_path):
    with pytest.raises(InputError, match="looks like data") as caught:
        rows_of(put(tmp_path, f"{A},{NAME}\n{B},李四\n"))
    told = str(caught.value) + caught.value.hint
    assert A not in told
    assert NAME not in told


def test_missing_column_shows_the_headers_and_the_way_out(tmp_path):
    with pytest.raises(InputError, match="headers seen: 号码, 姓名") as caught:
        rows_of(put(tmp_path, f"号码,姓名\n{A},x\n"))
    assert '--map id_no="HEADER"' in caught.value.hint


def test_no_such_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            rows_of(path)


def test_an_endless_line_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("node.delimited.MAX_LINE", 100)
    with pytest.raises(InputError, match="line 2 is longer than 100 characters"):
        rows_of(put(tmp_path, "id_no\n" + "1" * 101))


# ---- --map


def test_map_overrides_the_known_headers(tmp_path):
    path = put(tmp_path, f"证件号码,车主号,车牌\n1,{A},粤A1\n")
    row = only(path, columns={"id_no": "车主号 ", "record_no": "车牌"})
    assert (row.identities[0].value, row.key) == (A, "粤A1")


MAPS = [
    ("unknown field", {"id_nr": "证件号码"}, "no field id_nr", "did you mean id_no"),
    ("header there is not", {"id_no": "身份证件"}, "headers seen: 证件号码, 姓名, 姓名", "spells it"),
    ("header twice", {"name": "姓名"}, "columns 2 and 3 are both headed as name", "--map name="),
]


@pytest.mark.parametrize(("columns", "problem", "hint"), [r[1:] for r in MAPS], ids=[r[0] for r in MAPS])
def test_bad_maps(tmp_path, columns, problem, hint):
    with pytest.raises(InputError) as caught:
        rows_of(put(tmp_path, f"证件号码,姓名,姓名\n{A},x,y\n"), columns=columns)
    assert problem in str(caught.value)
    assert hint in caught.value.hint


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
    ("too few cells", f"{A},{NAME}", "wrong_cell_count", ""),
    ("too many cells", f"{A},{NAME},1,1.00,,", "wrong_cell_count", ""),
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


COMBINED = [
    # name, item, rows after "id_no,former_id_no,record_no,value,as_of", (total, as_of), (accepted, duplicates)
    ("two cars", "C21", ["A,,p1,1,2026-01-02", "A,,p2,1,2026-01-01"], (2, "2026-01-01"), (2, 0)),
    ("one plate twice", "C21", ["A,,p1,1,2026-01-02", "A,,p1,1,2026-01-02"], (1, "2026-01-02"), (1, 1)),
    ("one plate, newer state", "C21", ["A,,p1,1,2026-01-01", "A,,p1,1,2026-01-03"], (1, "2026-01-03"), (1, 1)),
    ("plate written otherwise", "C21", ["A,,p1,1,2026-01-01", "A,,Ｐ １,1,2026-01-01"], (1, "2026-01-01"), (1, 1)),
    ("cars under two numbers", "C21", ["A,,p1,1,2026-01-01", "B,,p2,1,2026-01-01", "A,B,p3,1,2026-01-01"], (3, "2026-01-01"), (3, 0)),
    ("joined later, one plate", "C21", ["A,,p1,1,2026-01-01", "B,,p1,1,2026-01-01", "B,A,p3,1,2026-01-01"], (2, "2026-01-01"), (2, 1)),
    ("joined through a third", "C21", ["A,C,p1,1,2026-01-01", "B,C,p2,1,2026-01-01"], (2, "2026-01-01"), (2, 0)),
    ("equal rows without number", "C21", ["A,,,1,2026-01-01", "A,,,1,2026-01-01"], (1, "2026-01-01"), (1, 1)),
    ("equal rows, other writing", "C21", ["B,,,1,2026-01-01", "b,,,1,2026-01-01"], (1, "2026-01-01"), (1, 1)),
    ("unequal rows without number", "C21", ["A,,,1,2026-01-01", "A,,,2,2026-01-01"], (3, "2026-01-01"), (2, 0)),
    ("flag once and again", "Z59b", ["A,,e1,1,2026-01-01", "A,,e2,1,2026-01-05"], (1, "2026-01-05"), (2, 0)),
    ("flag set and not set", "Z59b", ["A,,e1,1,2026-01-01", "A,,e2,0,2026-01-05"], (1, "2026-01-01"), (2, 0)),
    ("flag never set", "Z59b", ["A,,e1,0,2026-01-01"], (0, "2026-01-01"), (1, 0)),
    ("no date at all", "C21", ["A,,p1,1,"], (1, "2026-06-30"), (1, 0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "lines", "result", "counts"), [r[1:] for r in COMBINED], ids=[r[0] for r in COMBINED]
)
def test_combine(tmp_path, code, lines, result, counts):
    numbers = {"A": A, "B": B, "b": B.lower(), "C": C, "": ""}
    text = "id_no,former_id_no,record_no,value,as_of\n"
    for line in lines:
        current, former, rest = line.split(",", 2)
        text += f"{numbers[current]},{numbers[former]},{rest}\n"
    (record,), tally = take(tmp_path, text, CATALOGUE.item(code))
    assert (record.total, record.as_of.isoformat()) == result
    assert (tally.accepted, tally.duplicates) == counts
    assert tally.read == len(lines)


def test_monthly_rows_of_one_account_add_up(tmp_path):
    months = [f"{A},s1,3000.00,2026-{month:02d}-28" for month in range(1, 7)]
    (record,), tally = take(
        tmp_path, "id_no,社保编号,缴费基数(元),as_of\n" + "\n".join([*months, months[0]]), INSURANCE
    )
    assert (record.total, record.as_of) == (6 * 300_000, date(2026, 6, 28))
    assert (tally.accepted, tally.duplicates) == (6, 1)


def test_latest_rule(tmp_path):
    item = replace(DEPOSITS, combine="latest")
    rows = f"id_no,账号,余额(元),as_of\n{A},1,5.00,2026-01-01\n{A},2,7.00,2026-02-01\n{A},3,6.00,2026-01-15\n"
    (record,), _ = take(tmp_path, rows, item)
    assert (record.total, record.as_of) == (700, date(2026, 2, 1))


def test_names_keep_the_latest_and_count_conflicts(tmp_path):
    (one, other), tally = take(
        tmp_path,
        "id_no,name,record_no,as_of\n"
        f"{A},新名,1,2026-03-01\n{A},旧名,2,2026-01-01\n{A},,3,2026-05-01\n"
        f"{B},买买提·热依汗,4,\n{B},买买提•热依汗,5,\n",
    )
    assert (one.name, other.name, tally.name_conflicts) == ("新名", "买买提热依汗", 1)


def test_contradictions_and_unknown_areas_are_counted(tmp_path):
    strange = "01999919000101003"
    strange += check_digit(strange)
    _, tally = take(
        tmp_path,
        f"id_no,账号,余额(元),as_of\n{A},1,5.00,2026-01-01\n{A},1,6.00,2026-01-01\n{strange},2,1.00,\n",
        DEPOSITS,
    )
    assert (tally.contradictions, tally.duplicates, tally.unknown_area) == (1, 1, 1)


def test_entries_stand_under_every_number(tmp_path):
    _, tally = take(tmp_path, f"id_no,former_id_no,record_no\n{A},{B};{C},1\n")
    assert (tally.records, tally.entries) == (1, 3)


def test_a_tally_that_does_not_add_up_is_a_fault():
    with pytest.raises(NodeError, match="do not add up"):
        Tally(read=2, accepted=1, duplicates=0, rejected=0, records=1, entries=1)


def test_combine_agrees_with_a_plain_join():
    # Oracle: connected components by repeated merging of sets, then plain dicts.
    rng = random.Random(7)
    for _ in range(200):
        people = [Identity("resident", str(n)) for n in range(8)]
        rows = [
            SourceRow(n, tuple(dict.fromkeys(rng.choices(people, k=rng.randint(1, 2)))), "", f"r{rng.randint(0, 5)}",
                      rng.randint(1, 9), date(2026, 1, rng.randint(1, 5)))
            for n in range(rng.randint(1, 12))
        ]  # fmt: skip
        groups: list[set[Identity]] = []
        for row in rows:
            joined = set(row.identities).union(*(g for g in groups if g & set(row.identities)))
            groups = [g for g in groups if not g & joined] + [joined]
        expected = set()
        accepted = 0
        for group in groups:
            newest: dict[str, tuple[date, int]] = defaultdict(lambda: (date.min, 0))
            for row in rows:
                if set(row.identities) & group:
                    newest[row.key] = max(newest[row.key], (row.as_of, row.amount))
            accepted += len(newest)
            dates, amounts = zip(*newest.values(), strict=True)
            expected.add((frozenset(group), sum(amounts), min(dates)))
        records, tally = combine(rows, DEPOSITS, DAY)
        assert {(frozenset(r.identities), r.total, r.as_of) for r in records} == expected
        assert (tally.read, tally.accepted, tally.duplicates) == (len(rows), accepted, len(rows) - accepted)


# ---- any bytes

CELLS = st.sampled_from(
    [
        A,
        B,
        C,
        "449999000101003",
        "",
        '"',
        '"a\nb"',
        NAME,
        "1",
        "5.00",
        "2026-01-01",
        "\t",
        "=1+1",
        "x" * 1200,
        "1,5",
    ]
)
TABLES = st.builds(
    lambda header, rows, end: (header + end + end.join(",".join(r) for r in rows)).encode(),
    st.sampled_from(
        ["id_no,former_id_no,账号,余额(元),name", "证件号码,金额(分),数据时点", "id_no", "name,x"]
    ),
    st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=200), TABLES, TABLES.map(lambda b: b[:-3] + b"\xff\x81")),
    st.sampled_from(CATALOGUE.items),
)
def test_any_bytes_give_counts_or_one_clear_error(tmp_path, content, item):
    rejects: list[Reject] = []
    try:
        records, tally = combine(read(put(tmp_path, content), item), item, DAY, rejects.append)
    except InputError as error:
        told = f"{error} {error.hint}"
        if not error.hint or any(secret in told for secret in (A, B, C)):
            pytest.fail("an error without advice, or one that tells too much")
        return
    assert tally.read == tally.accepted + tally.duplicates + tally.rejected
    assert tally.rejected == len(rejects) == sum(count for _, count in tally.reasons)
    assert len(records) == tally.records
    told = repr(rejects) + repr(records)
    assert not any(number in told for number in (A, B, C, NAME))


# ---- names, rejects, secrecy


def test_rejects_file(tmp_path):
    rejects = [Reject("a.csv", 7, "=cmd", "bad_date", 'the date, "so called"')]
    path = tmp_path / "out" / "rejects.csv"
    write_rejects(path, rejects)
    assert list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")))) == [
        ["file", "line", "column", "reason", "message"],
        ["a.csv", "7", "'=cmd", "bad_date", 'the date, "so called"'],
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["rejects.csv"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "report.json"
    path.write_bytes(b"old")

    def chunks():
        yield b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(UnavailableError, match="No space left"):
        write_atomically(path, chunks())
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_nothing_planted_shows(tmp_path):
    path = put(tmp_path, f"id_no,former_id_no,name,账号,余额(元)\n{A},{B},{NAME},62999912345678,123456.78\n")
    (row,) = rows_of(path, DEPOSITS)
    (record,), _ = combine([row], DEPOSITS, DAY)
    for thing in (row, record):
        told = repr(thing) + str(thing) + f"{thing}"
        assert not any(secret in told for secret in (A, B, NAME, "62999912345678", "12345678", "123456.78"))


def test_memory_is_bounded_by_the_row(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("w", encoding="gb18030") as file:
        file.write("证件号码,姓名,账号,余额(元)\n")
        file.writelines(f"{A},张三,{n},1.00\n" for n in range(60_000))
    tracemalloc.start()
    count = sum(1 for _ in itertools.islice(read(path, DEPOSITS), 20_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 12 << 20
