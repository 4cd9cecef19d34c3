"""The section [store] of the configuration."""

import os
import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from node.config.section import HomePath, Section

_SQLITE: Final = re.compile(r"sqlite(?:\+[a-z0-9_]+)?:///(.*)", re.DOTALL)


_OPTIONS: Final = ("timeout", "cached_statements")  # of SQLite's driver; the others change what is opened


def _check_url(url: str) -> str:
    sqlite = _SQLITE.fullmatch(url)
    if sqlite is not None:
        name, _, query = sqlite[1].partition("?")
        if not name or name == ":memory:":
            raise ValueError("a node stores its jobs: name a database file")
        if any(key not in _OPTIONS for key, _ in parse_qsl(query, keep_blank_values=True)):
            raise ValueError(
                f"what follows ? are options, and a node takes only {' and '.join(_OPTIONS)}; "
                "a file in a folder with ? in its name is named from the folder of this file"
            )
        return url
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc or url.startswith("sqlite"):
        raise ValueError("must be a database URL, as in sqlite:///heqiao.db")
    if parts.password is not None or any("pass" in key for key, _ in parse_qsl(parts.query)):
        raise ValueError("carries a password: put that into a file and name it in password_file")
    return url


def sqlite_file(url: str, folder: Path) -> Path | None:
    """The file that an SQLite URL names, from a folder; None for another database.

    As in SQLAlchemy, the path is not in percent-encoding and ends at the first `?`.
    """
    sqlite = _SQLITE.fullmatch(url)
    return None if sqlite is None else Path(os.path.normpath(folder / sqlite[1].partition("?")[0]))


class StoreSection(Section):
    """The database."""

    url: Annotated[str, AfterValidator(_check_url)] = Field(
        default="sqlite:///heqiao.db",
        description="SQLAlchemy URL without password, as in postgresql+psycopg://user@host/db",
    )
    allow_unverified: bool = Field(
        default=False,
        description="Also use a PostgreSQL elsewhere without sslmode=verify-full: anybody between the two "
        "reads and changes what the node stores",
    )
    password_file: HomePath | None = Field(default=None, description="File with the database password")
