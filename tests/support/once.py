"""Expensive test data, made once in a run of the tests, by the first process that needs it."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of a name that all processes of this run share; `make` fills it, the first time only.

    No test may change its files. If making it failed, the next caller tries again.
    """
    base = factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for attempt in range(100):
            folder, done = shared / f"{name}-{attempt}", shared / f"{name}-{attempt}.done"
            if done.exists():
                return folder
            if not folder.exists():
                folder.mkdir()
                make(folder)
                done.touch()
                return folder
    raise AssertionError(f"{name} cannot be made")
