"""Sessions of the command line, kept as text in tests/transcripts and replayed here.

    # prose
    $ heqiao ...        a command; the lines indented under it are what it prints
      [exit 1]          last of them, where the exit code is not 0
    % file NAME [ENC]   writes the indented lines to a file
    % append NAME       adds them to one
    % replace NAME A B  puts B in the place of the first A
    % homes 45 44       homes of nodes that are members and know each other (see `federation`)
    % days 45           gives a home a table of days off, so that none of the next year is unknown in December
    % serve 45          starts that home's node; {45.peer} and {45.platform} are its addresses from here on
    % stop 45

    {fingerprint:FILE}  is the fingerprint of a request, a card or a ca.pem

In what is expected, `...` alone stands for any lines and <anything> in pointed brackets for some text.
"""

import io
import os
import re
import shlex
import shutil
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.cli import main
from testbed.fingerprints import of_ca, of_card, of_request
from tests.support.command_server import command_server
from tests.support.federation import without_holidays

FOLDER = Path(__file__).parent.parent / "transcripts"
WIDTH = "80"
PROVINCES = {"45": "广西", "44": "广东"}


def heqiao(*arguments):
    """A command as a person runs it, in this process: exit code, and what it printed."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(out):
        patch.setattr(sys, "argv", ["heqiao", *arguments])
        patch.setenv("COLUMNS", WIDTH)
        patch.delenv("HEQIAO_HOME", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
    return ended.value.code, out.getvalue()


@dataclass
class Step:
    """A command or directive of a transcript, and the lines indented under it."""

    line: int
    kind: str
    words: list[str]
    block: list[str] = field(default_factory=list)


def parse(text):
    steps, blanks = [], 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            blanks += 1
            continue
        if line.startswith("  ") and steps:
            steps[-1].block += [""] * blanks + [line[2:].rstrip()]
        elif line[:2] in ("$ ", "% "):
            steps.append(Step(number, line[0], shlex.split(line[2:])))
        else:
            assert line.startswith("#"), f"line {number} is neither prose nor command"
        blanks = 0
    return steps


def pattern(lines):
    """What matches the expected output."""
    made = []
    for line in lines:
        if line.strip() == "...":
            made.append(r"(?:[^\n]*\n)*?")
        else:
            parts = re.split(r"<[a-z ]+>", line)
            made.append(r"[^\n]+?".join(map(re.escape, parts)) + r"\n")
    return re.compile("".join(made))


def fingerprint(path):
    if path.suffix == ".pem":
        return of_ca(path.parent)[1]
    return (of_request if path.name == "request.json" else of_card)(path)[1]


class Session:
    """One transcript being replayed in a folder of its own."""

    def __init__(self, federation):
        self.federation = federation
        self.running = {}
        self.addresses = {}

    def play(self, step):
        words = [self.fill(word) for word in step.words]
        if step.kind == "$":
            assert words[0] == "heqiao"
            self.run(step, words[1:])
        else:
            getattr(self, words[0])(step, *words[1:])

    def run(self, step, arguments):
        expected, code = [self.fill(line) for line in step.block], 0
        if expected and (found := re.fullmatch(r"\[exit (\d)\]", expected[-1])):
            expected, code = expected[:-1], int(found[1])
        got, printed = heqiao(*arguments)
        plain = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
        shown = "".join(f"  {line}\n" for line in plain.splitlines()) + (f"  [exit {got}]\n" if got else "")
        assert got == code, f"line {step.line}: exit code {got}\n{shown}"
        assert pattern(expected).fullmatch(plain), f"line {step.line}: it printed\n{shown}"

    def fill(self, text):
        text = re.sub(r"\{fingerprint:([^}]+)\}", lambda found: fingerprint(Path(found[1])), text)
        return re.sub(r"\{([\w.]+)\}", lambda found: self.addresses.get(found[1], found[0]), text)

    def file(self, step, name, encoding="utf-8"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("".join(f"{line}\n" for line in step.block), encoding=encoding)

    def append(self, step, name):
        with Path(name).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in step.block)

    def replace(self, _step, name, old, new):
        text = Path(name).read_text(encoding="utf-8")
        assert old in text
        Path(name).write_text(text.replace(old, new.replace("\\n", "\n"), 1), encoding="utf-8")

    def homes(self, _step, *codes):
        for code in codes:
            shutil.copytree(self.federation / code, code, dirs_exist_ok=True)
            shutil.copy(self.federation / f"{code}.card", ".")

    def days(self, _step, *codes):
        for code in codes:
            without_holidays(Path(code), datetime.now(UTC).year)

    def serve(self, _step, code):
        ready = Path(f"{code}.ready")
        with Path(f"{code}.log").open("wb") as log:
            node = command_server().start(
                ["serve", "--home", code, "--ready-file", ready], stdout=log.fileno(), stderr=log.fileno()
            )
        self.running[code] = node
        for _ in range(6000):
            if ready.exists():
                break
            assert node.poll() is None, Path(f"{code}.log").read_text()
            time.sleep(0.02)
        ports = ready.read_text().split()
        for name, port in zip(("peer", "platform"), ports, strict=True):
            self.addresses[f"{code}.{name}"] = f"127.0.0.1:{port}"

    def stop(self, _step, code):
        node = self.running.pop(code)
        node.send_signal(signal.SIGTERM)
        assert node.wait(120) == 0
        assert "Traceback" not in Path(f"{code}.log").read_text()

    def end(self):
        for node in self.running.values():
            node.kill()
            node.wait()


@pytest.fixture(scope="module")
def federation(tmp_path_factory):
    """Homes 45 and 44 on free ports, members of a federation; each has the other's card as a peer."""
    base = tmp_path_factory.mktemp("federation")
    before = Path.cwd()
    os.chdir(base)
    try:
        commands = ["ca init --dir ca --federation demo"]
        for code, name in PROVINCES.items():
            listen = "--peer-listen 127.0.0.1:0 --platform-listen 127.0.0.1:0"
            commands += [
                f"init --home {code} --code {code} --name {name} {listen} --advertise example.cn:{code}43",
                f"ca issue --dir ca {code}/request.json --out {code}.bundle "
                f"--fingerprint {{fingerprint:{code}/request.json}}",
                f"join --home {code} {code}.bundle --ca-fingerprint {{fingerprint:ca/ca.pem}}",
                f"card --home {code} --out {code}.card",
            ]
        commands += [
            "peers add --home 45 44.card --grant none --fingerprint {fingerprint:44.card}",
            "peers add --home 44 45.card --fingerprint {fingerprint:45.card}",
        ]
        for command in commands:
            code, printed = heqiao(*Session(base).fill(command).split())
            assert code == 0, printed
    finally:
        os.chdir(before)
    return base


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path, federation, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = Session(federation)
    try:
        for step in parse(path.read_text(encoding="utf-8")):
            session.play(step)
    finally:
        session.end()


def test_the_matcher_of_transcripts():
    assert pattern(["a <id> c", "...", "e"]).fullmatch("a b c\nd\nd\ne\n")
    assert not pattern(["a <id> c"]).fullmatch("a b d\n")
    assert not pattern(["a.c"]).fullmatch("abc\n")
