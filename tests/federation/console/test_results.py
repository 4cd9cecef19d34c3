"""The results of a check on the screen: values as reports print them, how far provinces answered, pages."""

import re
from dataclasses import replace

import pytest

from node.client.platform import Platform
from node.console.pages import results
from node.domain.catalogue import load
from node.domain.findings import Findings, Outcome, Report
from node.reports.wording import state_text, value_text
from tests.support.console import Browser, forms_of
from tests.support.console_site import Site

CELL = '<td class="govuk-table__cell">'


@pytest.fixture
def report(site: Site) -> Report:
    with site.platform() as platform:
        return platform.as_person(site.people["li"].token).report(site.made.job)


def path_of(site: Site) -> str:
    return f"/jobs/{site.made.job}/report"


def test_values_are_in_words(
    site: Site, li: Browser, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count with its unit, a band as its range; a raw number of a band is read as an amount."""
    one = report.findings[0]
    said = [
        replace(one, item="C21", outcome=Outcome.FOUND, value=2),
        replace(one, item="C23", outcome=Outcome.FOUND, value=1),
        replace(one, item="Z59b", outcome=Outcome.REFUSED, value=None, reason="not_shared", as_of=None),
    ]
    monkeypatch.setattr(Platform, "report", lambda *_: replace(report, findings=Findings.of(said)))
    page, known = li.get(path_of(site)), load()
    for code, value in (("C21", 2), ("C23", 1)):
        words = value_text(known.item(code), value, "zh").replace(">", "&gt;")
        assert f"{CELL}{words}</td>" in page
    assert "该项目不予共享" in page
    if one.as_of is not None:
        assert f"{one.as_of.year}年{one.as_of.month}月{one.as_of.day}日" in page
        assert one.as_of.isoformat() not in page


def test_how_far_provinces_answered(
    site: Site, li: Browser, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "询问2省，2省已全部答复" in li.get(path_of(site))
    gone = [
        replace(one, outcome=Outcome.OVERDUE, value=None, as_of=None)
        if one.peer == "33" and one.item == "C21"
        else one
        for one in report.findings
    ]
    count = sum(one.outcome is Outcome.OVERDUE for one in gone)
    monkeypatch.setattr(Platform, "report", lambda *_: replace(report, findings=Findings.of(gone)))
    page = li.get(path_of(site))
    assert "询问2省，1省已全部答复" in page
    assert f"未答复{count}项" in page
    rows = dict(re.findall(rf'<th scope="row"[^>]*>(\w+) [^<]*</th>{CELL}. (\d / \d)<', page))
    assert rows == {"C21": "1 / 2", "Z59b": "2 / 2", "C23": "2 / 2"}
    assert re.search(rf"{CELL}33 [^：<]*：{state_text('overdue', 'zh')}<", page)


def test_long_results_have_pages(
    site: Site, li: Browser, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "_PAGE", 2)
    total, path = len(report.findings), path_of(site)
    found, page = 0, li.get(path)
    assert "本页列出第1至2项。" in page
    while True:
        found += page.count('govuk-table__header">' + report.subjects[0].split("/")[0] + "/")
        following = re.search(r'href="([^"]+)">下一页', page)
        if following is None:
            break
        page = li.get(following[1].replace("&amp;", "&"))
    assert found == total
    last = (total - 1) // 2 * 2
    assert forms_of(page)["/person"]["back"] == f"{path}?offset={last}"
    for wrong in ("999999", "-1", "x"):
        assert "本页列出第1至2项。" in li.get(f"{path}?offset={wrong}")


def test_short_results_have_none(site: Site, li: Browser, report: Report) -> None:
    page = li.get(path_of(site))
    assert "本页列出" not in page
    assert forms_of(page)["/person"]["back"] == path_of(site)
    assert len(report.findings) < 500
