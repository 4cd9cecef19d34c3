"""`heqiao counties`: what an address code is, and was."""

from datetime import datetime

import click

from node.cli.options import json_option, show
from node.domain import counties as codes
from node.domain.counties import County
from node.errors import InputError


@click.command()
@json_option
@click.argument("code")
@click.option(
    "--on",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Only what it meant in the year of this day, such as a date of birth.",
)
def counties(code: str, *, day: datetime | None, as_json: bool) -> None:
    """Show what a county's CODE means, and has meant since 1980.

    CODE has six digits, of a province two, of a city four. An identity number begins with the code of the
    place where the number was first given, which says nothing about where a person lives. Exits 1 for a code
    that was in no list (of that year).

    \b
    heqiao counties 510212
    """  # noqa: D301 - click wants the real \b character
    code = codes.check_code(code)
    year = day.year if day else None
    found = codes.history(code) if year is None else codes.in_year(code, year)
    result = {
        "code": code,
        "province": codes.province(code),
        "city": codes.city(code),
        "periods": [{"name": one.name, "first_year": one.first, "last_year": one.last} for one in found],
    }
    if not found and not as_json:
        when = f"in {year}" if year else f"since {codes.FIRST_YEAR}"
        raise InputError(
            f"{code} was in no list {when}", "try its first four digits, which are those of the city"
        )
    show(result, "\n".join(_line(one) for one in found), as_json=as_json)
    if not found:
        raise click.exceptions.Exit(1)


def _line(one: County) -> str:
    names = dict.fromkeys((codes.province(one.code), codes.city(one.code), one.name))
    since = f"{one.first}" if one.first else f"{codes.FIRST_YEAR} or before"
    return f"{one.code} {' '.join(filter(None, names))}: {since} to {one.last or 'now'}"
