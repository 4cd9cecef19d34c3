"""Reports of sums: files, tables and pictures; a suppressed figure is never shown as a number."""

import csv
import io
import json
import sys
from dataclasses import replace
from functools import partial
from xml.etree import ElementTree

import matplotlib.font_manager  # noqa: F401  looks for the system's fonts once, by a process
import pytest
from heqiao.platform.v1 import platform_pb2 as pb
from rich.cells import cell_len
from rich.console import Console

from matcher import identity
from matcher.sums import disclosure
from node.domain.findings import PeerSummary
from node.domain.jobs import SUM, JobRow, PartRow
from node.domain.quotas import Measure
from node.domain.summation import Summation, in_cohort, pack_summation, unpack_summation
from node.errors import ConfigError, InputError, InvalidRequestError
from node.governance.quotas import QUOTAS
from node.reports import charts, kinds, text, wording
from node.reports.wording import rule_text
from node.wire import platform
from node.wire import platform_sums as sums_wire
from node.wire.platform_requests import read_sum
from tests.support.reports import CATALOGUE, EXACT, HELD, NOISY, NOW
from tests.support.reports import SUMS as REPORT


def document(lang, report=REPORT):
    return kinds.document(report, CATALOGUE, lang)


def text_of(lang, report=REPORT, width=120):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(text.render(document(lang, report)))
    return capture.get()


def test_figures():
    assert (EXACT.mean, EXACT.deviation) == (4_115_226, 3_000_000)
    assert (NOISY.mean, NOISY.deviation) == (None, None)
    assert (HELD.mean, HELD.deviation) == (None, None)


def test_tables_in_english():
    shown = text_of("en")
    for words in (
        "300 / 500",
        "12,345,678.91 yuan",
        "    suppressed  ",
        "    fewer people in it than the minimum",
        "    with noise, epsilon = 0.5",
        "-1,500.50 yuan",
        "    not connected",
        "    refused  ",
        "    30-day quota of sums used up",
    ):
        assert words in shown
    assert shown.count("suppressed") >= 3  # of 33, and two cells


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("rule", sorted(wording._RULES))
def test_no_name_of_a_rule_is_broken_at_80_columns(lang, rule):
    """A rule that has words is told by these alone; its name is in report.json and sums.csv."""
    found = replace(HELD, reason=rule)
    assert rule not in "".join(wording.sum_outcome_lines(found, lang))
    assert wording.rule_text(rule, lang) == wording.sum_outcome_lines(found, lang)[1]


def test_a_rule_of_a_later_version_is_told_by_its_name():
    assert wording.sum_outcome_lines(replace(HELD, reason="new_rule"), "en") == ("suppressed: new_rule",)


def test_tables_in_chinese():
    shown = text_of("zh")
    for words in (
        "    不予公布  ",
        "    计入人数低于下限",
        "含噪声，ε = 0.5",
        "未接入",
        "12,345,678.91 元",
        "广东",
    ):
        assert words in shown


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_number_is_broken_on_80_columns(lang):
    shown = text_of(lang, width=80)
    for number in ("300 / 500", "12,345,678.91", "41,152.26", "30,000", "-1,500.50", "2026-10-31"):
        assert number in shown
    assert all(cell_len(line) <= 80 for line in shown.splitlines())


def test_no_figure_is_cut_off_where_many_provinces_answer():
    peers = tuple(PeerSummary(f"{code}", "省", "done") for code in range(11, 31))
    findings = tuple(replace(EXACT, peer=peer.peer, bands=(1_234_567, None)) for peer in peers)
    many = replace(REPORT, peers=peers, findings=findings)
    for width, tables in ((80, 5), (120, 3)):
        shown = text_of("en", many, width)
        assert shown.count("1,234,567") == shown.count("suppressed") == 20
        assert shown.count("people by band") == tables
        assert "…" not in shown


def test_every_rule_has_words():
    quotas = [f"quota.{measure}.{window}" for measure, window in QUOTAS]
    quotas += [f"quota.{measure}.suspended" for measure in Measure]
    for lang in ("zh", "en"):
        assert all(rule_text(rule, lang) for rule in (*disclosure.RULES, *quotas))
    assert rule_text("quota.points.hour", "zh") == "每小时核对点数配额已用完"
    assert rule_text("quota.sum_points.30_days", "en") == "30-day quota of points of sums used up"
    assert rule_text("quota.sums.suspended", "en") == "the province has suspended sums"
    for lang in ("zh", "en"):
        assert rule_text("of_a_later_version", lang) == ""


def test_files_and_back(tmp_path):
    kinds.write(REPORT, CATALOGUE, tmp_path)
    assert kinds.load(tmp_path / "report.json") == REPORT
    plain = json.loads((tmp_path / "report.json").read_text())
    assert plain["findings"][0]["mean"] == 4_115_226
    assert plain["findings"][1]["count"] is None
    rows = list(csv.DictReader((tmp_path / "sums.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 6 + 6 + 5
    assert (rows[0]["count"], rows[0]["total"], rows[0]["band"]) == ("300", "1234567891", "")
    assert [row["band_count"] for row in rows[1:7]] == ["suppressed", "7", "100", "93", "97", "suppressed"]
    held = next(row for row in rows if row["peer"] == "33" and row["item"] == "B11")
    assert (held["count"], held["total"], held["outcome"], held["reason"]) == (
        "",
        "",
        "SUPPRESSED",
        "min_cohort",
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda plain: plain.update(format="heqiao-sums/2"), "format"),
        (lambda plain: plain.update(format="heqiao-report/1"), "subjects"),
        (lambda plain: plain["findings"][0].update(peer="99"), "does not have"),
        (lambda plain: plain["findings"].append(plain["findings"][0]), "second time"),
        (lambda plain: plain["findings"][0].update(count="300"), "count"),
        (lambda plain: plain.pop("people"), "people"),
    ],
)
def test_a_file_that_was_changed_is_refused(tmp_path, change, text):
    plain = kinds.to_json(REPORT, CATALOGUE)
    change(plain)
    (tmp_path / "report.json").write_text(json.dumps(plain), encoding="utf-8")
    with pytest.raises(InputError, match=text):
        kinds.load(tmp_path / "report.json")


def test_pictures(tmp_path):
    for kind, start in (("png", b"\x89PNG\r\n"), ("svg", b"<?xml")):
        target = tmp_path / f"a.{kind}"
        assert charts.draw_histograms(document, "en", target, kind)
        assert target.read_bytes().startswith(start)
    ElementTree.parse(tmp_path / "a.svg")
    first = (tmp_path / "a.svg").stat().st_size
    assert first > 5_000


def test_no_font_with_chinese_characters_means_english_labels(tmp_path):
    def no_font(characters):
        assert "工资性收入" in characters
        return

    assert charts.draw_histograms(document, "zh", tmp_path / "a.png", "png", no_font) is False
    assert charts.draw_histograms(document, "en", tmp_path / "b.png", "png", no_font) is True
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_a_font_with_chinese_characters_means_chinese_labels(tmp_path):
    drawn = charts.draw_histograms(document, "zh", tmp_path / "a.png", "png", lambda _text: "DejaVu Sans")
    assert drawn is True
    charts.draw_histograms(document, "en", tmp_path / "b.png", "png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_a_font_is_taken_for_its_characters():
    assert charts.find_font("people ≤ 12,000") is not None
    assert charts.find_font("\U000f1234") is None


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match="matplotlib") as refused:
        charts.draw_histograms(document, "en", tmp_path / "a.png", "png")
    assert "`plot`" in refused.value.hint
    assert not (tmp_path / "a.png").exists()


def test_nothing_to_draw(tmp_path):
    held = partial(document, report=replace(REPORT, findings=(HELD,)))
    with pytest.raises(InputError, match="no histogram"):
        charts.draw_histograms(held, "en", tmp_path / "a.png", "png")
    with pytest.raises(InputError, match="No such file"):
        charts.draw_histograms(document, "en", tmp_path / "none" / "a.png", "png")


# ---- across the platform port

NUMBERS = [
    identity.parse(text)
    for text in (
        "459999198503120012",
        "459999198709250023",
        "44999919660110007" + identity.check_digit("44999919660110007"),
    )
]
SUMMATION = Summation(("B11",), ("44",), "SA-2014-58", in_cohort([[one] for one in NUMBERS]))


def test_a_submission_crosses():
    assert read_sum(sums_wire.submission("j", SUMMATION), 3) == ("j", SUMMATION)
    assert unpack_summation(pack_summation(SUMMATION)) == SUMMATION


def test_a_cohort_has_one_form():
    one, two, three = NUMBERS
    assert in_cohort([[two, one], [three]]) == in_cohort([[three], [one, two], [one, two, two]])


def person(*numbers):
    return numbers


def start(announced):
    return pb.SubmitSumRequest(start=pb.SumStart(job_id="j", items=["B11"], people_announced=announced))


def chunk(*people):
    values = [number for numbers in people for number in numbers]
    identities = pb.Identities(counts=map(len, people), values=values)
    return pb.SubmitSumRequest(chunk=pb.CohortPeople(identities=identities))


ONE, TWO = "459999198503120012", "459999198709250023"


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], "first message"),
        ([chunk(person(ONE))], "first message"),
        ([start(1), start(1)], "only chunks"),
        ([start(2), chunk(person(ONE))], "fewer people"),
        ([start(1), chunk(person(ONE), person(TWO))], "more people than announced"),
        ([start(9)], "more people than one job"),
        ([start(1), chunk(person())], "1 to 8 identities"),
        ([start(1), chunk(person(*[ONE] * 9))], "1 to 8 identities"),
        ([start(1), chunk(person("459999198503120013"))], "not valid"),
        ([start(2), chunk(person(ONE), person(ONE))], "given twice"),
    ],
)
def test_what_a_platform_must_not_send(messages, text):
    with pytest.raises(InvalidRequestError, match=text) as refused:
        read_sum(messages, 3)
    assert ONE[6:14] not in str(refused.value)


def test_a_report_crosses():
    row = JobRow(
        "s-1", "done", b"", 500, ("B11", "D35"), "statistics", "SA-2014-58", NOW, NOW, NOW, False, "", SUM
    )
    names = {peer.peer: peer.name for peer in REPORT.peers}
    parts = [PartRow("s-1", peer.peer, "done") for peer in REPORT.peers]
    report = replace(REPORT, issuing_body="广西壮族自治区核对中心")
    message = sums_wire.report_message(report, platform.job_message(row, parts, names))
    assert message.job.kind == pb.JOB_KIND_SUM
    assert sums_wire.read_report(pb.GetSumReportResponse.FromString(message.SerializeToString())) == report


def test_numbers_beyond_64_bits_cross():
    """A peer may send them, and they must not break the node's own platform port."""
    huge = replace(EXACT, total=1 << 100, variance=1 << 120)
    message = sums_wire.report_message(replace(REPORT, findings=(huge,)), pb.Job(state=pb.JOB_STATE_DONE))
    assert sums_wire.read_report(message).findings == (huge,)
