"""What a killed run of the tests leaves."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.cluster import wait_for
from tests.support.command_server import command_server
from tests.support.postgresql import programs

PROGRAM = """
import sys, tempfile, time
from pathlib import Path
from tests.support.ports import free_port
from tests.support.postgresql import PostgreSQL, programs
folder = Path(tempfile.mkdtemp(prefix="heqiao-pg-"))
PostgreSQL(folder, programs(), free_port()).start()
Path(sys.argv[1]).write_text(str(folder))
time.sleep(600)
"""


def runs(process: int) -> bool:
    """Whether a process is there; one that has ended stays in the list until its parent looks."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(programs() is None, reason="PostgreSQL (initdb, pg_ctl) is not installed")
def test_its_postgresql_ends_with_it(tmp_path: Path) -> None:
    said = tmp_path / "folder"
    run = command_server().start([said], program=PROGRAM)
    wait_for(lambda: said.exists() and said.read_text(), 120, "no PostgreSQL was started")
    folder = Path(said.read_text())
    server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(server, 0)
    run.kill()
    assert run.wait(30) == -signal.SIGKILL
    wait_for(lambda: not folder.exists(), 60, "its folder is left")
    wait_for(lambda: not runs(server), 60, "its server is left")
