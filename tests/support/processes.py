"""For tests of real processes: waits for a line of output, and finds processes that were left running."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.command_server import Started


def await_line(process: subprocess.Popen[str] | Started, words: str) -> None:
    """Read standard error until a line holds these words; fail when the process ends before."""
    assert process.stderr is not None
    seen: list[str] = []
    for line in process.stderr:
        seen.append(line)
        if words in line:
            return
    raise AssertionError(f"ended without saying {words!r}: {''.join(seen)}")


def processes_naming(folder: Path, wait_s: float = 60.0) -> list[str]:
    """Command lines of processes that name this folder, after waiting for those that are ending."""
    return _left(lambda session, line: str(folder) in line, wait_s)


def processes_of_session(session: int, wait_s: float = 60.0) -> list[str]:
    """Those of a session, in the same way."""
    return _left(lambda one, line: one == session, wait_s)


def _left(belongs: Callable[[int, str], bool], wait_s: float) -> list[str]:
    deadline = time.monotonic() + wait_s
    while (found := [line for session, line in _running() if belongs(session, line)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.1)
    return found


def _running() -> Iterator[tuple[int, str]]:
    lines = subprocess.run(
        ["ps", "-eo", "sid=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for line in lines:
        session, _, command = line.strip().partition(" ")
        yield int(session), command
