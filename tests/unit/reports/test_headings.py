"""Headings of what is printed: in English they begin with a capital, and no word of the data is altered."""

from dataclasses import replace

import pytest

from node.domain.findings import PeerSummary
from node.reports import kinds
from node.reports.document import Histogram, Paragraph, Table
from node.reports.headings import headed, sentence
from tests.support.case_reports import RECHECKED, SPENDING_CATALOGUE, SPENT
from tests.support.reports import CATALOGUE, REPORTS, VERIFICATION

PRINTED = {
    **{name: (report, CATALOGUE) for name, report in REPORTS.items()},
    "re-check": (RECHECKED, CATALOGUE),
    "spending": (SPENT, SPENDING_CATALOGUE),
}


def texts(sections):
    for one in sections:
        if isinstance(one, Paragraph):
            yield one.text
            continue
        yield one.title
        if isinstance(one, Table):
            yield from (column.name for column in one.columns)
            yield from (group.title for group in one.groups)
            yield from one.remarks
        else:
            assert isinstance(one, Histogram)


@pytest.mark.parametrize("name", PRINTED)
def test_every_english_heading_begins_with_a_capital(name):
    report, catalogue = PRINTED[name]
    kind = kinds.kind_of(report)
    document = kind.printed(report, catalogue, "en", "")
    found = [
        document.title, document.body, document.notes_title, document.appendix_title,
        *(fact.name for fact in document.facts),
        *texts((*document.sections, *document.appendix, document.signing)),
        *(column.name for sheet in kind.sheets(report, catalogue, "en") for column in sheet.columns),
    ]  # fmt: skip
    low = [one for one in found if one[:1].islower() and one.isascii()]
    assert not low


def test_chinese_and_cells_are_left_as_they_are():
    for report, catalogue in PRINTED.values():
        document = kinds.kind_of(report).printed(report, catalogue, "zh", "")
        assert headed(document) == document
    document = kinds.kind_of(VERIFICATION).printed(VERIFICATION, CATALOGUE, "en", "")
    rows = [
        row
        for one in document.sections
        if isinstance(one, Table)
        for group in one.groups
        for row in group.rows
    ]
    again = headed(document)
    assert rows == [
        row for one in again.sections if isinstance(one, Table) for group in one.groups for row in group.rows
    ]


def test_the_code_of_a_rule_is_no_heading():
    refused = PeerSummary("33", "浙江", "refused", reason="quota.points.hour")
    first, _, last = VERIFICATION.peers
    report = replace(VERIFICATION, peers=(first, refused, last))
    document = kinds.kind_of(report).printed(report, CATALOGUE, "en", "")
    (peers,) = [one for one in document.appendix if isinstance(one, Table)]
    assert "quota.points.hour: hourly quota of points used up" in peers.remarks


def test_a_text_without_a_plain_letter_is_as_it_was():
    assert [sentence(one) for one in ("", "户", "élan", "44 x", "plan 44")] == [
        "",
        "户",
        "élan",
        "44 x",
        "Plan 44",
    ]
