"""Fingerprints that a person must give: typed at the terminal, or by an option."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from keys.errors import EnrolmentError
from keys.pki.fingerprints import read_fingerprint
from node.errors import InputError
from node.telemetry.printable import printable

Command = TypeVar("Command", bound=Callable[..., Any])


def fingerprint_option(whose: str, name: str = "--fingerprint") -> Callable[[Command], Command]:
    """Give a command the parameter `fingerprint: str | None`, of a file's content as its sender gave it."""
    help_ = f"Fingerprint of {whose}, as its sender gave it over another channel.  [default: asked for]"
    return click.option(name, "fingerprint", metavar="DIGITS", help=help_)


def compare(what: str, actual: str, given: str | None, option: str = "--fingerprint") -> None:
    """Return only where a person gave the fingerprint of a file, and say so before anything is written.

    Without `given` it is asked for at the terminal. The actual one is not shown before: it could be copied.

    Raises:
        InputError: none was given and there is no terminal to ask at, or what was given is no fingerprint.
        EnrolmentError: it is another one.
    """
    if given is None:
        given = _ask(what, option)
    try:
        expected = read_fingerprint(given)
    except ValueError as error:
        raise InputError(f"{option}: {error}", "give it as the command of its sender printed it") from None
    if expected != actual:
        raise EnrolmentError(
            f"{what} has another fingerprint than the one given",
            "nothing was changed; do not use this file: ask its sender for it over another channel",
        )
    click.echo(printable(f"{what}: fingerprint {actual} is the one given"), err=True)


def _ask(what: str, option: str) -> str:
    if not (sys.stdin and sys.stdin.isatty()):  # none in a service
        raise InputError(
            f"{what}: its fingerprint is needed",
            f"ask its sender for it over another channel, by telephone, and give it with `{option}`",
        )
    return str(click.prompt(f"Fingerprint of {what}, as its sender reads it to you", err=True))
