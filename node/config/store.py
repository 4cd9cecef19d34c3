"""The section [store] of the configuration."""

import os
import re
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, ValidationInfo

from node.config.section import HomePath, Section, folder_of

_SQLITE: Final = re.compile(r"(sqlite(?:\+[a-z0-9_]+)?):///(.*)")


def _check_url(url: str, info: ValidationInfo) -> str:
    sqlite = _SQLITE.fullmatch(url)
    if sqlite is not None:
        name, question, query = sqlite[2].partition("?")
        if not name or name == ":memory:":
            raise ValueError("a node stores its jobs: name a database file")
        return f"{sqlite[1]}:///{os.path.normpath(folder_of(info) / name)}{question}{query}"
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc or url.startswith("sqlite"):
        raise ValueError("must be a database URL, as in sqlite:///heqiao.db")
    if parts.password is not None or any("pass" in key for key, _ in parse_qsl(parts.query)):
        raise ValueError("carries a password: put that into a file and name it in password_file")
    return url


class StoreSection(Section):
    """The database."""

    url: Annotated[str, AfterValidator(_check_url)] = Field(
        default="sqlite:///heqiao.db",
        description="SQLAlchemy URL without password, as in postgresql+psycopg://user@host/db",
    )
    password_file: HomePath | None = Field(default=None, description="File with the database password")
