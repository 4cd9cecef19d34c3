"""The files and tables of a few reports, byte for byte as in expected/.

A change that is meant is kept with `python -m tests.unit.reports.test_expected_files`.
"""

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from node.reports import kinds, text
from tests.support.reports import CATALOGUE, REPORTS

EXPECTED = Path(__file__).with_name("expected")
TERMINAL = 80  # columns


def write_all(name: str, folder: Path) -> None:
    """The three files of a report, and its form in a terminal."""
    kinds.write(REPORTS[name], CATALOGUE, folder)
    for lang in ("zh", "en"):
        console = Console(file=io.StringIO(), width=TERMINAL, color_system=None)
        with console.capture() as capture:
            console.print(text.render(kinds.document(REPORTS[name], CATALOGUE, lang)))
        (folder / f"terminal_{lang}.txt").write_text(capture.get(), encoding="utf-8")


@pytest.mark.parametrize("name", REPORTS)
def test_every_byte_is_as_expected(name, tmp_path):
    write_all(name, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in (EXPECTED / name).iterdir()}
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (EXPECTED / name / path.name).read_bytes(), path.name


if __name__ == "__main__":
    for one in REPORTS:
        write_all(one, EXPECTED / one)
        sys.stdout.write(f"{one}\n")
