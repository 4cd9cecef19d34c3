"""`heqiao synth` as a person types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.cli.synth import synth


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(synth, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_small_as_json(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, printed, errors = run("--scenario", "small", "--out", str(out), "--today", "2026-07-15", "--json")
    assert (code, errors) == (0, "")
    summary = json.loads(printed)
    assert summary == json.loads((out / "synth.json").read_text(encoding="utf-8"))
    assert summary["today"] == "2026-07-15"
    assert sorted(path.name for path in out.iterdir()) == ["33", "44", "45", "synth.json", "truth"]


def test_small_in_words(tmp_path: Path) -> None:
    code, printed, _ = run("--scenario", "small", "--out", str(tmp_path / "out"))
    assert code == 0
    assert "36 own 44 vehicles" in printed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--out"),
        (("--out", "x", "--scenario", "nowhere"), "nowhere"),
        (("--out", "x", "--people", "5"), "--people"),
        (("--out", "x", "--rows-scale", "0"), "row scale"),
        (("--out", "x", "--seed", "-1"), "seed"),
        (("--out", "x", "--today", "yesterday"), "yesterday"),
        (("--out", "x", "--provinces", "45,44"), "random"),
        (("--out", "x", "--scenario", "random", "--provinces", "45,xx"), "GB/T 2260"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], says: str) -> None:
    code, _, errors = run(*arguments)
    assert code == 2
    assert says in errors
    assert not Path("x").exists()


def test_a_full_folder_is_a_failure_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    command = [sys.executable, "-c", "from node.cli import main; main()", "synth", "--scenario", "small"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "heqiao: error:" in done.stderr
    assert "heqiao: hint:" in done.stderr
