"""Declared beside verified, spending, causes, re-checks: as figures, and in every form of a report."""

import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from matcher.types import Level
from node.domain.findings import Outcome
from node.reports import files, kinds
from node.reports.comparisons import (
    BANDS,
    EXACT,
    NOT_ASKED,
    NOTHING,
    THRESHOLD,
    Amount,
    causes,
    compare,
    join,
    share_of,
    spending,
)
from node.reports.declared import share_text, without_relatives
from node.reports.households import each_household, of_household
from tests.support.case_reports import (
    FORMULA,
    GROUNDS,
    MARKUP,
    RAISED_BY,
    RECHECKED,
    SPENDING_CATALOGUE,
    SPENT,
)
from tests.support.reports import CATALOGUE

SPACES = re.compile(r"[\s\u200b]+")

# ---- figures


def lines(report, catalogue=CATALOGUE) -> dict:
    return {(one.household, one.what): one for one in compare(report, catalogue)}


def test_declared_beside_verified() -> None:
    found = lines(SPENT, SPENDING_CATALOGUE)
    vehicles = found["H1", "C21"]
    assert (vehicles.declared, vehicles.amount, vehicles.difference) == (1, Amount(EXACT, True, 2, 2), 1)
    assert found["H2", "C21"].difference == -2
    # Over 50,000 to 200,000 yuan; twice over 10,000 to 50,000. The relative's is not the household's.
    total = found["H1", "spending"]
    assert total.amount == Amount(BANDS, True, 7_000_000, 30_000_000)
    assert total.difference is None
    assert found["H1", "income"].amount.known == NOT_ASKED
    assert found["H1", "B11"].amount.known == NOT_ASKED


def test_without_an_answer_or_an_amount_there_is_no_difference() -> None:
    found = lines(RECHECKED)
    assert found["H1", "C21"].amount == Amount(EXACT, False, 2 + 1, 2 + 1)
    assert found["H1", "C21"].difference is None
    assert found["H1", "C23"].amount.known == THRESHOLD
    assert found["H1", "D34"].amount.known == BANDS
    assert found["H1", "assets"].difference is None
    # A name that differs is no answer: whose vehicle it is, is open.
    some = tuple(one for one in RECHECKED.findings if one.peer == "33" and one.item == "C21")
    one_province = replace(
        RECHECKED,
        items=("C21",),
        peers=tuple(peer for peer in RECHECKED.peers if peer.peer == "33"),
        findings=some,
    )
    assert any(one.outcome is Outcome.NAME_MISMATCH for one in some)
    assert lines(one_province)["H2", "C21"].difference is None
    assert lines(one_province)["H1", "C21"].difference == 1 - 1


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([Amount(EXACT, True, 5, 5), Amount(EXACT, True, 7, 7)], Amount(EXACT, True, 12, 12)),
        ([Amount(EXACT, True, 5, 5), Amount(BANDS, True, 10, 20)], Amount(BANDS, True, 15, 25)),
        ([Amount(BANDS, True, 10, None), Amount(BANDS, False, 0, 5)], Amount(BANDS, False, 10, None)),
        ([Amount(EXACT, True, 5, 5), Amount(THRESHOLD, True)], Amount(THRESHOLD, True)),
        ([Amount(NOTHING, True), Amount(EXACT, True, 5, 5)], Amount(EXACT, True, 5, 5)),
        ([Amount(NOTHING, True), Amount(NOTHING, False)], Amount(NOTHING, False)),
    ],
)
def test_amounts_together(parts: list[Amount], expected: Amount) -> None:
    assert join(parts) == expected


def test_spending_of_several_provinces_and_its_share() -> None:
    found = {(one.household, one.item): one for one in spending(SPENT, SPENDING_CATALOGUE)}
    assert set(found) == {("H1", "D35"), ("H1", "D36"), ("H2", "D35")}
    schooling = found["H1", "D36"]
    assert {peer: one.low for peer, one in schooling.by_peer.items()} == {"33": 1_000_000, "35": 1_000_000}
    assert schooling.share == (555, 2_778)  # 20,000 and 100,000 of 36,000 yuan
    assert share_text(schooling.share, "en") == "> 55.5%, ≤ 277.8%"
    assert found["H2", "D35"].share is None


def test_rigid_spending_under_the_built_in_catalogue() -> None:
    """Medical costs are asked about by their band: D35 is told of no single person."""
    known = {item.code: item for item in CATALOGUE.items}
    assert known["D35"].level is Level.AGGREGATE
    swap = {"D35": "D35d"}
    findings = tuple(replace(one, item=swap.get(one.item, one.item)) for one in SPENT.findings)
    bands = replace(SPENT, items=("C21", "D35d", "D36"), findings=findings)
    found = {(one.household, one.item): one for one in spending(bands, CATALOGUE)}
    assert set(found) == {("H1", "D35d"), ("H1", "D36"), ("H2", "D35d")}
    medical = known["D35d"].bands
    assert found["H1", "D35d"].amount == Amount(BANDS, True, medical[1], medical[2])
    total = lines(bands)["H1", "spending"].amount
    schooling = known["D36"].bands
    assert (total.low, total.high) == (medical[1] + 2 * schooling[0], medical[2] + 2 * schooling[1])
    assert found["H1", "D35d"].share is not None


def test_medical_costs_are_counted_once() -> None:
    """A catalogue may tell the amount of a person, too: then the band adds nothing."""
    of_bands = next(item for item in CATALOGUE.items if item.code == "D35d")
    both_known = replace(SPENDING_CATALOGUE, items=(*_without_band(SPENDING_CATALOGUE.items), of_bands))
    doubled = tuple(replace(one, item="D35d") for one in SPENT.findings if one.item == "D35")
    both = replace(SPENT, items=(*SPENT.items, "D35d"), findings=(*SPENT.findings, *doubled))
    assert {one.item for one in spending(both, both_known)} == {"D35", "D36"}
    assert lines(both, both_known)["H1", "spending"] == lines(SPENT, SPENDING_CATALOGUE)["H1", "spending"]


def _without_band(items):
    return [item for item in items if item.code != "D35d"]


def test_a_relative_without_an_answer_leaves_the_household_whole() -> None:
    """A relative who does not consent is not asked about, and belongs to no figure of the household."""
    gap = {"outcome": Outcome.NOT_MANDATED, "value": None, "as_of": None, "reason": "no_mandate"}
    findings = tuple(replace(one, **gap) if one.subject == "H1/02" else one for one in SPENT.findings)
    found = {one.what: one for one in compare(replace(SPENT, findings=findings), SPENDING_CATALOGUE)}
    before = {one.what: one for one in compare(SPENT, SPENDING_CATALOGUE)}
    assert found["C21"].amount.complete
    assert {what: one.difference for what, one in found.items()} == {
        what: one.difference for what, one in before.items()
    }
    member = tuple(replace(one, **gap) if one.subject == "H1/01" else one for one in SPENT.findings)
    (first, *_) = [
        one
        for one in compare(replace(SPENT, findings=member), SPENDING_CATALOGUE)
        if (one.household, one.what) == ("H1", "C21")
    ]
    assert not first.amount.complete


def test_bands_of_a_household_are_added_up_to_a_range() -> None:
    document = kinds.kind_of(SPENT).printed(SPENT, SPENDING_CATALOGUE, "en", "")
    (table,) = [one for one in document.sections if getattr(one, "title", "").endswith("Households")]
    rows = {row[0]: row[2] for row in table.groups[0].rows}
    assert rows["D36 education spending"] == (
        "> 10,000, ≤ 50,000 yuan\n> 10,000, ≤ 50,000 yuan\ntogether > 20,000 yuan, ≤ 100,000 yuan"
    )
    assert "together" not in rows["D35 medical spending"], "one band alone"
    assert rows["C21 motor vehicles"] == "2 vehicles"


def test_a_share_is_rounded_outward() -> None:
    assert share_of(Amount(EXACT, True, 1, 1), 3) == (333, 334)
    assert share_of(Amount(BANDS, True, 0, None), 3) == (0, None)
    assert share_of(Amount(BANDS, True, 0, 5), 0) is None


def test_causes_are_counted_by_household() -> None:
    assert causes(RECHECKED) == {"illness": 2, "schooling": 1}


def test_relatives_are_not_of_the_household() -> None:
    members, relatives = without_relatives(SPENT)
    assert members.subjects == ("H1/01", "H2/01")
    assert relatives is not None
    assert relatives.subjects == ("H1/02",)
    assert {one.subject for one in relatives.findings} == {"H1/02"}


def test_a_household_has_only_its_own() -> None:
    parts = dict(each_household(RECHECKED))
    for name, part in parts.items():
        assert [one.household for one in part.declared] == [name]
        assert len(part.offices) == 1
        assert {one.subject.partition("/")[0] for one in part.recheck.findings} == {name}
        assert of_household(RECHECKED, name) == part, "also the one that is asked for alone"


# ---- files


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rechecked")
    files.write(RECHECKED, CATALOGUE, folder, files.FORMATS, "zh")
    return folder


def test_a_report_json_is_read_back_whole(written: Path) -> None:
    back = kinds.load(written / "report.json")
    assert (back.declared, back.offices, back.recheck) == (
        RECHECKED.declared,
        RECHECKED.offices,
        RECHECKED.recheck,
    )
    plain = json.loads((written / "report.json").read_text(encoding="utf-8"))
    assert plain["causes"] == {"illness": 2, "schooling": 1}
    assert {one["what"] for one in plain["compared"]} >= {"income", "assets", "spending", "C21"}


def test_attack_grounds_stay_text_in_html(written: Path) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    assert MARKUP not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert "[U+202E]" in page


def test_attack_grounds_stay_text_in_a_workbook(written: Path) -> None:
    with zipfile.ZipFile(io.BytesIO((written / "report.xlsx").read_bytes())) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
        strings = (
            book.read("xl/sharedStrings.xml").decode() if "xl/sharedStrings.xml" in book.namelist() else ""
        )
    assert all("<f>" not in sheet and "<hyperlink" not in sheet for sheet in sheets)
    assert MARKUP not in "".join(sheets) + strings
    assert "HYPERLINK" in "".join(sheets) + strings


def test_attack_grounds_stay_text_on_paper(written: Path) -> None:
    """All 200 characters and more are on the page, and none of them is taken for markup of the typesetter."""
    with pypdfium2.PdfDocument(written / "report.pdf") as document:
        text = "".join(page.get_textpage().get_text_bounded() for page in document)
    text = SPACES.sub("", text)
    for part in (FORMULA, MARKUP, "#letx=1;*粗*"):
        assert "".join(part.split()) in text
    assert text.count("异议理由") >= GROUNDS.count("异议理由") - 4  # some are broken by a page's furniture
    assert text.count("三") >= RAISED_BY.count("三")


def test_every_form_shows_the_figures_and_no_verdict(written: Path) -> None:
    text = (written / "summary.txt").read_text(encoding="utf-8")
    listing = (written / "findings.csv").read_text(encoding="utf-8-sig")
    page = (written / "report.html").read_text(encoding="utf-8")
    for form in (text, page):
        for wanted in ("申报与核对", "36,000 元", "原报告编号", "因病", "已逾期"):
            assert wanted in form
        assert "符合条件" not in form
    assert 'H1,income,收入合计,total income,,DECLARED,申报,3600000,"36,000 元"' in listing
