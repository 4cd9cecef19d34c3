"""For tests of real processes: waits for a line of output, and finds processes that were left running."""

import subprocess
import time
from pathlib import Path


def await_line(process: subprocess.Popen[str], words: str) -> None:
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
    deadline = time.monotonic() + wait_s
    while (found := _naming(str(folder))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _naming(folder: str) -> list[str]:
    lines = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [line for line in lines if folder in line]
