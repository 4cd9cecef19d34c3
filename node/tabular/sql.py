"""Reads a database of another department, row by row, for an import; it writes nothing there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import CursorResult, create_engine
from sqlalchemy.exc import SQLAlchemyError

from node.errors import ConfigError, UnavailableError

_BUFFER_ROWS = 8192


@contextmanager
def open_query(url: str, query: str) -> Iterator[tuple[Sequence[str], Iterator[Sequence[Any]]]]:
    """The column names and the rows of a query, streamed: unread rows stay on the server.

    Raises ConfigError for a URL this machine cannot use, UnavailableError when the query or the connection
    fails, also in the middle of the rows.
    """
    try:
        engine = create_engine(url, hide_parameters=True)
    except (SQLAlchemyError, ImportError, ValueError):
        raise ConfigError(
            "the URL of the source database is not one this machine can use",
            "for example postgresql+psycopg://user:password@host/name; its driver must be installed",
        ) from None
    count = [0]
    try:
        with engine.connect() as connection:
            # Without parameters the driver takes the query as it is: a % in it stays a %.
            streaming = connection.execution_options(
                stream_results=True, max_row_buffer=_BUFFER_ROWS, no_parameters=True
            )
            result = streaming.exec_driver_sql(query)
            yield list(result.keys()), _counted(result, count)
    except SQLAlchemyError as error:
        # The driver's text may contain the URL or a row, so the message has only the class of the failure.
        raise UnavailableError(
            f"the source database failed after {count[0]} rows ({type(error).__name__})",
            "check the query and the connection, then import again; nothing was published",
        ) from None
    finally:
        engine.dispose()


def _counted(result: CursorResult[Any], count: list[int]) -> Iterator[Sequence[Any]]:
    for row in result:
        count[0] += 1
        yield row
