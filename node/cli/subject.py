"""`heqiao subject`: what this node asked about one person, for that person."""

import sys
from pathlib import Path
from typing import IO

import click

from matcher.errors import IdentityError
from matcher.types import Identity
from node.cli.node_link import open_platform
from node.cli.options import address_option, home_option, json_option, json_text, lang_option, read_config
from node.client.records import Records
from node.domain.households import parse_numbers
from node.errors import InputError
from node.federation.catalogue_file import load_catalogue
from node.reports.subject import to_json, to_text
from node.telemetry.printable import printable

_LONGEST = 4_096  # characters of a file with one person's numbers


@click.group()
def subject() -> None:
    """Tell one person what was asked about them.

    Personal Information Protection Law, article 45: a person may ask what is done with their data.
    """


@subject.command()
@home_option
@json_option
@address_option
@lang_option
@click.option(
    "--number-file",
    "source",
    type=click.File("r", encoding="utf-8-sig"),
    help="File with the person's numbers, current and former, one a line; - for standard input. Without it "
    "the "
    "number is asked for and not shown.",
)
def report(home: Path, as_json: bool, address: str | None, lang: str, source: IO[str] | None) -> None:
    """Report everything that this node asked about one person.

    By whom, when, why, under which law, of which provinces and items, with which outcomes; mandates and
    households on record. A number is never given on the command line, where others could read it. The audit
    chain notes the report, without the number.
    """
    identities = _read_identities(source)
    catalogue = load_catalogue(read_config(home))
    with open_platform(home, address) as platform:
        found = Records(platform).report_subject(identities)
    if as_json:
        click.echo(json_text(to_json(found)))
        return
    click.echo(printable(to_text(found, catalogue, lang)))


def _read_identities(source: IO[str] | None) -> tuple[Identity, ...]:
    """The person's numbers. Raises InputError, which never repeats them."""
    if source is None:
        if not sys.stdin.isatty():
            raise InputError("no number is given", "name a file with --number-file, or - for standard input")
        text = click.prompt("number of the person", hide_input=True, type=str)
    else:
        try:
            text = source.read(_LONGEST + 1)
        except UnicodeDecodeError:
            raise InputError("the file is not text in UTF-8", "write one number a line") from None
    if len(text) > _LONGEST:
        raise InputError("the file holds more than one person's numbers", "one person at a time")
    try:
        return parse_numbers(tuple(line for line in text.split() if line))
    except IdentityError as error:
        raise InputError(str(error), "write the number as the card has it, one a line") from None
