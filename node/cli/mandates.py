"""`heqiao mandates`: authorisations on record, and citizens who withdraw them (docs/mandates.md)."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from keys.store.atomic_files import PRIVATE, write_new
from node.cli.node_link import open_platform
from node.cli.options import (
    address_option,
    count,
    home_option,
    json_option,
    read_config,
    read_day_option,
    show,
    split_codes,
    stated_form,
    text_options,
)
from node.cli.record_rejects import as_rejects, form_rejects, refuse_rejects, rejects_option
from node.cli.terminal import print_table
from node.client.records import HouseholdChoice, OpenUrgentCheck, RecordedMandate, Records
from node.clock import utc_now
from node.domain.days import china_day
from node.domain.mandate import PROGRAMMES
from node.domain.mandate_numbers import MAX_SEQUENCE, make_number
from node.domain.mandate_words import reason_text
from node.domain.matters import MATTERS, URGENT_BASIS, is_matter
from node.domain.stored_mandates import END_REASONS, to_plain
from node.errors import InputError
from node.files import disk_errors
from node.tabular.delimited import clean
from node.tabular.person_lists import read_revoked
from node.tabular.record_lists import read_mandate_records

_list_type = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def mandates() -> None:
    """Manage the mandates on record; revoke mandates.

    No mandate, no query: the node keeps the signed forms (授权书) of households on record, and says of each
    person why nobody is asked about them. docs/mandates.md has the columns of lists, and the reasons.
    """


@mandates.command()
@home_option
@json_option
@address_option
@text_options
@click.argument("source", metavar="LIST", type=_list_type)
@click.option("--forms", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Folder with the scanned forms that the list names in form_file.")  # fmt: skip
@rejects_option
def add(
    home: Path,
    as_json: bool,
    address: str | None,
    delimiter: str | None,
    encoding: str | None,
    source: Path,
    forms: Path | None,
    rejects: Path | None,
) -> None:
    """Put the mandates of a LIST on record.

    LIST is CSV, a spreadsheet or JSON. All of its mandates are stored, or none; the same list again changes
    nothing. Urgent checks of people whom they name are closed.
    """
    listed = read_mandate_records(source, stated_form(delimiter, encoding))
    scans = listed.files if forms is not None else {}
    folder, most = forms or source.parent, read_config(home).mandates.form_kib
    bad = listed.rejects + form_rejects(source, listed, scans, folder, most)
    refuse_rejects(bad, source.parent, "no mandate was stored", rejects)
    with open_platform(home, address) as platform:
        records = Records(platform)
        done = records.add_mandates(listed.mandates)
        refused = as_rejects(done.faults, source, listed.lines)
        refuse_rejects(refused, source.parent, "no mandate was stored", rejects)
        with disk_errors("the mandates are stored; run the command again for the forms that are missing"):
            for number, name in scans.items():
                records.add_form(number, (folder / name).read_bytes())
    left = len(listed.files) - len(scans)
    if left:
        click.echo(
            f"warning: {count(left, 'scanned form')} not stored: give their folder with --forms", err=True
        )
    text = f"{count(done.added, 'mandate')} added, {done.known:,} on record before"
    text += f", {count(len(scans), 'scanned form')}" if scans else ""
    text += f"; {count(done.urgent_closed, 'urgent check')} closed" if done.urgent_closed else ""
    result = {
        "added": done.added,
        "known": done.known,
        "forms": len(scans),
        "forms_not_stored": left,
        "urgent_closed": done.urgent_closed,
    }
    show(result, text, as_json=as_json)


@mandates.command()
@json_option
@click.argument("county")
@click.option("--matter", required=True, metavar="CODE", help=f"What is applied for: {', '.join(MATTERS)}.")
@click.option("--day", callback=read_day_option, metavar="DAY",
              help="Day of signing, as 2026-06-30.  [default: today in China]")  # fmt: skip
@click.option("--first", type=click.IntRange(1, MAX_SEQUENCE), default=1, show_default=True,
              help="Sequence number of the first form of the day.")  # fmt: skip
@click.option("--count", "amount", type=click.IntRange(1, 10_000), default=1, show_default=True,
              help="How many numbers.")  # fmt: skip
def number(as_json: bool, county: str, matter: str, day: date | None, first: int, amount: int) -> None:
    """Make numbers for new forms.

    COUNTY is the county's code, 6 digits. The last character of a number is a check character, so that a
    mistyped number is found. No node is needed: --first says where the day's sequence continues.

    \b
    heqiao mandates number 450103 --matter 01 --first 8 --count 3
    """  # noqa: D301 - click wants the real \b character
    if not is_matter(matter):
        raise click.UsageError(
            "the matter is not one of those of docs/mandates.md", click.get_current_context()
        )
    signed = day or china_day(utc_now())
    try:
        numbers = [make_number(county, signed, matter, each) for each in range(first, first + amount)]
    except ValueError as error:
        raise click.UsageError(str(error), click.get_current_context()) from None
    show({"numbers": numbers}, "\n".join(numbers), as_json=as_json)


@mandates.command("list")
@home_option
@json_option
@address_option
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="At most so many."
)
def list_(home: Path, as_json: bool, address: str | None, limit: int) -> None:
    """List mandates, and urgent checks whose mandate has not come."""
    with open_platform(home, address) as platform:
        found, urgent = Records(platform).mandates(limit)
    if as_json:
        plain = [_plain(one) for one in found]
        show({"mandates": plain, "urgent": [_plain_urgent(one) for one in urgent]}, "", as_json=True)
        return
    print_table(
        ("mandate", "household", "office", "from", "until", "matter", "state", "form"),
        [tuple(map(str, _row(one))) for one in found],
    )
    if urgent:
        click.echo("")
        rows = [
            (one.job, one.ref, one.due_on.isoformat(), "OVERDUE" if one.overdue else "") for one in urgent
        ]
        print_table(("urgent check", "person", "mandate due", ""), rows)


def _row(one: RecordedMandate) -> tuple[object, ...]:
    mandate = one.stored.mandate
    return (
        mandate.number,
        one.stored.household_no,
        mandate.office,
        mandate.valid_from,
        mandate.valid_to or mandate.event,
        mandate.matter,
        one.state or "in force",
        "yes" if one.has_form else "",
    )


def _plain(one: RecordedMandate) -> dict[str, Any]:
    plain = to_plain(one.stored)
    signed = bool(plain.pop("signature"))
    del plain["certificate"]
    return {
        **plain,
        "signed_by_office": signed,
        "owner": one.owner,
        "added_at": one.added_at.isoformat(),
        "ended_at": one.ended_at.isoformat() if one.ended_at else "",
        "state": one.state,
        "has_form": one.has_form,
    }


def _plain_urgent(one: OpenUrgentCheck) -> dict[str, object]:
    return {
        "job": one.job,
        "ref": one.ref,
        "owner": one.owner,
        "opened_at": one.opened_at.isoformat(),
        "due_on": one.due_on.isoformat(),
        "overdue": one.overdue,
    }


@mandates.command("show")
@home_option
@json_option
@address_option
@click.argument("number")
@click.option("--full", is_flag=True, help="Names and numbers in full; the audit chain notes it.")
@click.option("--form", type=click.Path(path_type=Path, dir_okay=False),
              help="Write the scanned form to this new file; the audit chain notes it.")  # fmt: skip
def show_(home: Path, as_json: bool, address: str | None, number: str, full: bool, form: Path | None) -> None:
    """Show one mandate; its people are masked.

    NUMBER is that of the form. Only --full shows names and identity numbers.
    """
    with open_platform(home, address) as platform:
        records = Records(platform)
        found = records.mandate(clean(number), full=full)
        if form is not None:
            with disk_errors("name a file that does not exist yet"):
                write_new(form, records.form(clean(number)), PRIVATE)
    plain = _plain(found)
    lines = [
        f"{key.replace('_', ' ')}: {_text(value)}" for key, value in plain.items() if value not in ("", [])
    ]
    show(plain, "\n".join(lines), as_json=as_json)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@mandates.command()
@home_option
@json_option
@address_option
@click.option(
    "--household", "numbers", multiple=True, metavar="NO", help="A household on record; repeatable."
)
@click.option(
    "--all-of-office", "office", default="", metavar="CODE", help="All of offices whose code begins so."
)
@click.option("--items", required=True, metavar="CODES", callback=split_codes, help="Items such as C21,C22.")
@click.option(
    "--peers", required=True, metavar="CODES", callback=split_codes, help="Provinces such as 44,33."
)
@click.option("--purpose", type=click.Choice(PROGRAMMES), default="new_application", show_default=True,
              metavar="CODE", help=f"Why: {', '.join(PROGRAMMES)}.")  # fmt: skip
@click.option("--matter", default="", metavar="CODE", help=f"What is applied for: {', '.join(MATTERS)}.")
@click.option("--urgent", is_flag=True, help="As for an urgent check, in which the mandate may follow.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of reasons.")
def check(
    home: Path,
    as_json: bool,
    address: str | None,
    numbers: tuple[str, ...],
    office: str,
    items: tuple[str, ...],
    peers: tuple[str, ...],
    purpose: str,
    matter: str,
    urgent: bool,
    lang: str,
) -> None:
    """Check who of households on record may be asked about.

    Asks nobody. Exits 1 where anybody may not be asked about, with the reason for each person.
    """
    basis = URGENT_BASIS if urgent else ""
    choice = HouseholdChoice(items, peers, purpose, basis, tuple(map(clean, numbers)), office, matter, urgent)
    with open_platform(home, address) as platform:
        people, missing = Records(platform).check(choice)
    if as_json:
        rows = [
            {
                "ref": one.ref,
                "item": one.item,
                "region": one.region,
                "reason": one.reason,
                "zh": reason_text(one.reason, "zh"),
                "en": reason_text(one.reason, "en"),
            }
            for one in missing
        ]
        show({"people": people, "not_asked": rows}, "", as_json=True)
    else:
        if missing:
            print_table(
                ("person", "item", "province", "reason", ""),
                [
                    (one.ref, one.item or "*", one.region or "*", one.reason, reason_text(one.reason, lang))
                    for one in missing
                ],
            )
        whole = len({one.ref for one in missing if not one.item})
        click.echo(f"{count(people, 'person', 'people')}, {whole:,} not to be asked about")
    if missing:
        raise click.exceptions.Exit(1)


@mandates.command()
@home_option
@json_option
@address_option
@click.argument("numbers", nargs=-1, metavar="[NUMBERS]")
@click.option("--list", "source", type=_list_type,
              help="A list with the numbers in a column mandate_no (CSV, spreadsheet, JSON).")  # fmt: skip
@click.option("--reason", type=click.Choice(END_REASONS), default="withdrawn", show_default=True,
metavar="CODE",
              help=f"Why: {', '.join(END_REASONS)}.")  # fmt: skip
@rejects_option
def revoke(
    home: Path,
    as_json: bool,
    address: str | None,
    numbers: tuple[str, ...],
    source: Path | None,
    reason: str,
    rejects: Path | None,
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
        found, bad = read_revoked(source)
        refuse_rejects(bad, source.parent, "no mandate was revoked", rejects)
        given += found
    if not given:
        raise InputError("no mandate is named", "give its number, or a file of numbers with --list")
    unique = list(dict.fromkeys(given))
    with open_platform(home, address) as platform:
        revoked = Records(platform).end_mandates(unique, reason)
    known = len(unique) - revoked
    text = f"{count(revoked, 'mandate')} revoked" + (f", {known:,} already revoked before" if known else "")
    show({"revoked": revoked, "known": known}, text, as_json=as_json)
