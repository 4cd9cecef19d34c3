"""`heqiao watch alerts`: changes that met a threshold, for a person to look at."""

from pathlib import Path

import click

from node.cli.node_link import open_platform
from node.cli.options import address_option, count, home_option, json_option, lang_option, show
from node.cli.terminal import print_table
from node.client.watches import Watches
from node.domain.alerts import MOST_NOTE, Alert
from node.errors import NotFoundError
from node.reports.alerts import ALERT_COLUMNS, alert_row, plain_alert
from node.wire.watch import MOST_LISTED


@click.group()
def alerts() -> None:
    """List, show and acknowledge alerts. An alert decides nothing about a person."""


@alerts.command("list")
@home_option
@json_option
@address_option
@lang_option
@click.option("--watch", "watch", default="", metavar="ID", help="Only those of one list.")
@click.option("--all", "every", is_flag=True, help="Also those that were acknowledged.")
@click.option(
    "--after", default=0, type=click.IntRange(0), metavar="NUMBER", help="Only those behind a number."
)
def list_(
    home: Path, as_json: bool, address: str | None, lang: str, watch: str, every: bool, after: int
) -> None:
    """List alerts, oldest first. People are named by the list's references."""
    with open_platform(home, address) as platform:
        found = Watches(platform).alerts(watch, after, MOST_LISTED, open_only=not every)
    if as_json:
        show({"alerts": [plain_alert(one) for one in found]}, "", as_json=True)
        return
    print_table(ALERT_COLUMNS, [alert_row(one, lang) for one in found])


@alerts.command("show")
@home_option
@json_option
@address_option
@lang_option
@click.argument("alert")
def show_(home: Path, as_json: bool, address: str | None, lang: str, alert: str) -> None:
    """Show one alert with its note. Names and identity numbers are not shown."""
    with open_platform(home, address) as platform:
        found = _find(Watches(platform), alert)
    if as_json:
        show(plain_alert(found), "", as_json=True)
        return
    print_table(ALERT_COLUMNS, [alert_row(found, lang)])
    click.echo("只提示变化、不作认定" if lang == "zh" else "It states a change and decides nothing.")
    if found.note:
        show({}, f"{found.acknowledged_by}: {found.note}", as_json=False)


@alerts.command()
@home_option
@json_option
@address_option
@click.argument("alerts", nargs=-1, required=True, metavar="ALERTS")
@click.option("--note", default="", metavar="TEXT", help=f"What was done; at most {MOST_NOTE} characters.")
def acknowledge(home: Path, as_json: bool, address: str | None, alerts: tuple[str, ...], note: str) -> None:
    """Note that a person has looked at alerts.

    Before help is reduced or ended the person is heard (Social Assistance Act, article 48): an alert never
    does that, and neither does acknowledging it.
    """
    with open_platform(home, address) as platform:
        done = Watches(platform).acknowledge(alerts, note)
    text = f"{count(done, 'alert')} acknowledged, {len(set(alerts)) - done} before"
    show({"acknowledged": done}, text, as_json=as_json)


def _find(watches: Watches, alert: str) -> Alert:
    after = 0
    while True:
        page = watches.alerts(after=after, limit=MOST_LISTED)
        for one in page:
            if one.id == alert:
                return one
        if len(page) < MOST_LISTED:
            raise NotFoundError("there is no such alert", "see `heqiao watch alerts list --all`")
        after = page[-1].seq
