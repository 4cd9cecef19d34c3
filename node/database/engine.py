"""The database: its engine, named transactions."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from node.errors import ConfigError, ConflictError, UnavailableError

WRITE = "heqiao_write"  # option of a connection that writes
_BUSY_TIMEOUT_MS = 30_000
_RETRY_WAITS_S = (0.05, 0.1, 0.2, 0.4)  # maximum wait before each further attempt of a write
_RANDOM = secrets.SystemRandom()
T = TypeVar("T")


class Store:
    """A database at the current schema version."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self, name: str, *, write: bool = False) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, rolled back on any exception.

        Raises ConflictError when a concurrent write won, UnavailableError when the database or its
        disk does not answer; the message contains only `name`.
        """
        try:
            with self._engine.connect() as connection:
                tx = connection.execution_options(**{WRITE: write})
                with tx.begin():
                    yield tx
        except IntegrityError:
            raise ConflictError(f"another writer was first ({name})", "try again") from None
        except OperationalError:
            raise UnavailableError(
                f"the database did not answer ({name})",
                "check that the database runs and that its disk has room, then try again",
            ) from None
        except SQLAlchemyError as error:
            # The driver's text may quote parameters, so only the class of the failure is passed on.
            raise UnavailableError(f"the database failed ({name}: {type(error).__name__})") from None

    def retry_write(self, name: str, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction; repeat it after a conflict (five attempts at most)."""
        for wait_s in _RETRY_WAITS_S:
            try:
                with self.transaction(name, write=True) as tx:
                    return work(tx)
            except ConflictError:
                time.sleep(_RANDOM.uniform(0, wait_s))
        with self.transaction(name, write=True) as tx:
            return work(tx)

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def make_engine(url: str) -> Engine:
    """A database, not yet connected. Raises ConfigError for a URL that cannot be used."""
    try:
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except (SQLAlchemyError, ImportError, ValueError):
        raise ConfigError(
            "[store] url is not a database URL this node can use",
            "for example sqlite:///heqiao.db; with the extra `postgres`, postgresql+psycopg://user@host/name",
        ) from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    """Several processes use one file: write-ahead log, waiting for locks, write locks from the start.

    A deferred transaction that reads first and writes later fails at once when another process wrote in
    between, with any timeout; so writers begin IMMEDIATE.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions itself
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
