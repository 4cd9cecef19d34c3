"""The programs of testbed, run whole, with the `heqiao` commands that they start forked (`command_server`).

They are the same processes, but for their interpreters, which need most of the time of fifty short commands,
and for key stores that open quickly.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from keys import KdfCost
from keys.store import header
from testbed import processes
from tests.support.command_server import CommandServer, Started, command_server
from tests.support.paths import ROOT

PROGRAM = f"""
import sys
from {__name__} import run
run(sys.argv.pop(1))
"""
CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)


def start(module: str, *arguments: str | Path, **given: Any) -> Started:
    """Start a program in a session of its own; `given` is as for `CommandServer.start`."""
    return command_server().start([module, *arguments], cwd=ROOT, program=PROGRAM, **given)


# ---- in the process


def run(module: str) -> None:
    """Be that program."""
    os.setsid()
    header.STANDARD_COST = CHEAP
    server = CommandServer(forked=True)

    def begin(command: Sequence[str], **given: Any) -> "Started | subprocess.Popen[bytes]":
        if command[0] != "heqiao":
            return subprocess.Popen(command, **given)
        output = given["stdout"].fileno()
        return server.start(command[1:], stdout=output, stderr=output, env=given["env"], group=True)

    constants = {"DEVNULL": subprocess.DEVNULL, "STDOUT": subprocess.STDOUT}
    processes.subprocess = SimpleNamespace(Popen=begin, **constants)  # type: ignore[assignment]
    sys.exit(import_module(module).main())
