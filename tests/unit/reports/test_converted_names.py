"""A name equal only after conversion of traditional characters, in every form of a report.

It is NAME_MISMATCH with a reason, never found, and every form says so in its language (domain.md section 5).
"""

import contextlib
import re
from dataclasses import replace

import openpyxl
import pypdfium2
import pytest

from node.domain.findings import Finding, Outcome
from node.reports.coverage import summarise
from node.reports.kinds import load
from tests.support.reports import VERIFICATION
from tests.support.signed_reports import write_all

WORDS = {
    "zh": "姓名不符（繁简转换后姓名相同）",
    "en": "(name equal after conversion between traditional and simplified characters)",
}
BEFORE = next(one for one in VERIFICATION.findings if one.outcome is Outcome.FOUND)
CONVERTED = Finding(BEFORE.subject, BEFORE.item, BEFORE.peer, Outcome.NAME_MISMATCH, reason="name_converted")
REPORT = replace(
    VERIFICATION,
    findings=tuple(CONVERTED if one == BEFORE else one for one in VERIFICATION.findings),
)


SPACES = re.compile(r"\s+")


def close_up(text):
    """Without white space: lines break anywhere."""
    return SPACES.sub("", text)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_form_says_it_in_its_language(lang, tmp_path):
    write_all(tmp_path, REPORT, lang)
    assert WORDS[lang] in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert WORDS["zh"] in (tmp_path / "findings.csv").read_text(encoding="utf-8-sig"), "for every language"
    summary = close_up((tmp_path / "summary.txt").read_text(encoding="utf-8"))
    assert "繁简转换后姓名相同" in summary
    assert "nameequalafterconversion" in summary
    with contextlib.closing(pypdfium2.PdfDocument(tmp_path / "report.pdf")) as pages:
        texts = [close_up(page.get_textpage().get_text_range()) for page in pages]
    assert any(close_up(WORDS[lang]) in text for text in texts)
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell]
    assert sum(WORDS[lang] in cell for cell in cells) >= 2, "the person's row, and the details"
    assert "name_converted" in cells
    assert load(tmp_path / "report.json").findings == REPORT.findings


def test_nothing_counts_it_as_found():
    found, before = (
        next(item for item in summarise(one).items if item.item == BEFORE.item)
        for one in (REPORT, VERIFICATION)
    )
    assert (found.converted, before.converted) == (1, 0)
    assert before.total - found.total == BEFORE.value
