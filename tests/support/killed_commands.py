"""Commands that are killed by kill -9 before each of their durable steps: one run for every step.

A step is a file made, written, renamed, linked or removed, a commit to the database, and the end of the
command, after all work and before its output.
"""

import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from node.cli import main
from tests.support.command_server import command_server
from tests.support.shared import close_databases

LASTING = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def run_killed(step: int, arguments: Sequence[object]) -> int:
    """The exit code of a command that is killed before a step: -9 when it reached the step."""
    return command_server().start([step, *arguments], program=_PROGRAM).wait(timeout=240)


def copy(world: Path, place: Path) -> Path:
    """A world without database connections of this process. To collect all garbage of a process that has run
    thousands of tests would take ten times as long as to copy.
    """
    close_databases(world)
    return Path(shutil.copytree(world, place))


def each_step(
    world: Path, folder: Path, command: Callable[[Path], Sequence[object]], ends: int = 0
) -> Iterator[Path]:
    """For every step a copy of `world` in which the command on that copy was killed before the step.

    `ends` is the exit code of the command when it is not killed.
    """
    for step in itertools.count(1):
        place = folder / f"step{step}"
        copy(world, place)
        code = run_killed(step, command(place))
        assert code in (ends, -signal.SIGKILL), f"step {step} of {command(place)} ended with {code}"
        if code == ends:
            return
        yield place
        shutil.rmtree(place)


# ---- in the process


_PROGRAM = """
import sys
sys.dont_write_bytecode = True  # writing a compiled module is not a step of a command
from tests.support.killed_commands import run_until
step = int(sys.argv.pop(1))
sys.argv[0] = "heqiao"
run_until(step)
"""


def run_until(step: int) -> None:
    """Run the command of `sys.argv`, and end the process before a step, or when the command ends."""
    left = [step]

    def reach(*_: object) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(name: str, given: tuple[Any, ...]) -> None:
        if name in LASTING or (name == "open" and given[2] & WRITING):
            reach()

    event.listen(Engine, "commit", reach)
    sys.addaudithook(watch)
    try:
        main()
    except SystemExit as ended:
        reach()
        os._exit(int(ended.code or 0))
    os._exit(99)
