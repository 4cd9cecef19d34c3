"""Nothing waits until the disk has what was written: what tests write is worth nothing after a crash of the
machine. What they test, a process that is killed, loses nothing that it wrote.

Most of the time of a small transaction is this wait. Importing this module does it, in this process and in
those forked from it; others (the demo, the drill) wait as in service.
"""

import os
import sqlite3
from typing import Any

from sqlalchemy import Engine, event


def _written(descriptor: int) -> None:
    """As `os.fsync` of a file that is on the disk already."""
    os.fstat(descriptor)  # raises OSError for one that is closed


@event.listens_for(Engine, "connect")
def _connected(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


os.fsync = _written
