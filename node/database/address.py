"""Where the database of a home is: its URL, made from parts and never by joining text."""

import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from sqlalchemy import URL, make_url

from keys.store.atomic_files import PRIVATE, read_passphrase, require_owner
from node.config import Config
from node.database.remote import is_verified, require_verified
from node.errors import ConfigError

_FILE = "file:"


def database_url(config: Config) -> URL:
    """URL of the database with its password, if there is a file for it. Its text hides the password.

    Raises:
        ConfigError: there is a password, but the URL names no user; or it is not text in UTF-8; or the
            database is elsewhere and not verified.
        KeyringError: the file cannot be used, as `read_passphrase`.
    """
    url, file = make_url(config.store.url), config.store.password_file
    require_verified(url, allowed=config.store.allow_unverified)
    if config.database_file is not None:
        url = url.set(database=str(config.database_file))
    if file is None:
        return url
    if not url.username:
        raise ConfigError(
            "[store] password_file: the URL names no user",
            "write the URL as postgresql+psycopg://user@host/db",
        )
    try:
        return url.set(password=read_passphrase(file).decode())
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not text in UTF-8", "save the password as UTF-8") from None


def describe_database(config: Config) -> str:
    """The database for people: the file of SQLite, if need be with its folders, or the URL, which never has a
    password.
    """
    file = config.database_file
    if file is None:
        known = is_verified(make_url(config.store.url))
        return config.store.url + (
            "" if known else ", whose server is NOT verified ([store] allow_unverified)"
        )
    if file.is_relative_to(config.folder):
        return f"SQLite, {file.relative_to(config.folder)} in this home"
    return f"SQLite, {file}"


def database_facts(config: Config) -> dict[str, str]:
    """The same in facts: `file` of SQLite, or `url` and `verified`, yes or no."""
    file = config.database_file
    if file is None:
        return {
            "url": config.store.url,
            "verified": "yes" if is_verified(make_url(config.store.url)) else "no",
        }
    return {"file": str(file.relative_to(config.folder) if file.is_relative_to(config.folder) else file)}


def existing_file(url: URL) -> URL:
    """The same database; a file of SQLite is only opened where it exists, and never made by a connection.

    The path crosses to SQLite as a URI, in which nothing of it has a meaning of its own
    (https://sqlite.org/uri.html).
    """
    if sqlite_file(url) is None or url.query.get("uri"):
        return url
    path = quote(os.fsencode(Path(url.database or "").absolute()))
    return url.set(database=f"{_FILE}{path}").update_query_dict({"uri": "true", "mode": "rw"})


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database; None for another database and one in memory."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    if url.query.get("uri"):
        return Path(os.fsdecode(unquote_to_bytes(url.database.removeprefix(_FILE))))
    return Path(url.database)


def make_file(path: Path) -> None:
    """An empty file of mode 0600 for SQLite, if there is none. SQLite itself would follow the umask; files
    beside it get the mode of this one.

    Raises:
        PermissionsError: the folder belongs to another account.
    """
    if path.exists():
        return
    with suppress(OSError):  # SQLite then says what is wrong
        require_owner(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))
