"""`heqiao report` of a report.json: what a terminal of 80 columns shows, in both languages."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from node.cli.asking import write_report
from node.errors import DishonestPeerError
from tests.support.cli_runner import heqiao
from tests.support.paths import ROOT
from tests.support.reports import CATALOGUE, REPORTS, VERIFICATION

EXPECTED = ROOT / "tests/unit/reports/expected"


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Run `heqiao report` in a home that no node serves."""
    monkeypatch.setenv("COLUMNS", "80")
    home = tmp_path / "45"
    home.mkdir()
    (home / "node.toml").write_text('[node]\ncode = "45"\nname = "广西"\n', encoding="utf-8")

    def run(*words: object) -> tuple[int, str, str]:
        return heqiao("report", *words, home=home)

    return run


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_tables_are_shown(report, name, lang):
    expected = (EXPECTED / name / f"terminal_{lang}.txt").read_text(encoding="utf-8")
    assert report(EXPECTED / name, "--lang", lang) == (0, expected, "")


@pytest.mark.parametrize("name", REPORTS)
def test_a_program_gets_all_of_it(report, name):
    path = EXPECTED / name / "report.json"
    code, out, err = report(path, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(path.read_text(encoding="utf-8"))


def test_sums_are_drawn_and_a_verification_is_not(report, tmp_path):
    png, svg = tmp_path / "a.png", tmp_path / "a.svg"
    code, _, err = report(EXPECTED / "sums", "--png", png, "--svg", svg, "--lang", "en")
    assert (code, err) == (0, f"png: {png}\nsvg: {svg}\n")
    assert png.is_file()
    assert "<svg" in svg.read_text(encoding="utf-8")
    code, out, err = report(EXPECTED / "verification", "--png", tmp_path / "b.png")
    assert (code, out) == (1, "")
    assert "only sums are drawn" in err
    assert not (tmp_path / "b.png").exists()


def test_wrong_answers_of_a_peer_fail_the_command_after_its_files_are_written(tmp_path, capsys):
    peers = (replace(VERIFICATION.peers[0], state="distrusted"), *VERIFICATION.peers[1:])
    with pytest.raises(DishonestPeerError, match="wrong answers from 44"):
        write_report(
            replace(VERIFICATION, peers=peers),
            CATALOGUE,
            tmp_path,
            as_json=True,
            lang="zh",
            rejected=3,
            platform=None,
        )
    assert {path.name for path in tmp_path.iterdir()} == {"report.json", "findings.csv", "summary.txt"}
    shown = json.loads(capsys.readouterr().out)
    assert list(shown) == ["job", "state", "summary", "peers", "out", "files", "signed", "rejected_rows"]
    assert shown["rejected_rows"] == 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file: Invalid JSON"),
        (b"[]", "the file: Input should be an object"),
        (b"{}", "format: Field required"),
        (b'{"format": 1}', "format: Input should be a valid string"),
        (b'{"format": "heqiao-watch/1"}', "'heqiao-report/1' or 'heqiao-sums/1'"),
        (b'{"format": "heqiao-sums/1"}', "job: Field required"),
    ],
)
def test_another_file_is_refused(report, tmp_path, content, problem):
    path: Path = tmp_path / "report.json"
    path.write_bytes(content)
    code, out, err = report(path)
    assert (code, out) == (1, "")
    assert f"{path}: " in err
    assert problem in err
