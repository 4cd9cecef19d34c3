"""A lock between processes: one file or folder, held by one process at a time, freed when that one ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TRY_EVERY_S: Final = 0.1


@contextmanager
def hold_lock(path: Path, busy: Exception, *, wait_s: float = 0.0, create: bool = False) -> Iterator[None]:
    """Hold a file or folder until the end of the block; `create` makes the file, mode 0600, if there is none.

    The system frees the lock however the process ends. What the block itself raises is passed on as it is.

    Raises:
        OSError: the file cannot be opened.
        busy: another process still holds it after `wait_s` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT if create else os.O_RDONLY, 0o600)
    try:
        if not _take(descriptor, wait_s):
            raise busy
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, wait_s: float) -> bool:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_TRY_EVERY_S)
        else:
            return True
