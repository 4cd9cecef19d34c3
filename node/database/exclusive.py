"""One lock in the database: at most one process of all that share it changes the index.

PostgreSQL frees the lock with the connection of a process that ended, however it ended; keepalives tell it of
a machine that is gone. A file of SQLite belongs to one home, which has a lock file
(node/index/update_lock.py).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy import Connection, text

from node.database.engine import Store
from node.errors import ConflictError

_NUMBER: Final = 0x68657169616F  # "heqiao": the same in every release
_TRY_EVERY_S: Final = 0.5
# A machine that has failed keeps the lock for idle + interval * count seconds.
_KEEPALIVES: Final = {"idle": 30, "interval": 10, "count": 3}
Check = Callable[[], None]


@contextmanager
def hold_database(store: Store, busy: Exception, *, wait: bool) -> Iterator[Check]:
    """Hold the lock until the end of the block, which may call the given function to see that it still does.

    Raises `busy` where another process holds it, unless it is to `wait`; UnavailableError.
    """
    if store.dialect != "postgresql":
        yield _nothing
        return
    with store.session("lock the index") as connection:
        for name, value in _KEEPALIVES.items():
            connection.execute(text(f"SET tcp_keepalives_{name} = {value}"))
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": _NUMBER}):
            if not wait:
                raise busy
            time.sleep(_TRY_EVERY_S)
        try:
            yield lambda: _require(connection)
        finally:
            # A lost connection has freed it already.
            with suppress(Exception):
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _NUMBER})


def _nothing() -> None:
    pass


def _require(connection: Connection) -> None:
    try:
        connection.execute(text("SELECT 1"))
    except Exception:  # noqa: BLE001  whatever the driver says: without the connection there is no lock
        raise ConflictError(
            "the connection to the database was lost, and with it the lock of the index",
            "nothing was published; run the command again",
        ) from None
