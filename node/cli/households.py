"""`heqiao households`: who lives together and who has a duty of support, on record (docs/mandates.md)."""

from datetime import date
from pathlib import Path

import click

from node.cli.node_link import open_platform
from node.cli.options import (
    address_option,
    count,
    home_option,
    json_option,
    read_day_option,
    show,
    stated_form,
    text_options,
)
from node.cli.record_rejects import as_rejects, refuse_rejects, rejects_option
from node.cli.terminal import print_table
from node.client.records import RecordedHousehold, Records
from node.domain.days import china_day
from node.domain.households import to_plain
from node.tabular.delimited import clean
from node.tabular.record_lists import read_household_records

_list_type = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def households() -> None:
    """Manage the households on record.

    Members live together and all sign; relatives with a duty of support live elsewhere, perhaps in another
    province, and are asked about only by their own consent. Names and numbers are shown masked.
    """


@households.command()
@home_option
@json_option
@address_option
@text_options
@click.argument("source", metavar="LIST", type=_list_type)
@rejects_option
def add(
    home: Path,
    as_json: bool,
    address: str | None,
    delimiter: str | None,
    encoding: str | None,
    source: Path,
    rejects: Path | None,
) -> None:
    """Put the households of a LIST on record.

    LIST is CSV, a spreadsheet or JSON, one row a person. All households are stored, or none; the same list
    again changes nothing.
    """
    _put(home, address, source, rejects, (delimiter, encoding), None, as_json=as_json, replace=False)


@households.command()
@home_option
@json_option
@address_option
@text_options
@click.argument("source", metavar="LIST", type=_list_type)
@click.option("--on", "day", callback=read_day_option, metavar="DAY",
              help="Since when the members are these, as 2026-06-30.  [default: today]")  # fmt: skip
@rejects_option
def change(
    home: Path,
    as_json: bool,
    address: str | None,
    delimiter: str | None,
    encoding: str | None,
    source: Path,
    day: date | None,
    rejects: Path | None,
) -> None:
    """Replace households on record by those of a LIST.

    Where other people are members now, mandates whose wording says so must be signed again.
    """
    _put(home, address, source, rejects, (delimiter, encoding), day, as_json=as_json, replace=True)


def _put(
    home: Path,
    address: str | None,
    source: Path,
    rejects: Path | None,
    form: tuple[str | None, str | None],
    day: date | None,
    *,
    as_json: bool,
    replace: bool,
) -> None:
    found, bad, lines = read_household_records(source, stated_form(*form))
    refuse_rejects(bad, source.parent, "no household was stored", rejects)
    with open_platform(home, address) as platform:
        done = Records(platform).put_households(found, replace=replace, changed_on=day)
    refuse_rejects(as_rejects(done.faults, source, lines), source.parent, "no household was stored", rejects)
    result = {"added": done.added, "changed": done.changed, "known": done.known}
    text = f"{count(done.added, 'household')} added, {done.changed:,} changed, {done.known:,} as they were"
    show(result, text, as_json=as_json)


@households.command("list")
@home_option
@json_option
@address_option
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="At most so many."
)
@click.option("--office", default="", metavar="CODE", help="Only those of offices whose code begins so.")
def list_(home: Path, as_json: bool, address: str | None, limit: int, office: str) -> None:
    """List households, the last changed first."""
    with open_platform(home, address) as platform:
        found = Records(platform).households(limit, office)
    if as_json:
        show({"households": [_plain(one) for one in found]}, "", as_json=True)
        return
    rows = [
        (
            one.household.number,
            one.household.application_no,
            one.household.office,
            str(len(one.household.members)),
            str(len(one.household.relatives)),
            china_day(one.changed_at).isoformat(),
        )
        for one in found
    ]
    print_table(("household", "application", "office", "members", "relatives", "changed"), rows)


@households.command("show")
@home_option
@json_option
@address_option
@click.argument("number")
@click.option("--full", is_flag=True, help="Names and numbers in full; the audit chain notes it.")
def show_(home: Path, as_json: bool, address: str | None, number: str, full: bool) -> None:
    """Show one household; its people are masked.

    NUMBER is that of the household. Only --full shows names and identity numbers.
    """
    with open_platform(home, address) as platform:
        found = Records(platform).household(clean(number), full=full)
    if as_json:
        show(_plain(found), "", as_json=True)
        return
    household = found.household
    click.echo(f"{household.number}: application {household.application_no}, office {household.office}")
    print_table(
        ("member", "role", "relation", "name", "numbers", "province", "guardian"),
        [
            (
                one.member_no,
                one.role,
                one.relation,
                one.name,
                ", ".join(each.value for each in one.identities),
                one.province,
                one.guardian,
            )
            for one in household.people
        ],
    )


@households.command()
@home_option
@json_option
@address_option
@click.argument("number")
@click.option("--confirm", is_flag=True, help="Really remove it.")
def remove(home: Path, as_json: bool, address: str | None, number: str, confirm: bool) -> None:
    """Remove a household by its NUMBER.

    Mandates of it stay on record and permit nothing any more.
    """
    if not confirm:
        raise click.UsageError("removing a household needs --confirm", click.get_current_context())
    with open_platform(home, address) as platform:
        Records(platform).remove_household(clean(number))
    show({"removed": 1}, "1 household removed", as_json=as_json)


def _plain(one: RecordedHousehold) -> dict[str, object]:
    return {
        **to_plain(one.household),
        "owner": one.owner,
        "version": one.version,
        "added_at": one.added_at.isoformat(),
        "changed_at": one.changed_at.isoformat(),
    }
