"""The database: its engine, named transactions."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, SQLAlchemyError

from node.database.address import existing_file, make_file, sqlite_file
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
        self._path = sqlite_file(engine.url)
        self._file = self._found_file()

    @contextmanager
    def transaction(self, name: str, *, write: bool = False) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, rolled back on any exception.

        Raises ConflictError when a concurrent write won, UnavailableError when the database or its
        disk does not answer; the message contains only `name`.
        """
        try:
            with self._engine.connect() as connection:
                tx = connection.execution_options(**{WRITE: True}) if write else connection
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

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @contextmanager
    def session(self, name: str) -> Iterator[Connection]:
        """A connection of its own without a transaction, for a lock that ends with it.

        Raises UnavailableError when the database does not answer at the beginning.
        """
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        except SQLAlchemyError:
            raise UnavailableError(
                f"the database did not answer ({name})", "check that the database runs, then try again"
            ) from None
        try:
            yield connection
        finally:
            # Not back to the pool: nobody else may inherit the lock.
            connection.invalidate()
            connection.close()

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

    def clear_log(self) -> bool:
        """Write the log of an SQLite file into it and empty it: it has older states of erased rows.

        Waits for readers and writers; returns false where one of them stayed. True for other databases.
        Raises UnavailableError.
        """
        if self.dialect != "sqlite":
            return True
        raw = self._engine.raw_connection()
        try:
            (busy, *_) = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error:
            raise UnavailableError(
                "the database did not answer (empty the log)", "check its disk, then try again"
            ) from None
        finally:
            raw.close()
        return int(busy) == 0

    def follow_file(self) -> None:
        """Where the file of SQLite was replaced, as by a backup, work on the new one from now on: open
        connections would still write into the old one, which nobody can find any more.

        Raises UnavailableError while there is none.
        """
        found = self._found_file()
        if found != self._file:
            self._engine.dispose()
            self._file = found
        if self._path is not None and found is None:
            raise UnavailableError(
                f"{self._path}: the file of the database is missing", "put it back, or restore a backup"
            )

    def _found_file(self) -> tuple[int, int] | None:
        try:
            found = None if self._path is None else self._path.stat()
        except OSError:
            return None
        return found and (found.st_dev, found.st_ino)

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def make_engine(url: URL | str) -> Engine:
    """A database, not yet connected; a file of SQLite is made, mode 0600, if there is none.

    Raises ConfigError for a URL that cannot be used, KeyringError where the file would be made in a folder of
    another account.
    """
    try:
        found = make_url(url)
        engine = create_engine(
            existing_file(found), hide_parameters=True, pool_pre_ping=found.get_backend_name() != "sqlite"
        )
    except (SQLAlchemyError, ImportError, ValueError):
        raise ConfigError(
            "[store] url is not a database URL this node can use",
            "for example sqlite:///heqiao.db; with the extra `postgres`, postgresql+psycopg://user@host/name",
        ) from None
    if engine.dialect.name == "sqlite":
        path = sqlite_file(found)
        if path is not None:
            make_file(path)
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
        # What is deleted is overwritten with zeros, and the log that held it is cut off when it begins anew.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("PRAGMA journal_size_limit = 0")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        statement = "BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITE, False) else "BEGIN"
        driver: Any = connection.connection.driver_connection
        try:
            driver.execute(statement)  # through SQLAlchemy it would take as long as a short query
        except sqlite3.OperationalError as error:
            raise OperationalError(statement, None, error) from None
        except sqlite3.Error as error:
            raise DatabaseError(statement, None, error) from None
