"""`heqiao watch`: registered people who are looked at again, and the alerts that come of it."""

from pathlib import Path

import click

from node.cli.asking import watch_job
from node.cli.drafts import hand_over, require_person
from node.cli.node_link import open_platform
from node.cli.options import (
    address_option,
    approval_option,
    count,
    home_option,
    json_option,
    read_config,
    show,
    split_codes,
    stated_form,
    text_options,
)
from node.cli.terminal import print_table
from node.cli.verify import read_lists
from node.cli.watch_alerts import alerts
from node.cli.watch_thresholds import thresholds
from node.client.records import HouseholdChoice
from node.client.watches import Watches
from node.domain.job_progress import JobProgress
from node.domain.jobs import WATCH
from node.domain.mandate import MONITORING
from node.federation.catalogue_file import load_catalogue
from node.reports.alerts import WATCH_COLUMNS, plain_watch, watch_rows
from node.tabular import fields


@click.group()
def watch() -> None:
    """Look again at registered people, and read alerts."""


watch.add_command(alerts)
watch.add_command(thresholds)


@watch.command()
@home_option
@json_option
@click.argument("watch", metavar="ID")
@click.option(
    "--households",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The list: one row per person, with household, member and mandate number (CSV).",
)
@click.option(
    "--mandates",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The mandates that the list names (CSV).  [default: mandates.csv beside it]",
)
@click.option("--items", required=True, metavar="CODES", callback=split_codes, help="Items such as C21,C22.")
@click.option(
    "--peers", required=True, metavar="CODES", callback=split_codes, help="Provinces such as 44,33."
)
@click.option(
    "--legal-basis", default="SA-2026-46", show_default=True, metavar="CODE", help="Code of the legal basis."
)
@click.option("--rejects", type=click.Path(path_type=Path, dir_okay=False),
              help="File for the rows that cannot be used (CSV).")  # fmt: skip
@click.option("--detach", is_flag=True, help="Do not wait for the first look.")
@approval_option
@text_options
@address_option
def add(
    home: Path,
    as_json: bool,
    watch: str,
    households: Path,
    mandates: Path | None,
    items: tuple[str, ...],
    peers: tuple[str, ...],
    legal_basis: str,
    rejects: Path | None,
    detach: bool,
    for_approval: bool,
    delimiter: str | None,
    encoding: str | None,
    address: str | None,
) -> None:
    """Add a list of registered people, and look at them once.

    ID is a name of your choice, such as county-4501. The lists are those of `heqiao verify`; each mandate
    must cover monitoring (programme monitoring or *). The first look asks the peers, with purpose monitoring
    and the day until which tokens are kept; later ones open this node's mirrors.
    """
    if for_approval:
        require_person()
    catalogue = load_catalogue(read_config(home))
    form = stated_form(delimiter, encoding)
    request, bad = read_lists(
        households, mandates, HouseholdChoice(items, peers, MONITORING, legal_basis), form
    )
    for item in request.items:
        catalogue.item(item)
    if bad and rejects is not None:
        fields.write_rejects(rejects, bad)
    if bad:
        click.echo(f"{count(len(bad), 'row')} of the lists cannot be used", err=True)
    with open_platform(home, address) as platform:
        if for_approval:
            hand_over(platform, WATCH, watch, request, as_json=as_json)
            return
        is_new, job = Watches(platform).add(watch, request)
        last = watch_job(platform, job, hidden=as_json) if job and not detach else None
    people = len(request.subjects)
    text = f"watch list {watch}: {count(people, 'person', 'people')}" + ("" if is_new else ", as before")
    text += f"\n{_describe(last)}" if last else ""
    result = {"watch": watch, "new": is_new, "people": people, "job": job, "rejected_rows": len(bad)}
    show({**result, "state": last.state if last else ""}, text, as_json=as_json)
    _require_done(last)


@watch.command()
@home_option
@json_option
@address_option
@click.argument("watch", metavar="ID")
@click.option("--peers", metavar="CODES", callback=lambda c, o, t: split_codes(c, o, t) if t else (),
              help="Some of the list's provinces.  [default: all]")  # fmt: skip
@click.option("--detach", is_flag=True, help="Print the job's id and exit.")
def run(
    home: Path, as_json: bool, address: str | None, watch: str, peers: tuple[str, ...], detach: bool
) -> None:
    """Look at a list now.

    A running node does it by itself whenever a mirror has a new version. Exits 1 where a peer could not be
    looked at.
    """
    with open_platform(home, address) as platform:
        watches = Watches(platform)
        job = watches.run(watch, peers)
        last = None if detach else watch_job(platform, job, hidden=as_json)
        found = watches.list(watch)[0]
    text = f"job {job}" if last is None else _describe(last)
    text += f"\n{count(found.open_alerts, 'open alert')}; see `heqiao watch alerts list`"
    result = {"job": job, "state": last.state if last else "", "open_alerts": found.open_alerts}
    show(result, text, as_json=as_json)
    _require_done(last)


@watch.command("list")
@home_option
@json_option
@address_option
def list_(home: Path, as_json: bool, address: str | None) -> None:
    """List the watch lists with their last look at each peer."""
    with open_platform(home, address) as platform:
        found = Watches(platform).list()
    if as_json:
        show({"watches": [plain_watch(one) for one in found]}, "", as_json=True)
        return
    print_table(WATCH_COLUMNS, [row for one in found for row in watch_rows(one)])


@watch.command("show")
@home_option
@json_option
@address_option
@click.argument("watch", metavar="ID")
def show_(home: Path, as_json: bool, address: str | None, watch: str) -> None:
    """Show one list: its looks, and until when tokens are kept."""
    with open_platform(home, address) as platform:
        (found,) = Watches(platform).list(watch)
    if as_json:
        show(plain_watch(found), "", as_json=True)
        return
    print_table(WATCH_COLUMNS, watch_rows(found))
    click.echo(f"{count(found.open_alerts, 'open alert')}; see `heqiao watch alerts list`")


@watch.command()
@home_option
@json_option
@address_option
@click.argument("watch", metavar="ID")
@click.argument("people", nargs=-1, metavar="[PEOPLE]")
def remove(home: Path, as_json: bool, address: str | None, watch: str, people: tuple[str, ...]) -> None:
    """Remove people from a list, or the whole list.

    PEOPLE are references of the list (household/member). Their tokens, last answers and alerts are erased at
    once.
    """
    with open_platform(home, address) as platform:
        removed = Watches(platform).remove(watch, people)
    text = f"{count(removed, 'person', 'people')} removed from {watch}"
    show({"watch": watch, "removed": removed}, text, as_json=as_json)


def _describe(job: JobProgress) -> str:
    parts = "; ".join(
        f"{part.peer}: {part.state}" + (f" ({part.reason})" if part.reason else "") for part in job.parts
    )
    return f"job {job.job_id}: {job.state}; {parts}"


def _require_done(job: JobProgress | None) -> None:
    if job is not None and (job.state != "done" or any(part.state != "done" for part in job.parts)):
        raise click.exceptions.Exit(1)
