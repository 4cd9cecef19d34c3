"""A report as a PDF, read by pdfium: text, fonts, attachment, standards, no missing glyph."""

import io
import json
import re
import time
from dataclasses import replace

import pypdfium2
import pytest
from pypdf import PdfReader

from node.domain.findings import PeerSummary
from node.errors import InputError
from node.reports import glyphs, household, households, kinds, pdf
from node.reports.common import number_of
from tests.support.reports import CATALOGUE, REPORTS, SUMS, VERIFICATION
from tests.support.signed_reports import FORMULA, LONG, MARKUP, hostile_report

SAID = (
    "居民家庭经济状况跨省核对报告",
    number_of(VERIFICATION),
    "45广西",
    "44广东、33浙江、51四川",
    "新申请",
    "户H1（2人）",
    "成员H2/01",
    "有记录：2辆截至2026-06-30",
    "超限：>50,000元",
    "未接入",
    "姓名不符",
    "无授权",
    "许可接收单位：广西",
    "2026-07-0816:00",
    "0123456789abcdef",
    "第1页，共",
)
SPACES = re.compile(r"[\s\u200b]+")


def render(report, lang="zh", record=b""):
    document = kinds.kind_of(report).printed(report, CATALOGUE, lang, "0123456789abcdef")
    return pdf.render(document, number_of(report), report.created_at, record)


def texts(content):
    """The text of each page, without spaces: lines are broken where a cell ends."""
    book = pypdfium2.PdfDocument(content)
    try:
        return [SPACES.sub("", page.get_textpage().get_text_range()) for page in book]
    finally:
        book.close()


@pytest.fixture(scope="module")
def verification():
    return render(VERIFICATION, record=b'{"a": 1}')


def test_all_of_the_findings_are_in_it(verification):
    pages = texts(verification)
    text = "".join(pages)
    for one in SAID:
        assert one in text, one
    assert "检索方式" in pages[-1]
    assert not [page for page in pages[:-1] if "检索方式" in page or "点数" in page], (
        "technical: a page of its own"
    )


def test_it_carries_the_record_and_says_which_standards_it_keeps(verification):
    book = pypdfium2.PdfDocument(verification)
    assert book.count_attachments() == 1
    assert book.get_attachment(0).get_name() == "report.json"
    assert json.loads(bytes(book.get_attachment(0).get_data())) == {"a": 1}
    book.close()
    said = metadata(verification)
    assert "<pdfaid:part>3</pdfaid:part>" in said
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in said
    assert "<pdfuaid:part>1</pdfuaid:part>" in said
    root = reader(verification).trailer["/Root"]
    assert root["/Lang"] == "zh-CN"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/AF"][0].get_object()["/AFRelationship"] == "/Data"


def reader(content):
    return PdfReader(io.BytesIO(content))


def metadata(content):
    return reader(content).trailer["/Root"]["/Metadata"].get_object().get_data().decode()


def test_fonts_are_ours_and_embedded(verification):
    names = set()
    for page in reader(verification).pages:
        for font in page["/Resources"]["/Font"].values():
            below = font.get_object()["/DescendantFonts"][0].get_object()
            names.add(below["/BaseFont"].partition("+")[2])
            assert "/FontFile3" in below["/FontDescriptor"]
    assert names
    assert all(name.startswith(("NotoSerifSC", "NotoSansSC")) for name in names)


def test_hostile_texts_are_text_and_a_missing_glyph_is_a_box():
    text = "".join(texts(render(hostile_report())))
    for one in (MARKUP, FORMULA, LONG, "@SUM(A1)", "_x0041_", "-1+1"):
        assert SPACES.sub("", one) in text, one
    for code in ("U+202E", "U+2066", "U+2069", "U+20BB7", "U+E863", "U+0007"):
        assert code in text, code
    assert not set("\u202e\u2066\ufffd\ufffe𠮷\ue863") & set(text)


def test_nothing_runs_out_of_the_page():
    """No letter outside the margins, with 200-character names in every column of ten provinces."""
    peers = tuple(PeerSummary(str(code), LONG, "unavailable", "W" * 120) for code in range(40, 50))
    content = render(replace(VERIFICATION, peers=peers, findings=(), requester_name=LONG))
    book = pypdfium2.PdfDocument(content)
    for page in book:
        width, height = page.get_size()
        found = page.get_textpage()
        for at in range(found.count_chars()):
            left, bottom, right, top = found.get_charbox(at)
            assert left >= 40
            assert right <= width - 40
            assert bottom >= 20
            assert top <= height - 20
    book.close()


def test_the_same_report_gives_the_same_bytes(verification):
    time.sleep(1.1)  # a time in it would show
    assert render(VERIFICATION, record=b'{"a": 1}') == verification


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_report_can_be_printed(name, lang):
    text = "".join(texts(render(REPORTS[name], lang)))
    assert number_of(REPORTS[name]) in text
    assert {"zh": "说明", "en": "Notes"}[lang] in text


def test_sums_have_bars_and_what_is_suppressed_has_none():
    text = "".join(texts(render(SUMS)))
    assert "不予公布" in text
    assert "分档人数" in text


def test_more_people_than_are_printed_have_figures():
    many = tuple(f"H{at}/01" for at in range(household.MOST_PEOPLE + 1))
    text = "".join(texts(render(replace(VERIFICATION, subjects=many, findings=()))))
    assert "逐人结果见" in text
    assert "成员H1/01" not in text


def test_a_report_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(pdf, "_LONGEST", 20_000)
    with pytest.raises(InputError, match="too long"):
        render(replace(VERIFICATION, legal_basis="a " * 10_000))


def test_one_household():
    one = households.of_household(VERIFICATION, "H2")
    assert one.subjects == ("H2/01",)
    assert len(one.findings) == 9
    text = "".join(texts(render(one)))
    assert "成员H2/01" in text
    assert "H1" not in text
    assert number_of(one) != number_of(VERIFICATION)
    with pytest.raises(InputError, match="no such household"):
        households.of_household(VERIFICATION, "H")


def test_households_are_all_of_the_report():
    parts = dict(households.each_household(VERIFICATION))
    assert list(parts) == ["H1", "H2"]
    joined = [one for part in parts.values() for one in part.findings]
    assert sorted(map(str, joined)) == sorted(map(str, VERIFICATION.findings))
    assert parts["H2"] == households.of_household(VERIFICATION, "H2")
    assert len({number_of(part) for part in parts.values()}) == 2


def test_every_word_of_ours_has_a_glyph():
    held = glyphs.characters()
    for report in REPORTS.values():
        for lang in ("zh", "en"):
            shown = json.dumps(
                pdf._plain(household.document(VERIFICATION, CATALOGUE, lang), "1", report.created_at)
            )
            assert shown.count('"code"') == 2, "the escape sequence of a peer's reason, twice"
    assert {ord(one) for one in "镕㙍䶮㐱"} <= held, "names in use, of extension A too"


def test_long_words_may_be_broken_and_short_ones_are_not():
    assert glyphs.breakable("requester (permitted recipient) 450000-20260701-202122530672-0 广西") == (
        "requester (permitted recipient) 450000-20260701-202122530672-0 广西"
    )
    assert glyphs.breakable("W" * 20) == "\u200b".join(["WWWW"] * 5)
