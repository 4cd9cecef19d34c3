"""What a node makes once and tests would make thousands of times: compiled statements.

Each engine of SQLAlchemy compiles the statements that it runs; the first job of a node compiles for longer
than it works. All engines for SQLite of a process of the tests have one dialect and one cache here: both
depend on the SQLite library, not on the file.

Importing this module does it, in this process and in those forked from it. It also knows the engines of this
process: commands that ran in it leave connections that only garbage collection would close.
"""

from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine

from node.database import engine as engines
from node.database.address import sqlite_file

STATEMENTS = 5_000  # more than there are

_create_engine = engines.create_engine
_engines: WeakSet[Engine] = WeakSet()


@cache
def _model() -> Engine:
    """An engine that has connected once, when a dialect asks the library what it can do."""
    made = _create_engine("sqlite://", query_cache_size=STATEMENTS)
    made.connect().close()
    made.dispose()
    return made


def create_engine(url: Any, **options: Any) -> Engine:
    """As SQLAlchemy's."""
    made = _create_engine(url, **options)
    model = _model() if made.dialect.name == "sqlite" else made
    made.dialect = made.pool._dialect = model.dialect
    made._compiled_cache = model._compiled_cache
    _engines.add(made)
    return made


def close_databases(folder: Path) -> None:
    """Close the connections of this process to SQLite databases in a folder; none of them is in use."""
    for engine in list(_engines):
        file = sqlite_file(engine.url)
        if file is not None and file.is_relative_to(folder):
            engine.dispose()


engines.create_engine = create_engine  # type: ignore[assignment]
