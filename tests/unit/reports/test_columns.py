"""A large report by columns: what it says is what went in, its groups are signed, and damage is named."""

import io
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from node.domain.findings import Finding, Findings, Outcome, Report, ReusedFrom
from node.errors import InputError
from node.reports import columns, files, kinds
from node.reports.checking import check
from node.reports.columns import FindingColumns
from node.reports.groups import digests_of
from node.reports.household import answer_cell
from tests.support.paths import ROOT
from tests.support.reports import CATALOGUE, PEERS, VERIFICATION
from tests.support.signed_reports import SIGNER, TRUSTED

SCHEMA = ROOT / "docs/report-columns.schema.json"
ITEMS = VERIFICATION.items
DATES = st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2027, 1, 1)))


@st.composite
def reports(draw) -> Report:
    """People, and for some of their questions an answer, in any order."""
    subjects = tuple(f"H{at // 2}/{at % 2}" for at in range(draw(st.integers(1, 7))))
    questions = [(one, item, peer.peer) for one in subjects for item in ITEMS for peer in PEERS]
    asked = draw(st.lists(st.sampled_from(questions), unique=True))
    values = st.one_of(st.none(), st.integers(0, 9), st.just(2**40))
    findings = [
        Finding(
            *one,
            draw(st.sampled_from(Outcome)),
            draw(values),
            draw(DATES),
            draw(st.sampled_from(["", "a", "反"])),
            draw(st.sampled_from([None, ReusedFrom("v-1", date(2026, 6, 3))])),
        )
        for one in asked
    ]
    return replace(VERIFICATION, subjects=subjects, findings=findings)


def by_columns(report, monkeypatch, folder, signer=SIGNER):
    with monkeypatch.context() as patch:
        patch.setattr(columns, "MOST_OBJECTS", -1)
        files.write(report, CATALOGUE, folder, ["json"], "zh", signer)
    return folder / "report.json"


def key(one):
    return (one.subject, one.item, one.peer)


@given(reports())
def test_columns_say_what_the_findings_say(tmp_path_factory, report) -> None:
    folder = tmp_path_factory.mktemp("columns")
    path = by_columns(report, pytest.MonkeyPatch(), folder)
    plain = json.loads(path.read_text(encoding="utf-8"))
    assert plain["format"] == columns.FORMAT
    read = kinds.load(path)
    assert sorted(read.findings, key=key) == sorted(report.findings, key=key)
    assert replace(read, findings=()) == replace(report, findings=())
    # and by a reader that shares no code
    said = {
        (subject, one["item"], one["peer"]): one["answers"][place]
        for one in plain["findings"]
        for subject, place in zip(plain["subjects"], one["places"], strict=True)
        if place >= 0
    }
    assert said == {
        key(one): {
            "outcome": one.outcome.value,
            "value": one.value,
            "as_of": one.as_of and one.as_of.isoformat(),
            "reason": one.reason,
            **({"reused_from": {"job": "v-1", "day": "2026-06-03"}} if one.reused_from else {}),
        }
        for one in report.findings
    }


@given(reports())
def test_the_digests_written_are_those_read(tmp_path_factory, report) -> None:
    path = by_columns(report, pytest.MonkeyPatch(), tmp_path_factory.mktemp("signed"))
    assert check(path, TRUSTED).valid
    plain = json.loads(path.read_text(encoding="utf-8"))
    signature = plain.pop("signature")
    assert digests_of(plain) == signature["groups"]


def test_a_small_report_has_objects_and_a_large_one_columns(tmp_path, monkeypatch) -> None:
    kinds.write(VERIFICATION, CATALOGUE, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["format"] == "heqiao-report/1"
    assert columns.MOST_OBJECTS == 100_000
    monkeypatch.setattr(columns, "MOST_OBJECTS", len(VERIFICATION.findings) - 1)
    assert kinds.is_large(VERIFICATION)
    text = b"".join(kinds.json_chunks(VERIFICATION, CATALOGUE)).decode()
    plain = json.loads(text)
    assert len(plain["findings"]) == len(ITEMS) * len(PEERS)
    lines = [line for line in text.splitlines() if '"places"' in line]
    assert len(lines) == len(plain["findings"]), "one a line"


DAMAGE = {
    "an item that was not asked": (lambda c: c[0].update(item="X9"), "findings.0: names an item or peer"),
    "a column twice": (lambda c: c.append(c[0]), "findings.9: answers what an earlier one has answered"),
    "a place too few": (
        lambda c: c[1]["places"].pop(),
        "findings.1.places: one place for each of 3 subjects",
    ),
    "an answer that is not there": (
        lambda c: c[2]["places"].__setitem__(0, 9),
        "findings.2.places: a place names an answer that the column does not have",
    ),
    "a place below nothing": (lambda c: c[0]["places"].__setitem__(0, -2), "findings.0.places.0"),
    "a text as place": (lambda c: c[0]["places"].__setitem__(0, "1"), "findings.0.places.0"),
    "an unknown outcome": (
        lambda c: c[0]["answers"][0].update(outcome="YES"),
        "findings.0.answers.0.outcome",
    ),
    "a key more": (lambda c: c[0].update(eligible=True), "findings.0.eligible"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_and_altered_columns_fail(tmp_path, monkeypatch, name) -> None:
    path = by_columns(VERIFICATION, monkeypatch, tmp_path)
    plain = json.loads(path.read_text(encoding="utf-8"))
    damage, said = DAMAGE[name]
    damage(plain["findings"])
    path.write_text(json.dumps(plain), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        kinds.load(path)
    assert said in caught.value.message
    assert check(path, TRUSTED).altered == ("findings",)


def test_a_column_has_its_answers_in_order_of_first_use() -> None:
    found = FindingColumns.of(VERIFICATION)
    assert len(found) == 9
    assert found[0] == {
        "item": "C21",
        "peer": "44",
        "answers": [
            {"outcome": "FOUND", "value": 2, "as_of": "2026-06-30", "reason": ""},
            {"outcome": "STALE", "value": 1, "as_of": "2025-01-01", "reason": ""},
            {"outcome": "NOT_FOUND", "value": None, "as_of": None, "reason": ""},
        ],
        "places": [0, 1, 2],
    }
    assert list(found[:2]) == [found[0], found[1]]


def test_the_schema_is_the_one_that_is_documented() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == columns.schema()


@given(reports())
def test_a_workbook_says_what_the_findings_say(tmp_path_factory, report) -> None:
    """Read by python-calamine: a row for each person, a column for each item and province."""
    folder = tmp_path_factory.mktemp("sheets")
    files.write(report, CATALOGUE, folder, ["xlsx"], "en")
    book = CalamineWorkbook.from_filelike(io.BytesIO((folder / "report.xlsx").read_bytes()))
    head, *rows = book.get_sheet_by_name("People").to_python(skip_empty_area=False)
    assert [row[:2] for row in rows] == [[one.partition("/")[0], one] for one in report.subjects]
    known = {item.code: item for item in CATALOGUE.items}
    texts = {key(one): answer_cell(one, known[one.item], "en") for one in report.findings}
    asked = [(item, peer.peer) for item in ITEMS for peer in PEERS]
    for subject, row in zip(report.subjects, rows, strict=True):
        shown = [*row[2:], *[""] * (len(asked) + 2 - len(row))]
        assert shown == [texts.get((subject, *one), "") or "" for one in asked]
    _, *details = book.get_sheet_by_name("Details").to_python(skip_empty_area=False)
    said = [one for one in report.findings if one.outcome not in ("NOT_FOUND", "NOT_OVER")]
    assert sorted((row[0], row[1], row[3]) for row in details) == sorted(map(key, said))
    assert len(head) == len(asked) + 2


def test_findings_of_an_empty_report() -> None:
    empty = replace(VERIFICATION, findings=())
    assert len(FindingColumns.of(empty)) == 0
    assert list(columns.findings_of((), VERIFICATION.subjects)) == []
    assert isinstance(Findings.of(()), Findings)
    assert np.array_equal(FindingColumns.of(VERIFICATION)[8]["places"], [0, 0, 0])


def write_schema() -> None:
    """Write docs/report-columns.schema.json: `python -m tests.unit.reports.test_columns`."""
    SCHEMA.write_text(json.dumps(columns.schema(), indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_schema()
