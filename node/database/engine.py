"""Opening the database, named transactions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, column, create_engine, event, inspect, select, table
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from node.errors import ConfigError, ConflictError, PreconditionError, UnavailableError

MIGRATIONS = Path(__file__).parent.parent / "migrations"
WRITE = "heqiao_write"  # option of a connection that writes
_BUSY_TIMEOUT_MS = 30_000
_REVISION: ColumnElement[str] = column("version_num")  # where Alembic notes it
T = TypeVar("T")


class Store:
    """A database at the current schema version."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self, name: str, *, write: bool = False) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, rolled back on any exception.

        Raises ConflictError when a concurrent write won, UnavailableError when the database or its
        disk is away; `name` is all that the message tells.
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
        """Run `work` in a write transaction, again while another writer is first (five times at most)."""
        import tenacity  # loads asyncio, which most commands need for nothing else

        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ConflictError),
            stop=tenacity.stop_after_attempt(5),
            wait=tenacity.wait_random_exponential(multiplier=0.05, max=1.0),
            reraise=True,
        ):
            with attempt, self.transaction(name, write=True) as tx:
                result = work(tx)
        return result

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_store(url: str) -> Store:
    """Open the database; an empty one is given the current schema.

    Raises ConfigError for a URL that cannot be used, PreconditionError for an older or newer schema,
    UnavailableError when the database does not answer.
    """
    engine = make_engine(url)
    state = schema_state(engine)
    if state == "empty":
        from node.database import schema  # Alembic takes longer to load than most commands to run

        schema.migrate(engine)
    elif state == "older":
        raise PreconditionError("the database has an older schema", "run `heqiao migrate` with this version")
    elif state == "newer":
        raise PreconditionError(
            "the database was written by a newer version", "install the version that wrote it"
        )
    return Store(engine)


def schema_state(engine: Engine) -> str:
    """`empty`, `current`, `older` or `newer`."""
    known = [path.name.partition("_")[0] for path in sorted(MIGRATIONS.glob("versions/[0-9]*.py"))]
    revision = read_revision(engine)
    if revision is None:
        return "empty"
    if revision == known[-1]:
        return "current"
    return "older" if revision in known else "newer"


def read_revision(engine: Engine) -> str | None:
    """What Alembic noted at the last migration; None for an empty database. Raises UnavailableError."""
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            noted = connection.execute(select(_REVISION).select_from(table("alembic_version")))
            return noted.scalar_one_or_none()
    except DBAPIError:
        raise UnavailableError(
            "the database did not answer",
            "check [store] url, that the database runs and that its disk has room",
        ) from None


def make_engine(url: str) -> Engine:
    """A database, not looked at yet. Raises ConfigError for a URL that cannot be used."""
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
    """Several processes use one file: write-ahead log, waiting for locks, writers locked from the start.

    A deferred transaction that reads first and writes later fails at once when another process wrote in
    between, whatever the timeout; so writers begin IMMEDIATE.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
