"""The files of every household by several processes: killed, stopped and out of room, and then gone on."""

import csv
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from node.reports import each
from node.reports.checking import check_all
from node.reports.each import Run
from tests.support.many_households import FORMATS, HOUSEHOLDS, REPORT, SUBJECTS
from tests.support.paths import ROOT
from tests.support.reports import CATALOGUE
from tests.support.signed_reports import SIGNER, TRUSTED

PROGRAM = """
import os, resource, signal, sys
from pathlib import Path
from node.reports import each
from node.reports.each import Run
from tests.support.many_households import FORMATS, REPORT
from tests.support.reports import CATALOGUE
from tests.support.signed_reports import SIGNER

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs behind it ignore this

def told(done, total):
    print(done, flush=True)
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if sys.argv[2] == "stop":
        os.kill(os.getpid(), signal.SIGINT)

if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
start = each.prepare()
formats = ("xlsx",) if sys.argv[2] == "full" else FORMATS
try:
    each.write_each(REPORT, Run.of(Path(sys.argv[1]), CATALOGUE, formats, "zh", SIGNER), start, told)
except Exception as error:
    print(type(error).__name__, error)
"""


def run(out: Path, how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, out, how],
        capture_output=True, text=True, cwd=ROOT, timeout=240, check=False,
    )  # fmt: skip


def finish(out: Path) -> tuple[int, int]:
    """Go on; how many files of households were new, and how many there are."""
    made = each.write_each(REPORT, Run.of(out, CATALOGUE, FORMATS, "zh", SIGNER))
    return sum(one.is_new for one in made), len(made)


def require_complete(out: Path) -> None:
    rows = list(csv.DictReader((out / each.INDEX_FILE).read_text(encoding="utf-8-sig").splitlines()))
    assert sorted({row["household"] for row in rows}) == sorted(one.partition("/")[0] for one in SUBJECTS)
    assert len(rows) == HOUSEHOLDS * (len(FORMATS) + 1)
    for folder in filter(Path.is_dir, out.iterdir()):
        assert all(one.valid for one in check_all(folder, TRUSTED))


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_run_that_was_ended_goes_on_where_it_was(tmp_path: Path, how: str) -> None:
    ended = run(tmp_path, how)
    assert ended.returncode == (-signal.SIGKILL if how == "kill" else -signal.SIGINT)
    there = sum(path.is_dir() for path in tmp_path.iterdir())
    assert 4 <= there < HOUSEHOLDS, "some were made, and not all"
    assert (tmp_path / each.INDEX_FILE).exists() == (how == "stop"), "a stopped run says what it made"
    new, total = finish(tmp_path)
    assert total == HOUSEHOLDS
    assert HOUSEHOLDS - there <= new <= HOUSEHOLDS - 4
    require_complete(tmp_path)
    assert finish(tmp_path) == (0, HOUSEHOLDS)


def test_a_disk_without_room_is_named(tmp_path: Path) -> None:
    said = run(tmp_path, "full").stdout
    assert said.startswith(f"UnavailableError {tmp_path}/")
    assert "cannot be written: File too large" in said
    assert not list(tmp_path.rglob("report.*")), "nothing is half written"
