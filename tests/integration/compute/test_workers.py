"""Workers of a command with many runs: forked from a process that knows no key, and never left behind."""

import json
import os
import stat
import subprocess
import sys

START = """
import json, os
from multiprocessing import forkserver
from node.compute.engine import prepare_workers
start = prepare_workers(["node.registers.tasks"])
address = forkserver._forkserver._forkserver_address
"""
LOOK = """
print(json.dumps([address, os.stat(address).st_mode, os.stat(os.path.dirname(address)).st_mode]))
"""
WORK = """
with start(2) as workers:
    workers.share(None)
    print(json.dumps([address, workers.count]))
"""


def run(folder, program):
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", START + program],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=path,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_the_socket_of_the_server_is_private(tmp_path):
    address, *modes = run(tmp_path, LOOK)
    assert address.startswith(str(tmp_path))
    assert stat.S_ISSOCK(modes[0])
    assert [stat.S_IMODE(mode) & 0o077 for mode in modes] == [0, 0]


def test_without_a_socket_workers_start_anew(tmp_path):
    """The path of a socket has about a hundred characters at most."""
    long = tmp_path / ("x" * 120)
    long.mkdir()
    assert run(long, WORK) == [None, 2]
