"""A report as a workbook, read by openpyxl and as XML: texts stay texts, a county's list fits into memory."""

import io
import re
import resource
import time
import zipfile
from array import array
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from node.domain.findings import Finding, Findings, Outcome, ReusedFrom
from node.reports import household, sheets, xlsx
from node.reports.document import Column, Sheet
from tests.support.reports import CATALOGUE, PEERS, SUMS, VERIFICATION
from tests.support.signed_reports import (
    FORMULA,
    HOSTILE,
    LONG,
    MARKUP,
    RARE,
    TURNED,
    hostile_report,
    write_all,
)

DOCUMENT = household.document(VERIFICATION, CATALOGUE, "zh")
MIB = 1 << 20


def render(report, folder, lang="zh", **more):
    document = household.document(report, CATALOGUE, lang)
    return xlsx.render(document, sheets.sheets(report, CATALOGUE, lang), folder, **more)


def book(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def rows(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_a_person_is_a_row_and_a_question_a_column(tmp_path):
    found = book(render(VERIFICATION, tmp_path))
    assert found.sheetnames == ["概况", "人员", "明细", "技术信息"]
    people = rows(found["人员"])
    assert people[0][:3] == ["户", "成员", "C21 机动车\n44 广东"]
    assert [row[:2] for row in people[1:]] == [["H1", "H1/01"], ["H1", "H1/02"], ["H2", "H2/01"]]
    assert len(people[0]) == 2 + 9
    assert people[1][2] == "有记录：2 辆\n截至 2026-06-30"
    assert people[2][3] == "无记录"
    assert people[3][5] == "无授权\n（授权范围不含该项目）"
    assert people[1][6] == "未接入", "never the words for no record"


def test_details_are_those_of_answers_other_than_no_record(tmp_path):
    details = rows(book(render(VERIFICATION, tmp_path, "en"))["Details"])
    said = [one for one in VERIFICATION.findings if one.outcome not in ("NOT_FOUND", "NOT_OVER")]
    assert len(details) == 1 + len(said)
    assert details[1] == [
        "H1/01",
        "C21",
        "motor vehicles",
        "44",
        "record found",
        2,
        "2 vehicles",
        "2026-06-30",
        "2026-07-01 16:00+08:00",
        None,
    ]
    assert isinstance(details[1][5], int)


def test_an_answer_used_again_came_on_its_own_day(tmp_path):
    earlier = replace(VERIFICATION.findings[0], reused_from=ReusedFrom("job-0", date(2026, 6, 3)))
    details = rows(book(render(replace(VERIFICATION, findings=(earlier,)), tmp_path, "en"))["Details"])
    assert details[0][8] == "Answered at"
    assert details[1][8] == "2026-06-03"


def test_nothing_is_a_formula_a_link_or_an_error(tmp_path):
    content = render(hostile_report(), tmp_path)
    for sheet in book(content):
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        text = "".join(archive.read(name).decode() for name in names if name.endswith(".xml"))
    assert not re.search(r"<f[ >]|<hyperlink|externalLink|vbaProject", text)
    assert not [name for name in names if "calcChain" in name or "external" in name]


def test_hostile_texts_are_there_as_they_are(tmp_path):
    values = {
        cell for sheet in book(render(hostile_report(), tmp_path)) for row in rows(sheet) for cell in row
    }
    texts = "\n".join(str(one) for one in values)
    for one in (FORMULA, MARKUP, TURNED, RARE, LONG, "_x0041_", "a[U+0007]b"):
        assert one in texts, one
    assert len(HOSTILE) == 10
    assert f"45 {MARKUP}{TURNED}{RARE}" in values


def test_a_full_sheet_goes_on_in_another(tmp_path):
    count = 25
    lines = Sheet("人员", (Column("a"),), ((str(at),) for at in range(count)), count)
    found = book(xlsx.render(DOCUMENT, (lines,), tmp_path, rows_of_a_sheet=11))
    assert found.sheetnames[1:4] == ["人员", "人员 2", "人员 3"]
    kept = [row[0] for name in found.sheetnames[1:4] for row in rows(found[name])[1:]]
    assert kept == [str(at) for at in range(count)]
    assert [rows(found[name])[0] for name in found.sheetnames[1:4]] == [["a"]] * 3
    assert xlsx.ROWS == 1_048_576


@pytest.mark.parametrize(
    ("count", "sheets"),
    [
        (0, [0]),
        (1, [1]),
        (1_048_575, [1_048_575]),
        (1_048_576, [1_048_575, 1]),
        (2_400_000, [1_048_575, 1_048_575, 302_850]),
    ],
)
def test_rows_go_on_in_another_sheet_behind_the_last_one_of_a_sheet(count, sheets):
    assert xlsx.rows_by_sheet(count) == sheets
    assert sum(sheets) == count


def test_cells_written_together_are_those_written_one_by_one(tmp_path, monkeypatch):
    """Every kind of cell: texts, spaces, markup, numbers, floats, days; and without the fast way."""
    columns = tuple(map(Column, "abcdef"))
    lines = [
        (" a ", "<b>&\"'", 1, 1.0, date(2026, 1, 31), None),
        (None, "_x0041_\x07", -(10**14), 2.5, (date(2026, 1, 1), date(2026, 2, 1)), "x"),
        ("", FORMULA, 10**15, 0, None, LONG * 200),
        *(((f"n{at}", "same", at % 3, at % 2, None, None)) for at in range(2_100)),
    ]

    def made():
        return book(xlsx.render(DOCUMENT, (Sheet("A", columns, lines, len(lines)),), tmp_path))["A"]

    fast = [[(cell.value, cell.number_format, cell.alignment.wrap_text) for cell in row] for row in made()]
    monkeypatch.setattr(xlsx, "can_write", lambda _page: False)
    assert fast == [
        [(cell.value, cell.number_format, cell.alignment.wrap_text) for cell in row] for row in made()
    ]
    assert len(fast) == len(lines) + 1


def test_a_sheet_that_is_just_full_and_one_without_rows(tmp_path):
    full = Sheet("A", (Column("a"),), [("x",)] * 10, 10)
    empty = Sheet("B", (Column("b"),), [], 0)
    found = book(xlsx.render(DOCUMENT, (full, empty), tmp_path, rows_of_a_sheet=11))
    assert found.sheetnames[1:3] == ["A", "B"]
    assert rows(found["B"]) == [["b"]]


def test_the_same_report_gives_the_same_bytes(tmp_path):
    first = render(VERIFICATION, tmp_path)
    time.sleep(1.1)  # a time in it would show
    assert render(VERIFICATION, tmp_path) == first
    assert list(tmp_path.iterdir()) == []


def test_numbers_are_numbers_and_large_ones_are_exact(tmp_path):
    line = ("x", 12, 2.5, 10**17, date(2026, 6, 30), (1, 2), None)
    sheet = Sheet("n", tuple(map(Column, "abcdefg")), [line], 1)
    assert rows(book(xlsx.render(DOCUMENT, (sheet,), tmp_path))["n"])[1] == [
        "x", 12, 2.5, "100,000,000,000,000,000", "2026-06-30", "1 / 2", None,
    ]  # fmt: skip


def test_sums_have_a_sheet_of_their_rows(tmp_path):
    found = openpyxl.load_workbook(write_all(tmp_path, SUMS, "en") / "report.xlsx")
    sheet = rows(found["Sums"])
    assert sheet[0][:4] == ["Item", "Name of the item in Chinese", "Name of the item", "Province"]
    assert ["B11", "44", "RELEASED"] in [[row[0], row[3], row[4]] for row in sheet[1:]]
    assert "Technical" in found.sheetnames


def county(people, items=2, peers=2):
    """A list of so many people: few answers differ, and one in twenty people has every item."""
    items = CATALOGUE.codes[:items]
    peers = tuple(replace(PEERS[0], peer=code) for code in ("44", "33", "32", "31", "51")[:peers])
    answers = [
        Finding("", item, peer.peer, outcome, 1 if outcome is Outcome.FOUND else None, date(2026, 6, 30))
        for item in items
        for peer in peers
        for outcome in (Outcome.FOUND, Outcome.NOT_FOUND)
    ]
    refs, asked = tuple(f"H{at // 3}/{at % 3}" for at in range(people)), len(answers) // 2
    subject = array("I", (at for at in range(people) for _ in range(asked)))
    answer = array("I", (question * 2 + (at % 20 != 0) for at in range(people) for question in range(asked)))
    findings = Findings(refs, tuple(answers), subject, answer)
    return replace(VERIFICATION, items=items, peers=peers, subjects=refs, findings=findings)


def rss():
    """Memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def written(report, folder):
    """The workbook, how much memory grew from its first thousand rows on, and the rows that were told of."""
    seen, told = [], []

    def heard(count):
        seen.append(rss())
        told.append(count)

    return render(report, folder, told=heard), max(seen) - seen[0], sum(told)


def people_in(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("xl/worksheets/sheet2.xml") as sheet:
        return sheet.read().count(b"<row ") - 1


def test_ten_thousand_people_in_bounded_memory(tmp_path):
    content, grown, told = written(county(10_000), tmp_path)
    assert people_in(content) == 10_000
    assert told == 10_000 + 500 * 4
    assert grown < 8 * MIB, "no row is kept"


@pytest.mark.long
def test_sixty_thousand_people_eight_items_five_provinces(tmp_path):
    content, grown, _ = written(county(60_000, 8, 5), tmp_path)
    assert people_in(content) == 60_000
    assert grown < 100 * MIB
