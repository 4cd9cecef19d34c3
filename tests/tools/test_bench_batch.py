"""`bench batch` at its smallest size: six nodes, every answer right, files and figures there."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.__main__ import main


@pytest.mark.long
def test_a_small_batch_has_all_its_figures(tmp_path: Path) -> None:
    target = tmp_path / "batch.json"
    ran = CliRunner().invoke(
        main,
        [
            "batch",
            "--households",
            "40",
            "--pdfs",
            "2",
            "--keep",
            str(tmp_path / "keep"),
            "--json",
            str(target),
        ],
        catch_exceptions=False,
    )
    assert ran.exit_code == 0, ran.output
    found = json.loads(target.read_text(encoding="utf-8"))
    assert found["wrong"] == 0
    assert found["findings"] == found["people"] * 8 * 5
    for name in (
        "wall_s",
        "job_s",
        "xlsx_s",
        "pdf_wall_s",
        "port_pdf_wall_s",
        "requester_peak_mib",
        "responders_cpu_s",
    ):
        assert found[name] > 0, name
    assert (tmp_path / "keep" / "out" / "report.xlsx").is_file()
