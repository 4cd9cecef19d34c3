"""The plain join against answers worked out by hand, and against reports with planted mistakes."""

import importlib.util
import json
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from synth import choose_scenario, write_federation
from tests.support.paths import ROOT

SOURCE = ROOT / "testbed" / "plain_join.py"

SUBJECTS = """subject,current,former,name,valid,mandated
h1/01,449999190001010034,,甲,1,1
h1/02,44999919000101005X,449999190001010069,乙,1,1
h2/01,449999190001010077,,丙,1,0
h2/02,449999190001010035,,丁,0,0
h3/01,449999200002290038,,戊,1,1
"""
HOLDINGS = """identity,province,item,records,total_fen,name,as_of
449999190001010034,44,C21,2,0,甲,2026-07-01
449999190001010034,44,C23,2,5000000,甲,2026-07-01
449999190001010034,33,Z59b,1,0,另,2026-07-01
44999919000101005X,44,C21,1,0,乙,2026-07-01
449999190001010069,44,C21,2,0,乙,2026-07-01
449999190001010069,33,C23,1,5000001,乙,2026-07-01
449999190001010069,33,B12r,1,0,乙,2026-07-01
449999190001010077,44,C22,1,0,丙,2026-07-01
449999200002290038,44,D34,1,1000000,戊,2026-07-01
449999200002290038,33,D34,1,1000001,戊,2026-07-01
449999200002290038,44,D32,12,12000001,戊,2026-07-01
449999190001010085,44,C21,7,0,己,2026-07-01
"""
ITEMS = ["Z59b", "C21", "C22", "B12r", "C23", "D34", "D32"]
KNOWN = {
    ("h1/01", "C21", "44"): ("FOUND", 2),
    ("h1/01", "C23", "44"): ("NOT_OVER", None),
    ("h1/01", "Z59b", "33"): ("NAME_MISMATCH", None),
    ("h1/02", "C21", "44"): ("FOUND", 3),
    ("h1/02", "C23", "33"): ("OVER", 1),
    ("h1/02", "B12r", "33"): ("FOUND", 1),
    ("h3/01", "D34", "44"): ("FOUND", 0),
    ("h3/01", "D34", "33"): ("FOUND", 1),
    ("h3/01", "D32", "44"): ("FOUND", 3),
}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plain_join", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["plain_join"] = module
    spec.loader.exec_module(module)
    return module


plain_join = load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    truth = tmp_path / "federation" / "truth"
    truth.mkdir(parents=True)
    (truth / "subjects.csv").write_text(SUBJECTS, encoding="utf-8")
    (truth / "holdings.csv").write_text(HOLDINGS, encoding="utf-8")
    plan = {"items": ITEMS, "providers": ["44", "33"]}
    (truth / "expected.json").write_text(json.dumps(plan), encoding="utf-8")
    return truth.parent


def right_findings(folder: Path) -> list[dict[str, Any]]:
    return [
        {"subject": subject, "item": item, "peer": peer, "outcome": outcome, "value": value}
        for (subject, item, peer), (outcome, value) in plain_join.expected(folder).items()
    ]


def compare(folder: Path, findings: list[dict[str, Any]]) -> Any:
    report = folder / "report.json"
    report.write_text(json.dumps({"findings": findings}), encoding="utf-8")
    return plain_join.compare(report, folder)


def place(findings: list[dict[str, Any]], subject: str, item: str, peer: str) -> dict[str, Any]:
    return next(f for f in findings if (f["subject"], f["item"], f["peer"]) == (subject, item, peer))


def test_expected_by_hand(folder: Path) -> None:
    answers = plain_join.expected(folder)
    assert len(answers) == 4 * len(ITEMS) * 2
    for key, answer in answers.items():
        if key[0] == "h2/01":
            assert answer == ("NOT_MANDATED", None)
        else:
            nothing = "NOT_OVER" if key[1] == "C23" else "NOT_FOUND"
            assert answer == KNOWN.get(key, (nothing, None)), key


def test_a_right_report_agrees(folder: Path) -> None:
    found = compare(folder, right_findings(folder))
    assert (found.answers, found.agree, found.differ) == (56, 56, 0)
    assert (found.names_caught, found.names_passed) == (1, 0)


def test_a_report_by_columns_is_read_too(folder: Path) -> None:
    right = plain_join.expected(folder)
    subjects = sorted({subject for subject, _, _ in right})
    columns = []
    for item, peer in sorted({key[1:] for key in right}):
        said = [right[one, item, peer] for one in subjects]
        answers = [{"outcome": outcome, "value": value} for outcome, value in said]
        columns.append({"item": item, "peer": peer, "answers": answers, "places": list(range(len(said)))})
    report = folder / "report.json"
    report.write_text(json.dumps({"subjects": subjects, "findings": columns}), encoding="utf-8")
    found = plain_join.compare(report, folder)
    assert (found.answers, found.agree, found.differ) == (56, 56, 0)
    columns[0]["places"][1] = -1
    report.write_text(json.dumps({"subjects": subjects, "findings": columns}), encoding="utf-8")
    assert plain_join.compare(report, folder).differ == 1


def test_right_answers_by_column_are_those_by_answer(folder: Path) -> None:
    found = plain_join.expected_columns(folder, [*ITEMS, "X00"], {"X00": "C21"})
    right = plain_join.expected(folder)
    for (subject, item, peer), answer in right.items():
        assert found[item, peer].due(subject) == answer
    for subject, item, peer in right:
        assert found["X00", peer].due(subject) == right[subject, "C21", peer], item


def test_only_asked_items_and_peers_count(folder: Path) -> None:
    asked = [f for f in right_findings(folder) if f["item"] in ("C21", "C23") and f["peer"] == "44"]
    found = compare(folder, asked)
    assert (found.answers, found.differ) == (8, 0)


@pytest.mark.parametrize(
    ("key", "outcome", "value", "differ", "passed"),
    [
        (("h1/01", "Z59b", "33"), "FOUND", 1, 0, 1),  # 1 wrong name in 256
        (("h1/01", "Z59b", "33"), "NOT_FOUND", None, 1, 0),
        (("h1/01", "C21", "44"), "STALE", 2, 0, 0),
        (("h1/01", "C21", "44"), "STALE", 1, 1, 0),
        (("h1/01", "C21", "44"), "FOUND", 1, 1, 0),
        (("h1/01", "C21", "44"), "NAME_MISMATCH", None, 1, 0),
        (("h1/01", "C23", "44"), "OVER", 1, 1, 0),
        (("h1/01", "C23", "44"), "NOT_FOUND", None, 1, 0),
        (("h2/01", "C22", "44"), "FOUND", 1, 1, 0),
        (("h3/01", "C21", "33"), "UNAVAILABLE", None, 1, 0),
        (("h3/01", "C21", "33"), "STALE", None, 1, 0),
    ],
)
def test_one_answer_changed(
    folder: Path, key: tuple[str, str, str], outcome: str, value: int | None, differ: int, passed: int
) -> None:
    findings = right_findings(folder)
    place(findings, *key).update(outcome=outcome, value=value)
    found = compare(folder, findings)
    assert (found.answers, found.differ, found.names_passed) == (56, differ, passed)
    assert found.agree == 56 - differ
    assert len(found.examples) == differ
    assert all("4499" not in example for example in found.examples)


def test_missing_repeated_and_unknown_answers_differ(folder: Path) -> None:
    findings = right_findings(folder)
    missing = compare(folder, findings[1:])
    assert (missing.answers, missing.differ) == (56, 1)
    repeated = compare(folder, [*findings, findings[0]])
    assert (repeated.answers, repeated.differ) == (57, 1)
    invalid = {"subject": "h2/02", "item": "C21", "peer": "44", "outcome": "NOT_FOUND", "value": None}
    unknown = compare(folder, [*findings, invalid])
    assert (unknown.answers, unknown.differ) == (57, 1)


def test_joins_a_small_federation(tmp_path: Path) -> None:
    scenario = choose_scenario("small")
    write_federation(scenario, tmp_path / "out", 9, date(2026, 7, 15))
    answers = plain_join.expected(tmp_path / "out")
    assert len(answers) == scenario.people * len(ITEMS) * 2
    vehicles = sum(v for (_, item, _), (o, v) in answers.items() if item == "C21" and o == "FOUND")
    assert vehicles == scenario.figures.vehicles
    refused = {subject for (subject, _, _), (outcome, _) in answers.items() if outcome == "NOT_MANDATED"}
    assert len(refused) == scenario.unmandated
    differing = sum(outcome == "NAME_MISMATCH" for outcome, _ in answers.values())
    assert differing == 2 * scenario.name_differs
    assert compare(tmp_path / "out", right_findings(tmp_path / "out")).differ == 0
