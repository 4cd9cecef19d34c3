"""Files read in chunks, compared with the reader of single rows: the same rows, rejects and errors."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher import identity
from node.domain import catalogue
from node.domain.records import Reject
from node.errors import InputError
from node.index import people
from node.registers import block_reader, chunks, row_parser
from node.registers.row_tables import make_key, unpack
from node.tabular.delimited import open_table
from tests.support.effort import examples

TODAY = date(2026, 7, 1)
SALT = bytes(32)
ITEMS = {item.code: item for item in catalogue.load().items}
COUNTED = ITEMS["C21"]
MONEY = next(item for item in ITEMS.values() if item.value_kind == "money" and item.time == "period")


def number(order: int) -> str:
    body = f"44999919900101{order:03d}"
    return body + identity.check_digit(body)


GOOD = [number(i) for i in range(12)]
WITH_X = next(n for n in map(number, range(100)) if n.endswith("X"))
NUMBERS = [
    *GOOD,
    WITH_X,
    WITH_X.lower(),
    f" {GOOD[0]}",
    GOOD[1].translate({ord("0") + d: ord("０") + d for d in range(10)}),
    GOOD[2][:6] + GOOD[2][8:17],
    GOOD[3][:17] + ("0" if GOOD[3][17] != "0" else "1"),
    "449999199002301234",
    "",
    "4.49999E+17",
    "ABC999985022801",
    "身份证号码身份证号码身份证号码身份证",
]
NAMES = ["", "陈阿三", "王 五", "Ａnna", "买买提·热依汗", "x" * 120, "㍿", "李\u3000四"]
DATES = ["", "2026-06-30", "2026/6/1", "20260630", "2026-13-01", "2030-01-01", " 2026-06-30"]
COUNTS = ["", "1", "3", "３", "-1", "x", "99999999"]
MONEYS = ["", "1,234.50", "12", "0.001", "-3", "（3）", " 7.5"]
PLATES = ["", "粤A12345", "粤a12345", "粤 A12345", "B1"]
FORMER = ["", "", "", GOOD[4], f"{GOOD[5]};{GOOD[6]}", "1"]
TYPES = ["", "居民身份证", "resident", "hmt-permit", "护照"]


def read_whole(path, item, terms, **options):
    """Read by the reader of single rows."""
    rows, linked, rejects = Counter(), Counter(), []
    for row in row_parser.read(path, item, None, TODAY, **options):
        if isinstance(row, Reject):
            rejects.append(row)
            continue
        as_of = row.as_of or TODAY
        key = make_key(row.key, as_of.toordinal(), monthly=terms.monthly)
        settled = replace(row, line=0, as_of=as_of, key=key)
        (rows if len(row.identities) == 1 else linked)[settled] += 1
    return rows, linked, rejects


def read_blocks(path, item, terms, **options):
    rows, linked, rejects, usable, areas = Counter(), Counter(), [], 0, 0
    with open_table(path, row_parser.ALIASES) as table:
        amount = row_parser.amount_field(table.layout, item, {})
        for order, block in enumerate(chunks.cut_file(path, table, amount, **options)):
            found = block_reader.read_block(block, terms, order)
            rows.update(replace(row, line=0) for row in unpack(found.rows))
            linked.update(replace(row, line=0) for row in found.linked)
            rejects += found.rejects
            usable += found.usable
            areas += found.unknown_area
    assert usable == sum(rows.values()) + sum(linked.values())
    assert areas == 0
    return rows, linked, rejects


def compare(path, item, **options):
    terms = people.ReadOptions(item, SALT, TODAY.toordinal(), TODAY)
    outcomes = []
    for read in (read_whole, read_blocks):
        try:
            outcomes.append(read(path, item, terms, **options))
        except InputError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    return outcomes[0]


def lines(item):
    amounts = MONEYS if item.value_kind == "money" else COUNTS
    row = st.tuples(*map(st.sampled_from, (NUMBERS, NAMES, amounts, DATES, PLATES, FORMER, TYPES)))
    plain = st.tuples(
        st.sampled_from(GOOD),
        st.just("陈三"),
        st.sampled_from(amounts[1:3]),
        st.just("2026-06-30"),
        *[st.just("")] * 3,
    )
    quoted = row.map(lambda cells: tuple(f'"{cell}"' for cell in cells))
    odd = st.sampled_from([("",), ("a", "b"), ('"a\nb"', *"123456"), ('a"b', *"123456"), ('"a"b', *"123456")])
    return st.lists(st.one_of(plain, plain, plain, row, quoted, odd), min_size=0, max_size=25)


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_same_rows_rejects_and_errors(tmp_path, monkeypatch, data):
    item = data.draw(st.sampled_from([COUNTED, MONEY]))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\n", "\r"]))
    delimiter = data.draw(st.sampled_from([",", ",", "\t"]))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))
    amount = "amount_yuan" if item.value_kind == "money" else "value"
    header = ("id_no", "name", amount, "as_of", "record_no", "former_id_no", "id_type")
    text = end.join(delimiter.join(row) for row in [header, *data.draw(lines(item))])
    text += data.draw(st.sampled_from(["", end, end + end]))
    monkeypatch.setattr(chunks, "BLOCK_BYTES", data.draw(st.sampled_from([40, 300, 1 << 20])))
    monkeypatch.setattr(chunks, "_MOST_BYTES", 1 << 23)
    path = tmp_path / "register.csv"
    path.write_bytes(text.encode(encoding))
    compare(path, item, allow_empty=data.draw(st.booleans()))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("columns", [("id_no",), ("id_no", "note"), ("note", "id_no", "name")])
def test_few_columns(tmp_path, end, columns):
    cells = {"id_no": NUMBERS, "note": ["", "x ", "y"], "name": NAMES}
    rows = [[cells[column][i % len(cells[column])] for column in columns] for i in range(200)]
    path = tmp_path / "register.csv"
    path.write_text(end.join(map(",".join, [columns, *rows])), encoding="utf-8", newline="")
    rows, _, rejects = compare(path, COUNTED)
    assert rows
    assert rejects


BROKEN = {
    "never closes": f'id_no,name\n{GOOD[0]},"陈\n{GOOD[1]},王\n',
    "ends in a row": f"id_no,name\n{GOOD[0]},陈\n{GOOD[1]}",
    "columns change": f"id_no,name\n{GOOD[0]},陈\n{GOOD[1]},王,1\n",
    "long cell": f"id_no,name\n{GOOD[0]},{'陈' * 2000}\n{GOOD[1]},王\n",
    "far too long cell": f"id_no,name\n{GOOD[0]},{'陈' * 200_000}\n{GOOD[1]},王\n",
    "header only": "id_no,name\n",
    "header without end": "id_no,name",
    "blank lines": "id_no,name\n\n\n",
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files(tmp_path, case):
    path = tmp_path / "register.csv"
    path.write_text(BROKEN[case], encoding="utf-8", newline="")
    compare(path, COUNTED)


def test_most_rows_of_a_plain_file_are_read_together(tmp_path, monkeypatch):
    path = tmp_path / "register.csv"
    path.write_text("id_no,name,value\n" + "".join(f"{n},陈三,1\n" for n in GOOD), encoding="utf-8")

    def refuse(*_args: object) -> None:
        raise AssertionError("a plain row was read alone")

    monkeypatch.setattr(row_parser, "source_row", refuse)
    terms = people.ReadOptions(COUNTED, SALT, TODAY.toordinal(), TODAY)
    assert sum(read_blocks(path, COUNTED, terms)[0].values()) == len(GOOD)
