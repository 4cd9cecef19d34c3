"""`make demo` for real, with the small scenario: answers, ports, stock clients, Ctrl-C, no process left."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import config as configs
from tests.support.cluster import wait_for
from tests.support.paths import ROOT
from tests.support.processes import await_line, processes_naming

BIN = Path(sys.executable).parent
DEMO = (sys.executable, "-m", "testbed.demo")
ITEMS = 5
PEERS = 2


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Folder, standard output and error of a demo that went well."""
    folder = tmp_path_factory.mktemp("made") / "demo"
    done = subprocess.run(
        [*DEMO, "--folder", str(folder), "--scenario", "small"],
        cwd=ROOT, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done.stdout, done.stderr


@pytest.fixture(scope="module")
def serving(demo: tuple[Path, str, str]) -> Iterator[Path]:
    """The folder, with its nodes running again."""
    folder = demo[0]
    with subprocess.Popen(
        [*DEMO, "serve", "--folder", str(folder)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            await_line(process, "Ctrl-C stops the nodes")
            yield folder
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(180)
    assert code == 130
    assert processes_naming(folder) == []


def test_every_answer_agrees(demo: tuple[Path, str, str]) -> None:
    _, out, err = demo
    last = out.splitlines()[-1]
    found = re.fullmatch(r"demo: (\d+) answers, (\d+) agree with the plain join, 0 differ", last)
    assert found is not None
    assert found[1] == found[2] == str(300 * ITEMS * PEERS)
    assert "WRONG" not in out
    assert "peak memory" in out
    assert len(re.findall(r"^demo: {5}\d+\.\d s$", err, re.MULTILINE)) == 5  # each step's time


def test_nothing_is_left_running(demo: tuple[Path, str, str]) -> None:
    assert processes_naming(demo[0]) == []


def test_three_commands_are_printed(demo: tuple[Path, str, str]) -> None:
    folder, out, _ = demo
    commands = [line.strip() for line in out.splitlines() if line.startswith("    .venv/bin/")]
    assert [command.split()[1] for command in commands] == ["-m", "verify", "audit"]
    assert all(str(folder) in command for command in commands)


def test_printed_commands_work(serving: Path, demo: tuple[Path, str, str]) -> None:
    commands = [line.strip() for line in demo[1].splitlines() if line.startswith("    .venv/bin/heqiao ")]
    for command in commands:
        done = run(shlex.split(command))
        assert done.returncode == 0, done.stderr
    assert (serving / "second" / "report.json").is_file()


def test_health(serving: Path) -> None:
    for code in ("45", "44", "33"):
        done = run(["heqiao", "health", "--home", str(serving / code)])
        assert (done.returncode, done.stdout.count(": serving")) == (0, 2)
    # One of the two ports closed: reported, and a failure.
    text = (serving / "45" / "node.toml").read_text()
    closed = serving / "45" / "closed.toml"
    closed.write_text(re.sub(r'listen = "127.0.0.1:1\d{4}"', 'listen = "127.0.0.1:1"', text, count=1))
    done = run(["heqiao", "health", "--home", str(closed), "--timeout", "2", "--json"])
    assert done.returncode == 1
    assert '"good": false, "peer": "unavailable", "platform": "serving"' in done.stdout


def test_platform_script(serving: Path) -> None:
    script = ROOT / "docs" / "platform-script.py"
    lists = serving / "federation" / "45"
    files = [str(lists / "households.csv"), str(lists / "mandates.csv")]
    done = run([sys.executable, str(script), str(serving / "45"), *files])
    assert done.returncode == 0, done.stderr
    assert re.search(r"^C21: 36 people$", done.stdout, re.MULTILINE)
    assert re.search(r"^C22: 5 people$", done.stdout, re.MULTILINE)


def test_platform_script_is_short() -> None:
    text = (ROOT / "docs" / "platform-script.py").read_text(encoding="utf-8")
    code = text.split('"""')[2]
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 15


@pytest.mark.skipif(not (BIN / "buf").exists(), reason="buf is not installed")
def test_documented_stock_client_commands(serving: Path) -> None:
    """The very commands of docs/operator.md, with this demo's folder and ports."""
    guide = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    commands = [line for line in guide.splitlines() if line.startswith(".venv/bin/buf curl")]
    due = ['"SERVING"', '"signedManifest"', '"peers"']
    assert len(commands) == len(due)
    for command, word in zip(commands, due, strict=True):
        done = run(relocate(command, serving))
        assert done.returncode == 0, done.stderr
        assert word in done.stdout


@pytest.mark.skipif(not (BIN / "buf").exists(), reason="buf is not installed")
def test_stock_client_without_certificate_is_refused(serving: Path) -> None:
    command = next(
        line
        for line in (ROOT / "docs" / "operator.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(".venv/bin/buf curl") and "GetManifest" in line
    )
    words = relocate(command, serving)
    for option in ("--cert", "--key"):
        at = words.index(option)
        del words[at : at + 2]
    done = run(words)
    assert done.returncode != 0
    assert "signedManifest" not in done.stdout


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
