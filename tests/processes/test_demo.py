"""`make demo` for real, with the small scenario: answers, ports, stock clients, Ctrl-C, no process left.

Its commands are forked (`forked_testbed`); those that it prints, and a demo that is stopped, are not.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from node import config as configs
from tests.support import forked_testbed
from tests.support.cli_runner import heqiao, ok
from tests.support.cluster import wait_for
from tests.support.command_server import Started
from tests.support.once import made_once
from tests.support.paths import ROOT
from tests.support.processes import await_line, processes_naming, processes_of_session

BIN = Path(sys.executable).parent
DEMO = (sys.executable, "-m", "testbed.demo")
ITEMS = 5
PEERS = 2
HOUSEHOLD = 6 * 7 * 3  # people, items and provinces of the household on record


@dataclass(frozen=True)
class Demo:
    """A demo that went well: its folder, what it printed and what it reported on standard error."""

    folder: Path
    out: str
    err: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One demo for all processes of this run; its nodes are not running."""
    made = made_once(tmp_path_factory, "demo", make_demo)
    return Demo(made / "demo", *((made / name).read_text(encoding="utf-8") for name in ("out", "err")))


def make_demo(folder: Path) -> None:
    """Run the small demo into `folder`/demo, and keep what it said beside it."""
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = forked_testbed.start(
            "testbed.demo", "--folder", folder / "demo", "--scenario", "small",
            stdout=out.fileno(), stderr=err.fileno(),
        )  # fmt: skip
        code = process.wait(400)
    assert code == 0, (folder / "err").read_text()
    check_nothing_left(process, folder)


def check_nothing_left(process: Started, folder: Path) -> None:
    """No process of the demo runs on, also none that left its session."""
    assert processes_of_session(process.pid) == []
    assert processes_naming(folder) == []


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """The demo's nodes run again; Ctrl-C stops them, and leaves no process."""
    read, write = os.pipe()
    process = forked_testbed.start("testbed.demo", "serve", "--folder", folder, stderr=write)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as process.stderr:
        try:
            await_line(process, "Ctrl-C stops the nodes")
            yield
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(180)
    assert code == 130
    check_nothing_left(process, folder)


def test_every_answer_agrees(demo: Demo) -> None:
    out = demo.out
    last = out.splitlines()[-1]
    found = re.fullmatch(r"demo: (\d+) answers, (\d+) agree with the plain join, 0 differ", last)
    assert found is not None
    assert found[1] == found[2] == str(300 * ITEMS * PEERS + HOUSEHOLD)
    assert "WRONG" not in out
    assert "peak memory" in out
    check_fetched_before(out)
    assert len(re.findall(r"^demo: {5}\d+\.\d s$", demo.err, re.MULTILINE)) == 8  # each step's time


def check_fetched_before(out: str) -> None:
    """Mirrors are fetched before the query; the query itself receives points only."""
    rows = re.findall(r"^ (?:44|33) .* s +([0-9.]+) MB +([0-9.]+) MB +([0-9.]+) MB ", out, re.MULTILINE)
    assert len(rows) == PEERS
    for before, sent, received in rows:
        assert float(before) > 0
        assert float(received) < float(sent) + 0.01


def test_household_report_is_left_to_look_at(demo: Demo) -> None:
    """By both catalogues of 33 and 45, with declared figures and 45's own registers, as signed files."""
    folder = demo.folder / "household"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    states = {(one["item"], one["peer"]): set() for one in report["findings"]}
    for one in report["findings"]:
        states[one["item"], one["peer"]].add(one["outcome"])
    assert states["D32", "33"] == {"NOT_COMPARABLE"}
    assert states["D34", "33"] == states["Z59b", "45"] == {"NOT_CONNECTED"}
    assert "FOUND" in states["C21", "45"]
    assert report["declared"][0]["income"] == 2_640_000
    assert len(report["declared"][0]["relatives"]) == 1
    for name in ("report.pdf", "report.xlsx", "report.html"):
        ok("report", "verify", folder / name, "--home", demo.folder / "45")
    page = (demo.folder / "33-Z59b-quality.html").read_text(encoding="utf-8")
    assert "Z59b" in page


def test_four_commands_are_printed(demo: Demo) -> None:
    commands = [line.strip() for line in demo.out.splitlines() if line.startswith("    .venv/bin/")]
    assert [command.split()[1] for command in commands] == ["-m", "verify", "catalogue", "audit"]
    assert all(str(demo.folder) in command for command in commands)


def test_served_demo(demo: Demo) -> None:
    """One start of its nodes for all that is asked of them; what damages a home comes last."""
    with serving(demo.folder):
        check_printed_commands(demo)
        check_platform_script(demo.folder)
        if (BIN / "buf").exists():
            check_documented_stock_client_commands(demo.folder)
            check_stock_client_without_certificate(demo.folder)
        check_health(demo.folder)


def check_printed_commands(demo: Demo) -> None:
    """The commands that the demo prints work as printed."""
    commands = [line.strip() for line in demo.out.splitlines() if line.startswith("    .venv/bin/heqiao ")]
    assert commands
    for command in commands:
        done = run(shlex.split(command))
        differs = " catalogue diff " in command  # which exits 1 where something does
        assert done.returncode == int(differs), done.stderr
        assert not differs or "D32" in done.stdout
    assert (demo.folder / "second" / "report.json").is_file()


def check_platform_script(folder: Path) -> None:
    """The script of the documents submits a list and reads its report."""
    script = ROOT / "docs" / "platform-script.py"
    lists = folder / "federation" / "45"
    files = [str(lists / "households.csv"), str(lists / "mandates.csv")]
    done = run([sys.executable, str(script), str(folder / "45"), *files])
    assert done.returncode == 0, done.stderr
    assert re.search(r"^C21: 36 people$", done.stdout, re.MULTILINE)
    assert re.search(r"^C22: 5 people$", done.stdout, re.MULTILINE)


def check_documented_stock_client_commands(folder: Path) -> None:
    """The very commands of docs/operator.md, with this demo's folder and ports."""
    due = ['"SERVING"', '"signedManifest"', '"peers"']
    for command, word in zip(stock_client_commands(), due, strict=True):
        done = run(relocate(command, folder))
        assert done.returncode == 0, done.stderr
        assert word in done.stdout


def check_stock_client_without_certificate(folder: Path) -> None:
    """The same client without its certificate gets nothing."""
    words = relocate(next(one for one in stock_client_commands() if "GetManifest" in one), folder)
    for option in ("--cert", "--key"):
        at = words.index(option)
        del words[at : at + 2]
    done = run(words)
    assert done.returncode != 0
    assert "signedManifest" not in done.stdout


def check_health(folder: Path) -> None:
    """All are serving; a closed port is reported, and a failure."""
    for code in ("45", "44", "33"):
        assert ok("health", "--home", folder / code).count(": serving") == 2
    text = (folder / "45" / "node.toml").read_text()
    closed = folder / "45" / "closed.toml"
    closed.write_text(re.sub(r'listen = "127.0.0.1:1\d{4}"', 'listen = "127.0.0.1:1"', text, count=1))
    ended, out, _ = heqiao("health", "--home", closed, "--timeout", "2", "--json")
    assert ended == 1
    assert '"good": false, "peer": "unavailable", "platform": "serving"' in out


def test_platform_script_is_short() -> None:
    text = (ROOT / "docs" / "platform-script.py").read_text(encoding="utf-8")
    code = text.split('"""')[2]
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 15


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with subprocess.Popen(
        [*DEMO, "--folder", str(folder), "--scenario", "small"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        await_line(process, "making three homes")
        homes = [folder / "logs" / f"{code}-init.log" for code in ("45", "44", "33")]
        wait_for(lambda: all(log.exists() for log in homes), 180, "no homes are made")  # children at once
        process.send_signal(signal.SIGINT)
        assert process.wait(180) == 130
    assert processes_naming(folder) == []


def stock_client_commands() -> list[str]:
    """The commands with a stock gRPC client in the operator's guide."""
    guide = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    return [line for line in guide.splitlines() if line.startswith(".venv/bin/buf curl")]


def relocate(command: str, folder: Path) -> list[str]:
    """A documented command with another demo's folder and ports."""
    peer = configs.load(folder / "44" / "node.toml").peer.listen
    platform = configs.load(folder / "45" / "node.toml").platform.listen
    text = command.replace(" demo/", f" {folder}/")
    return shlex.split(text.replace("127.0.0.1:17444", peer).replace("127.0.0.1:18445", platform))


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command, from the root, with the programs of this environment."""
    program = BIN / Path(words[0]).name
    return subprocess.run(
        [str(program), *words[1:]], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
    )
