"""One lock between processes: refused while another one holds it, freed with the process that held it."""

import subprocess
import sys
import threading
import time

import pytest

from keys.errors import StoreBusyError, StoreMissingError
from keys.store.key_store import lock_store
from keys.store.locks import hold_lock

BUSY = StoreBusyError("another command", "wait")
HOLDER = """
import sys, time; from pathlib import Path; from keys.store.locks import hold_lock
with hold_lock(Path(sys.argv[1]), ValueError()):
    print("held", flush=True); time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_second_one_is_refused_until_the_first_lets_go(tmp_path, kind):
    path = tmp_path / "it"
    path.mkdir() if kind == "folder" else path.touch()
    with hold_lock(path, BUSY), pytest.raises(StoreBusyError, match="another command"), hold_lock(path, BUSY):
        pass
    with hold_lock(path, BUSY):
        pass


def test_a_process_that_is_killed_lets_go(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusyError), hold_lock(tmp_path, BUSY):
            pass
        holder.kill()
    with hold_lock(tmp_path, BUSY):
        pass


def test_it_waits_as_long_as_it_was_told(tmp_path):
    held, let_go = threading.Event(), threading.Event()

    def hold():
        with hold_lock(tmp_path, BUSY):
            held.set()
            let_go.wait(60)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(60)
    began = time.monotonic()
    with pytest.raises(StoreBusyError), hold_lock(tmp_path, BUSY, wait_s=0.3):
        pass
    assert time.monotonic() - began >= 0.3
    threading.Timer(0.2, let_go.set).start()
    with hold_lock(tmp_path, BUSY, wait_s=60):
        assert let_go.is_set()
    other.join()


def test_what_the_block_raises_is_never_taken_for_another_command(tmp_path):
    for lock in (hold_lock(tmp_path, BUSY), lock_store(tmp_path, 1.0)):
        with pytest.raises(BlockingIOError, match="of the block"), lock:
            raise BlockingIOError("of the block")
    with pytest.raises(FileNotFoundError, match="of the block"), lock_store(tmp_path):
        raise FileNotFoundError("of the block")


def test_only_a_folder_is_a_store(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "missing", tmp_path / "file/below"):
        with pytest.raises(StoreMissingError), lock_store(path):
            pass


def test_a_file_to_lock_is_made_private(tmp_path):
    with pytest.raises(FileNotFoundError), hold_lock(tmp_path / "lock", BUSY):
        pass
    with hold_lock(tmp_path / "lock", BUSY, create=True):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
