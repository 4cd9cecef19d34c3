"""The connection of a command to its own node, where it says so in the name of a person (`heqiao --as`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from keys.store.atomic_files import read_passphrase
from node.client.people import People
from node.client.platform import Platform

ACCOUNT, PASSWORD_FILE, OWN_WORK = (
    "account",
    "password_file",
    "own_work",
)  # keys of the object of the root command's context


@contextmanager
def open_platform(home: Path, address: str | None) -> Iterator[Platform]:
    """`Platform.open`; with `--as` the person signs in first, and out at the end.

    Raises what `Platform.open` does, and SignInError.
    """
    account, file = named_account(click.get_current_context())
    with Platform.open(home, address) as platform:
        if not account:
            yield platform
            return
        begun = People(platform).sign_in(account, ask_password(file))
        token, _ = People(platform).finish(begun.token, ask_code())
        named = platform.as_person(token)
        try:
            yield named
        finally:
            People(named).sign_out()


def named_account(context: click.Context) -> tuple[str, Path | None]:
    """The account of `--as`, empty where there is none, and the file of its password."""
    given = context.find_root().obj or {}
    return given.get(ACCOUNT) or "", given.get(PASSWORD_FILE)


def ask_password(file: Path | None) -> str:
    """A password from a private file, or typed without being shown."""
    if file is not None:
        return read_passphrase(file).decode()
    return str(click.prompt("Password", hide_input=True, err=True))


def ask_code() -> str:
    """The code of the second factor, typed."""
    return str(click.prompt("Code of your second factor", err=True)).strip()
