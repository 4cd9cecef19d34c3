"""Reads a database of another department, row by row, for an import; it writes nothing there."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.exc import DataError, SQLAlchemyError

from node.errors import ConfigError, InputError, UnavailableError
from node.tabular.changes import Changes, changed_rows, check_watermark, newest_value
from node.tabular.typed_values import BadText, Column, SingleFloat

_BUFFER_ROWS = 8192
_REAL = 700  # the type of PostgreSQL with 7 digits, as its catalogue numbers it
_SQL_ASCII = "SQL_ASCII"


@contextmanager
def open_query(
    url: str, query: str, changes: Changes | None = None, newest: str = ""
) -> Iterator[tuple[Sequence[Column], Iterator[Sequence[Any]]]]:
    """The columns and the rows of a query, streamed: unread rows stay on the server.

    With `changes` only the rows of people with a row that has changed; with `newest` the greatest value of
    that column.

    Raises ConfigError for a URL this machine cannot use or a database that does not say its encoding,
    UnavailableError when the query or the connection fails, InputError for a value that the driver cannot
    read; also in the middle of the rows.
    """
    try:
        engine = create_engine(url, hide_parameters=True)
    except (SQLAlchemyError, ImportError, ValueError):
        raise ConfigError(
            "the URL of the source database is not one this machine can use",
            "for example postgresql+psycopg://user:password@host/name; its driver must be installed",
        ) from None
    event.listen(engine, "connect", _require_encoding, insert=True)
    count = [0]
    try:
        with engine.connect() as connection:
            _keep_bad_text(engine, connection)
            statement = _statement(engine, query, changes, newest)
            # Without parameters the driver takes the query as it is: a % in it stays a %.
            streaming = connection.execution_options(
                stream_results=True, max_row_buffer=_BUFFER_ROWS, no_parameters=True
            )
            # Closed also where somebody still holds its rows: SQLite keeps its lock so long.
            with closing(streaming.exec_driver_sql(statement)) as result:
                yield _columns(result), _counted(result, count)
    except DataError as error:
        raise _unreadable(count[0], error) from None
    except SQLAlchemyError as error:
        # The driver's text may contain the URL or a row, so the message has only the class of the failure.
        raise UnavailableError(
            f"the source database failed after {count[0]} rows ({type(error).__name__})",
            "check the query and the connection, then import again; nothing was published",
        ) from None
    finally:
        engine.dispose()


def newest_watermark(url: str, query: str, person: str, watermark: str) -> str:
    """The greatest value of a query's watermark column, "" where it has none.

    Raises InputError where a column is not there or not of a watermark, and as `open_query`.
    """
    with open_query(url, query) as (columns, _):
        missing = {person, watermark} - {column.header for column in columns}
    if missing:
        raise InputError(
            f"the query has no column {' and '.join(sorted(missing))}",
            "write `watermark` and `id_no` under [columns] as the database spells them, capitals too",
        )
    with open_query(url, query, newest=watermark) as (_, rows):
        found = next(iter(rows))[0]
    if found is None:
        return ""
    if isinstance(found, datetime):
        return check_watermark(found.isoformat(sep=" "))
    if isinstance(found, date):
        return check_watermark(found.isoformat())
    return check_watermark(str(found) if type(found) in (int, str) else "")


def _statement(engine: Engine, query: str, changes: Changes | None, newest: str) -> str:
    quote = engine.dialect.identifier_preparer.quote_identifier
    if newest:
        return newest_value(query, newest, quote)
    return query if changes is None else changed_rows(query, changes, quote)


def _require_encoding(connection: Any, _record: object) -> None:
    """Refuse a PostgreSQL that holds bytes of any encoding, unless the URL says which they are."""
    status = getattr(getattr(connection, "info", None), "parameter_status", None)
    if status and _SQL_ASCII == status("server_encoding") == status("client_encoding"):
        raise ConfigError(
            "the source database is in SQL_ASCII: it does not say in which encoding its texts are",
            "say it in the URL: add ?client_encoding=utf8, or ?client_encoding=gb18030",
        )


def _keep_bad_text(engine: Engine, connection: Connection) -> None:
    """Let SQLite give a text that is not UTF-8 as BadText, so that it costs its row only."""
    if engine.dialect.name == "sqlite":
        raw: Any = connection.connection.driver_connection
        raw.text_factory = _text


def _text(found: bytes) -> str | BadText:
    try:
        return found.decode()
    except UnicodeDecodeError:
        return BadText(found)


def _columns(result: CursorResult[Any]) -> list[Column]:
    described = result.cursor.description if result.cursor is not None else ()
    real = {place for place, each in enumerate(described) if each[1] == _REAL}
    return [
        Column(header, SingleFloat, "real") if place in real else Column(header)
        for place, header in enumerate(result.keys())
    ]


def _counted(result: CursorResult[Any], count: list[int]) -> Iterator[Sequence[Any]]:
    rows = iter(result)
    while True:
        try:
            row = next(rows, None)
        except (UnicodeError, ArithmeticError, ValueError, TypeError) as error:
            raise _unreadable(count[0], error) from None
        if row is None:
            return
        count[0] += 1
        yield row


def _unreadable(rows: int, error: Exception) -> InputError:
    return InputError(
        f"the source database has a value that cannot be read, after {rows} rows ({type(error).__name__})",
        "convert the column to text in the query (CAST), or say the right encoding in the URL "
        "(?client_encoding=), then import again; nothing was published",
    )
