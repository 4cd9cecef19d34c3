"""Commands that are killed by kill -9 before each of their durable steps: one run for every step.

A step is a file made, written, renamed, linked or removed, a commit to the database, and the end of the
command, after all work and before its output. A process that has loaded the command line forks for each run.
"""

import gc
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

LASTING = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Killer:
    """Runs commands until a step."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, step: int, arguments: Sequence[object]) -> int:
        """The exit code of a command that is killed before a step: -9 when it reached the step."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = json.dumps({"step": step, "arguments": ["heqiao", *map(str, arguments)]})
        self._process.stdin.write(asked + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def copy(world: Path, place: Path) -> Path:
    """A world without database connections of this process: they are closed by garbage collection."""
    gc.collect()
    return Path(shutil.copytree(world, place))


def each_step(
    killer: Killer, world: Path, folder: Path, command: Callable[[Path], Sequence[object]], ends: int = 0
) -> Iterator[Path]:
    """For every step a copy of `world` in which the command on that copy was killed before the step.

    `ends` is the exit code of the command when it is not killed.
    """
    for step in itertools.count(1):
        place = folder / f"step{step}"
        copy(world, place)
        code = killer.run(step, command(place))
        assert code in (ends, -signal.SIGKILL), f"step {step} of {command(place)} ended with {code}"
        if code == ends:
            return
        yield place
        shutil.rmtree(place)


# ---- in the process


def serve() -> None:
    """Fork and run for each line of standard input."""
    from node.cli import COMMANDS, main

    for module in COMMANDS.values():  # the command line loads them when it needs them
        import_module(module)
    gc.freeze()  # what is loaded is no garbage of the commands
    sys.dont_write_bytecode = True  # writing a compiled module is not a step of a command
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(main, asked["step"], asked["arguments"])
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(main: Callable[[], None], step: int, arguments: list[str]) -> None:
    from sqlalchemy import Engine, event

    left = [step]

    def reach(*_: object) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(name: str, given: tuple[Any, ...]) -> None:
        if name in LASTING or (name == "open" and given[2] & WRITING):
            reach()

    with Path(os.devnull).open("r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    sys.argv = arguments
    event.listen(Engine, "commit", reach)
    sys.addaudithook(watch)
    try:
        main()
    except SystemExit as ended:
        reach()
        os._exit(int(ended.code or 0))
    os._exit(99)


if __name__ == "__main__":
    serve()
