# ruff: noqa: E501  (a case of a table is one line)
"""Rows of one person become one record."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import date

import pytest

from matcher.identity import check_digit
from matcher.types import Identity
from node.errors import NodeError
from node.registers.row_parser import SourceRow, Tally, combine
from tests.support.source_files import CATALOGUE, DAY, DEPOSITS, INSURANCE, A, B, C, take

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


def test_entries_exist_under_every_number(tmp_path):
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
