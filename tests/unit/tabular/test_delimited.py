# ruff: noqa: E501  (a case of a table is one line)
"""Source files: their forms, encodings and columns, and that no error shows their content."""

import csv
import io
import itertools
import tracemalloc
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher.types import Identity
from node.errors import InputError, UnavailableError
from node.files import write_atomically
from node.registers.row_parser import Reject, combine, read
from node.tabular.fields import write_rejects
from tests.support.effort import examples
from tests.support.source_files import CATALOGUE, DAY, DEPOSITS, NAME, A, B, C, only, put, rows_of

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
    monkeypatch.setattr("node.tabular.text_form.CHUNK", 7)
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
    shown = str(caught.value) + caught.value.hint
    assert A not in shown
    assert NAME not in shown


def test_missing_column_shows_the_headers_and_the_way_out(tmp_path):
    with pytest.raises(InputError, match="headers seen: 号码, 姓名") as caught:
        rows_of(put(tmp_path, f"号码,姓名\n{A},x\n"))
    assert '--map id_no="HEADER"' in caught.value.hint


def test_no_such_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            rows_of(path)


def test_an_endless_line_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("node.tabular.text_form.MAX_LINE", 100)
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


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=200), TABLES, TABLES.map(lambda b: b[:-3] + b"\xff\x81")),
    st.sampled_from(CATALOGUE.items),
)
def test_any_bytes_give_counts_or_one_clear_error(tmp_path, content, item):
    rejects: list[Reject] = []
    try:
        records, tally = combine(read(put(tmp_path, content), item), item, DAY, rejects.append)
    except InputError as error:
        shown = f"{error} {error.hint}"
        if not error.hint or any(secret in shown for secret in (A, B, C)):
            pytest.fail("an error without advice, or one that tells too much")
        return
    assert tally.read == tally.accepted + tally.duplicates + tally.rejected
    assert tally.rejected == len(rejects) == sum(count for _, count in tally.reasons)
    assert len(records) == tally.records
    shown = repr(rejects) + repr(records)
    assert not any(number in shown for number in (A, B, C, NAME))


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


def test_no_planted_data_is_shown(tmp_path):
    path = put(tmp_path, f"id_no,former_id_no,name,账号,余额(元)\n{A},{B},{NAME},62999912345678,123456.78\n")
    (row,) = rows_of(path, DEPOSITS)
    (record,), _ = combine([row], DEPOSITS, DAY)
    for thing in (row, record):
        shown = repr(thing) + str(thing) + f"{thing}"
        assert not any(secret in shown for secret in (A, B, NAME, "62999912345678", "12345678", "123456.78"))


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
