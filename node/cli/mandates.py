"""`heqiao mandates`: citizens who withdraw their authorisation."""

from pathlib import Path

import click

from node.cli.options import address_option, count, home_option, json_option, show
from node.client.platform import Platform
from node.errors import InputError
from node.tabular.delimited import clean
from node.tabular.person_lists import read_revoked


@click.group()
def mandates() -> None:
    """Revoke mandates."""


@mandates.command()
@home_option
@json_option
@address_option
@click.argument("numbers", nargs=-1, metavar="[NUMBERS]")
@click.option(
    "--list",
    "source",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A CSV file with the numbers, in a column mandate_no.",
)
def revoke(
    home: Path, as_json: bool, address: str | None, numbers: tuple[str, ...], source: Path | None
) -> None:
    """Revoke mandates by their NUMBERS, for good.

    Every part of a job that begins from now on says NOT_MANDATED (revoked) about people under them, whatever
    a list says; a part that is interrupted begins again without them. What was answered before stays in its
    report. Audited, with counts only.

    \b
    heqiao mandates revoke --home 45 4503012026070101000019
    """  # noqa: D301 - click wants the real \b character
    given = [clean(number) for number in numbers]
    if source is not None:
        found, rejects = read_revoked(source)
        if rejects:
            first = rejects[0]
            raise InputError(
                f"{first.file}: line {first.line}, {first.column}: {first.message}",
                f"correct {count(len(rejects), 'row')}; no mandate was revoked",
            )
        given += found
    if not given:
        raise InputError("no mandate is named", "give its number, or a file of numbers with --list")
    unique = list(dict.fromkeys(given))
    with Platform.open(home, address) as platform:
        revoked = platform.revoke_mandates(unique)
    known = len(unique) - revoked
    text = f"{count(revoked, 'mandate')} revoked" + (f", {known:,} already revoked before" if known else "")
    show({"revoked": revoked, "known": known}, text, as_json=as_json)
