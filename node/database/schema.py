"""Schema versions: opens a database at the current one; migrations, which Alembic runs."""

import importlib
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL, ColumnElement, Connection, Engine, column, inspect, select, table, text
from sqlalchemy.exc import DBAPIError

from keys.store.atomic_files import require_owner
from node.database.address import sqlite_file
from node.database.engine import Store, make_engine
from node.errors import PreconditionError, UnavailableError

MIGRATIONS = Path(__file__).parent.parent / "migrations"
_MIGRATION_LOCK = 0x6865716961  # "heqia": any number that nothing else in the database locks
_REVISION: ColumnElement[str] = column("version_num")  # the column of Alembic's version table


def open_store(url: URL | str) -> Store:
    """Open the database; an empty one gets the current schema, from one process where several start at once.

    Raises ConfigError for a URL that cannot be used, PreconditionError for an older or newer schema,
    KeyringError for an empty SQLite file of another account, UnavailableError when the database does not
    answer.
    """
    engine = make_engine(url)
    state = schema_state(engine)
    if state == "empty":
        migrate(engine)
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
    """The revision of the last migration; None for an empty database. Raises UnavailableError."""
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


def migrate_url(url: URL | str) -> tuple[str, str]:
    """Bring a database to the current schema; return its revision before and after ("" when empty).

    Raises ConfigError for a URL that cannot be used, PreconditionError for a newer schema, UnavailableError
    when the database does not answer.
    """
    engine = make_engine(url)
    before = read_revision(engine) or ""
    if schema_state(engine) == "newer":
        raise PreconditionError(
            "the database was written by a newer version", "install the version that wrote it"
        )
    migrate(engine)
    after = read_revision(engine) or ""
    engine.dispose()
    return before, after


def migrate(engine: Engine) -> None:
    """Run all migrations that are missing, in one transaction where the database allows it. Of several
    processes one does it, and the others wait for it and then find nothing to do.

    Raises UnavailableError, ConflictError, KeyringError for an SQLite file of another account.
    """
    path = sqlite_file(engine.url)
    if path is not None:
        with suppress(OSError):  # the transaction then says what is wrong
            require_owner(path)
    # Alembic takes longer to load than most commands to run, and a current database does not need it.
    command = importlib.import_module("alembic.command")
    config = importlib.import_module("alembic.config").Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # % has a meaning there
    with Store(engine).transaction("make or update the schema", write=True) as tx:
        _exclude_others(tx)
        config.attributes["connection"] = tx
        command.upgrade(config, "head")


def _exclude_others(tx: Connection) -> None:
    """Wait until no other process runs migrations; for SQLite a transaction that writes does that already."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
