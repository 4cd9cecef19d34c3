# ruff: noqa: E501  (a case of a table is one line)
import csv
import io
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from matcher.types import Level
from node.domain.findings import Finding, Outcome, Report
from node.errors import InputError
from node.reports import kinds, text
from node.reports.coverage import ANSWERED, HAS, summarise
from node.reports.kinds import load, to_json, write
from node.reports.wording import band_text, outcome_text, state_text, value_text, word
from tests.support.reports import ANSWERS, CATALOGUE, JUNE
from tests.support.reports import VERIFICATION as REPORT

F, O = Finding, Outcome  # noqa: E741  (short, for the tables below)


def show(report: Report, lang: str, width: int = 150) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(text.render(kinds.document(report, CATALOGUE, lang)))
    return capture.get()


# ---- figures


def test_figures_of_a_count_item():
    cars = summarise(REPORT).item("C21")
    assert (cars.people, cars.total, cars.by_peer) == (2, 4, {"44": 2, "33": 1, "51": 0})
    assert cars.outcomes == {
        O.FOUND: 1, O.NOT_FOUND: 2, O.NAME_MISMATCH: 1, O.STALE: 1, O.UNAVAILABLE: 3,
    }  # fmt: skip
    assert cars.as_of == (date(2025, 1, 1), JUNE)


def test_a_name_that_is_equal_after_conversion_is_told_and_not_counted_as_found(tmp_path):
    mismatch = next(f for f in REPORT.findings if f.outcome is O.NAME_MISMATCH)
    changed = replace(mismatch, reason="name_converted")
    told = replace(REPORT, findings=tuple(changed if f == mismatch else f for f in REPORT.findings))
    before, after = summarise(REPORT), summarise(told)
    assert {item.item: item.converted for item in after.items if item.converted} == {mismatch.item: 1}
    assert [replace(item, converted=0) for item in after.items] == list(before.items)
    assert "繁简转换后姓名相同: 1" in show(told, "zh")
    assert "name equal after conversion" in show(told, "en").replace("\n", " ")
    assert "繁简转换后姓名相同" not in show(REPORT, "zh")
    write(told, CATALOGUE, tmp_path)
    assert "姓名不符（繁简转换后姓名相同）" in (tmp_path / "findings.csv").read_text(encoding="utf-8-sig")
    assert load(tmp_path / "report.json") == told


def test_a_province_that_refused_for_a_quota_is_told_in_words():
    refused = replace(REPORT.peers[2], state="refused", reason="quota.points.hour")
    told = replace(REPORT, peers=(*REPORT.peers[:2], refused))
    assert "quota.points.hour: 每小时核对点数配额已用完" in show(told, "zh")
    assert "quota.points.hour: hourly quota of points used up" in show(told, "en")


def test_figures_of_a_threshold_and_a_band_item():
    summary = summarise(REPORT)
    assert (summary.item("C23").people, summary.item("D34").people) == (1, 3)
    assert summary.item("D34").histogram == {0: 2, 3: 1}


def test_totals_are_of_distinct_people_and_add_up():
    summary = summarise(REPORT)
    assert (summary.subjects, summary.people, summary.people_by_peer) == (3, 3, {"44": 3, "33": 1, "51": 0})
    assert (summary.name_mismatches, summary.not_mandated) == (1, 1)
    assert summary.answers + summary.unanswered == len(ANSWERS)
    assert summary.answers == sum(f.outcome in ANSWERED for f in ANSWERS) == 11


COVERAGE = [
    ("C21", "44", "answered"), ("C21", "33", "answered"), ("C21", "51", "unavailable"),
    ("C23", "44", "answered"), ("C23", "33", "not_connected"), ("C23", "51", "unavailable"),
    ("D34", "44", "answered"), ("D34", "33", "refused"), ("D34", "51", "unavailable"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "peer", "state"), COVERAGE)
def test_coverage(item, peer, state):
    assert summarise(REPORT).item(item).coverage[peer].state == state


def test_coverage_in_part_and_of_nothing():
    part = replace(
        REPORT,
        findings=(*ANSWERS[:6], F("H1/02", "C23", "44", O.OVERDUE), F("H1/01", "C23", "44", O.NOT_OVER)),
    )
    summary = summarise(part)
    assert summary.item("C23").coverage["44"].state == "partly"
    assert summary.item("C23").coverage["33"].state == "none"
    assert summary.item("C21").coverage["51"].state == "unavailable"  # from the peer's own state
    nothing = summarise(replace(REPORT, findings=()))
    assert [item.people for item in nothing.items] == [0, 0, 0]
    assert nothing.item("D34").as_of is None


def test_every_outcome_counts_as_exactly_what_it_is():
    # Oracle: the words of design.md section 4 and domain.md section 4.
    assert {outcome.value for outcome in HAS} == {"FOUND", "OVER", "STALE"}
    assert {outcome.value for outcome in set(Outcome) - ANSWERED} == {
        "NOT_CONNECTED", "NOT_MANDATED", "REFUSED", "OVERDUE", "UNAVAILABLE",
        "NOT_COMPARABLE",
    }  # fmt: skip


# ---- words


BANDS = [(0, "≤ 10,000 元", "≤ 10,000 yuan"), (1, "> 10,000, ≤ 50,000 元", "> 10,000, ≤ 50,000 yuan"),
         (3, "> 200,000 元", "> 200,000 yuan"), (9, "9", "9"), (-1, "-1", "-1")]  # fmt: skip


@pytest.mark.parametrize(("band", "zh", "en"), BANDS)
def test_band_text(band, zh, en):
    item = CATALOGUE.item("D34")
    assert (band_text(item, band, "zh"), band_text(item, band, "en")) == (zh, en)


VALUES = [
    ("C21", 1, "1 辆", "1 vehicle"), ("C21", 2645, "2,645 辆", "2,645 vehicles"), ("C21", None, "", ""),
    ("C23", 1, "> 50,000 元", "> 50,000 yuan"), ("Z59b", 1, "有记录", "record found"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "value", "zh", "en"), VALUES)
def test_value_text(code, value, zh, en):
    item = CATALOGUE.item(code)
    assert (value_text(item, value, "zh"), value_text(item, value, "en")) == (zh, en)


def test_cents_are_shown_and_unknown_words_pass():
    item = replace(CATALOGUE.item("C23"), threshold=5_000_050)
    assert value_text(item, 1, "en") == "> 50,000.50 yuan"
    assert value_text(None, 3, "en") == "3"
    assert value_text(replace(item, level=Level.VALUE, unit_en="month"), 7, "en") == "7 months"
    assert state_text("dreaming", "en") == "dreaming"
    with pytest.raises(InputError):
        word("title", "fr")


def test_every_outcome_has_its_own_words():
    for lang in ("zh", "en"):
        words = [outcome_text(outcome, lang) for outcome in Outcome]
        assert len(set(words)) == len(words)
    assert outcome_text(O.NOT_CONNECTED, "zh") == "未接入"
    assert outcome_text(O.NOT_FOUND, "zh") == "无记录"


# ---- terminal


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_renders_at_any_width(lang, width):
    lines = show(REPORT, lang, width).splitlines()
    assert "\x1b" not in "".join(lines)
    # Cells fold, but none is cut off: the last column and the fate of every province are there.
    text = "".join(lines)
    assert all(day in text for day in ("2025-01-01", "2026-06-30", "2026-05-31"))
    assert "…" not in text


def test_chinese_text():
    shown = show(REPORT, "zh")
    for part in (
        "跨省居民家庭经济状况核对报告", "C21 机动车", "4 辆", "C23 银行存款", "> 50,000 元", "33: 未接入", "33: 拒绝",
        "51: 暂不可用", "≤ 10,000 元: 2", "> 200,000 元: 1", "2025-01-01", "只核对、不认定", "5日内", "新申请",
        "许可接收单位", "核对 3 人", "至少一项有记录 3 人", "答复 11 条，未答复 16 条", "四川", "2.5 MB",
    ):  # fmt: skip
        assert part in shown, part


def test_english_text():
    shown = show(REPORT, "en")
    for part in (
        "C21 motor vehicles", "4 vehicles", "33: not connected", "33: refused", "51: unavailable", "buckets",
        "does not decide on eligibility", "within 5 days", "Permitted recipient: 广西", "3 people verified",
        "new application", "11 answers, 16 unanswered", "1.2", "1.9 kB", "999 B",
    ):  # fmt: skip
        assert part in shown, part


def test_an_unanswered_peer_is_never_a_zero():
    for lang in ("zh", "en"):
        assert "51: 0" not in show(REPORT, lang)
        assert "33: 0" not in show(REPORT, lang)


def test_what_a_peer_sends_neither_marks_up_nor_steers_the_terminal():
    shown = show(REPORT, "en", 200)
    assert "[red]" in shown
    assert "\x1b" not in shown


def test_an_item_of_another_catalogue_is_still_shown():
    strange = replace(
        REPORT, items=("X99",), findings=(F("H1/01", "X99", "44", O.FOUND, 7),), catalogue_digest="00"
    )
    shown = show(strange, "en")
    assert "X99" in shown
    assert "another catalogue" in shown
    assert to_json(strange, CATALOGUE)["item_facts"] == []


# ---- files


def test_json_holds_every_finding_as_documented():
    document = to_json(REPORT, CATALOGUE)
    assert json.loads(json.dumps(document)) == document
    assert document["findings"][0] == {
        "subject": "H1/01", "item": "C21", "peer": "44", "outcome": "FOUND", "value": 2,
        "as_of": "2026-06-30", "reason": "",
    }  # fmt: skip
    assert len(document["findings"]) == len(ANSWERS)
    assert document["summary"]["items"][0]["total"] == 4
    assert document["summary"]["items"][1]["coverage"]["33"]["state"] == "not_connected"
    assert [fact["code"] for fact in document["item_facts"]] == ["C21", "C23", "D34"]
    assert document["item_facts"][1]["level"] == "threshold"


def test_written_files_agree_and_read_back(tmp_path):
    folder = tmp_path / "out"
    write(REPORT, CATALOGUE, folder)
    assert sorted(p.name for p in folder.iterdir()) == ["findings.csv", "report.json", "summary.txt"]
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in folder.iterdir())
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == to_json(REPORT, CATALOGUE)
    assert load(folder / "report.json") == REPORT
    text = (folder / "summary.txt").read_text(encoding="utf-8")
    assert "C21 机动车" in text
    assert "C21 motor vehicles" in text


def test_findings_csv(tmp_path):
    write(REPORT, CATALOGUE, tmp_path)
    content = (tmp_path / "findings.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfsubject,item,")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(rows) == len(ANSWERS)
    assert Counter(row["outcome"] for row in rows) == Counter(f.outcome.value for f in ANSWERS)
    assert rows[0] == {
        "subject": "H1/01", "item": "C21", "item_zh": "机动车", "item_en": "motor vehicles", "peer": "44",
        "outcome": "FOUND", "outcome_zh": "有记录", "value": "2", "value_zh": "2 辆", "value_en": "2 vehicles",
        "as_of": "2026-06-30", "reason": "", "reused_from": "", "reused_on": "",
    }  # fmt: skip


FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1", "－1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(tmp_path, text):
    report = replace(REPORT, subjects=(text,), findings=(F(text, "C21", "44", O.REFUSED, None, None, text),))
    write(report, CATALOGUE, tmp_path)
    (row,) = csv.DictReader(
        io.StringIO((tmp_path / "findings.csv").read_bytes().decode("utf-8-sig"), newline="")
    )
    assert row["subject"] == row["reason"] == f"'{text}"


def test_an_empty_report_can_be_written(tmp_path):
    report = replace(REPORT, findings=(), peers=(), finished_at=None, state="cancelled")
    write(report, CATALOGUE, tmp_path)
    assert load(tmp_path / "report.json") == report


def change(**values):
    def apply(document):
        document.update(values)

    return apply


def in_finding(**values):
    return lambda document: document["findings"][3].update(values)


DAMAGED = [
    ("other format", change(format="heqiao-report/2"), "format"),
    ("no format", lambda d: d.pop("format"), "format"),
    ("no findings", lambda d: d.pop("findings"), "findings"),
    ("unknown outcome", in_finding(outcome="MAYBE"), "findings.3.outcome"),
    ("value as text", in_finding(value="449999190001010034"), "findings.3.value"),
    ("no such day", in_finding(as_of="2026-02-30"), "findings.3.as_of"),
    ("unknown subject", in_finding(subject="449999190001010034"), "findings.3"),
    ("unknown item", in_finding(item="Z99"), "findings.3"),
    ("unknown peer", in_finding(peer="99"), "findings.3"),
    ("answered twice", lambda d: d["findings"].append(d["findings"][0]), "findings.27"),
    ("peer damaged", lambda d: d["peers"][0].pop("state"), "peers.0.state"),
    ("date damaged", change(created_at="yesterday"), "created_at"),
]


@pytest.mark.parametrize(("damage", "key"), [r[1:] for r in DAMAGED], ids=[r[0] for r in DAMAGED])
def test_damaged_reports(tmp_path, damage, key):
    document = to_json(REPORT, CATALOGUE)
    damage(document)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    assert f"{path}: {key}" in str(caught.value)
    assert "449999190001010034" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": "heqiao-report/1"}']
)
def test_no_report_at_all(tmp_path, content):
    path: Path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(InputError):
        load(path)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.json")
