"""`make drill` for real, the steps that touch most: nothing wrong, nothing lost, and nobody left."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import forked_testbed
from tests.support.command_server import command_server
from tests.support.paths import ROOT
from tests.support.processes import await_line, processes_naming

DRILL = (sys.executable, "-m", "testbed.drill")
STEPS = (
    "rotate oprf", "retire and destroy oprf", "rotate tls", "revoke 46", "back up 44", "wipe 44",
    "restore 44", "let 46 back in", "look over",
)  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_drill(tmp_path: Path) -> None:
    folder = tmp_path / "drill"
    done = subprocess.run(
        [*DRILL, "--folder", str(folder), "--only", ",".join(STEPS)],
        cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"drill: [1-9]\d* requests, 0 wrong, 0 lost", last)
    for name in STEPS:
        assert re.search(rf"^ {name} +\d+\.\d +\d+ +0 +0 +\d+", done.stdout, re.MULTILINE), name
    refused = re.search(r"^ single checks +46 +\d+ +0 +0 +([1-9]\d*)", done.stdout, re.MULTILINE)
    assert refused is not None
    assert re.search(r"^ syncs of mirrors +45 +[1-9]\d* +0 +0 +0 ", done.stdout, re.MULTILINE)
    for log in (folder / "logs").glob("*.log"):  # 45's people are in no log of anybody
        assert not re.search(rb"459999\d{11}[\dX]", log.read_bytes()), log
    assert processes_naming(folder) == []


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "drill"
    with subprocess.Popen(
        [*DRILL, "--folder", str(folder)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        await_line(process, "writing registers")
        process.send_signal(signal.SIGINT)
        assert process.wait(180) == 130
    assert processes_naming(folder) == []


def test_a_step_that_there_is_not(tmp_path: Path) -> None:
    wrong = ("testbed.drill.__main__", "--folder", tmp_path / "drill", "--only", "tea")
    done = command_server().run(wrong, program=forked_testbed.PROGRAM, cwd=ROOT)
    assert done.returncode == 1
    assert "drill: error: no step tea" in done.stderr
    assert "steps are: quiet, rotate oprf" in done.stderr
    assert not (tmp_path / "drill").exists()
