"""Rewrapping a key store, killed at each call of the file system: the old or the new is whole."""

import os
import resource
import shutil
import signal
import subprocess
import sys

import pytest

from keys.errors import (
    PassphraseError,
)
from keys.store.header import by_passphrase
from keys.store.key_store import KeyStore
from keys.store.wrap import KdfCost

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
OLD, NEW = b"old word", b"new word"
SECRET = b"planted secret of epoch one....."


@pytest.fixture
def folder(tmp_path):
    store = KeyStore.create(tmp_path / "keys", OLD, cost=CHEAP)
    store.add("oprf.1", SECRET)
    return tmp_path / "keys"


def opens(folder, passphrase):
    try:
        return KeyStore.open(folder, passphrase).get("oprf.1") == SECRET
    except PassphraseError:
        return False


CALLS = ("open", "fchmod", "fsync", "replace", "rename", "unlink", "write")


def rewrap_killed_at(folder, stop):
    """Rewrap in a child that kills itself at its call number `stop` of the file system; whether it was."""
    child = os.fork()
    if child == 0:
        left = [stop]

        def counted(call):
            def run(*arguments, **named):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*arguments, **named)

            return run

        store = KeyStore.open(folder, OLD)
        closing = by_passphrase(NEW, CHEAP)
        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        store.rewrap(closing)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_kill_at_any_point_leaves_the_old_or_the_new_whole(folder, tmp_path):
    seen, stop, killed = [], 0, True
    while killed:
        copy = tmp_path / f"copy{stop}"
        shutil.copytree(folder, copy)
        killed = rewrap_killed_at(copy, stop)
        state = (opens(copy, OLD), opens(copy, NEW))
        assert state in ((True, False), (False, True))
        seen.append(state)
        if state[0]:  # running it again finishes it
            KeyStore.open(copy, OLD).rewrap(by_passphrase(NEW, CHEAP))
        assert opens(copy, NEW)
        stop += 1
    assert seen[0] == (True, False)
    assert seen[-1] == (False, True)
    assert len(seen) > 5


def test_a_full_disk_leaves_the_old(folder):
    script = (
        "import resource, signal, sys; from pathlib import Path; from keys.store.key_store import KeyStore;"
        "from keys.store.header import by_passphrase; from keys.store.wrap import KdfCost;"
        "store = KeyStore.open(Path(sys.argv[1]), b'old word');"
        "closing = by_passphrase(b'new word', KdfCost(1, 1, 8));"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "store.rewrap(closing)"
    )
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert (opens(folder, OLD), opens(folder, NEW)) == (True, False)
    assert sorted(path.name for path in folder.iterdir()) == ["oprf.1.key", "store.json"]
