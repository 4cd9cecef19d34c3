"""Processes that end themselves by kill -9 at some point of their work, and their start."""

import os
import signal

from tests.support.command_server import command_server


class Dying:
    """In the process: kill it when a point is reached for the n-th time."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def reach(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    def after(self, owner: object, name: str) -> None:
        """Put the point after a function."""
        original = getattr(owner, name)

        def run(*arguments, **options):
            result = original(*arguments, **options)
            self.reach()
            return result

        setattr(owner, name, run)


def run_until_killed(program: str, *arguments: object) -> None:
    """Run Python text that finds the modules of this folder, and `sys`."""
    died = command_server().run(arguments, program=f"import sys\n{program}")
    assert died.returncode == -signal.SIGKILL, died.stderr
