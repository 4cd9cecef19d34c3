"""`heqiao peers alerts` and `resume-sums`: peers that take single people several times in a sum."""

from pathlib import Path

import click

from node.cli.approvals import guard
from node.cli.options import admin_option, count, home_option, json_option, load_config, read_config, show
from node.cli.terminal import print_table
from node.clock import utc_now
from node.governance import sum_alerts


@click.command()
@home_option
@json_option
def alerts(home: Path, as_json: bool) -> None:
    """List alerts about the sums of peers.

    An alert is a sum in which single people were counted several times: no honest node asks for one. Three
    within a year suspend the sums of a peer until `heqiao peers resume-sums`.
    """
    found, suspended = sum_alerts.list_alerts(read_config(home))
    if as_json:
        rows = [
            {
                "peer": one.peer,
                "query": one.query_id.hex(),
                "item": one.item,
                "rule": one.rule,
                "at": one.at.isoformat(),
                "lifted_at": one.lifted_at and one.lifted_at.isoformat(),
            }
            for one in found
        ]
        show({"alerts": rows, "suspended": suspended}, "", as_json=True)
        return
    lines = [
        (
            one.peer,
            f"{one.at:%Y-%m-%d %H:%M} UTC",
            one.item,
            one.rule,
            f"{one.lifted_at:%Y-%m-%d %H:%M} UTC" if one.lifted_at else "no",
        )
        for one in found
    ]
    print_table(("peer", "at", "item", "rule", "lifted"), lines)
    if suspended:
        click.echo(f"sums are suspended for: {', '.join(suspended)}")


@click.command("resume-sums")
@home_option
@json_option
@click.argument("code")
@admin_option
def resume_sums(home: Path, as_json: bool, code: str, admin: Path | None) -> None:
    """Let a peer ask for sums again.

    CODE is the peer's province code. Its alerts stay listed and count no more. Speak with its administrators
    first: an alert is no accident.
    """
    config = load_config(home)
    guard(config, admin, "peers resume-sums", {"peer": code})
    lifted = sum_alerts.resume_sums(config, code, utc_now())
    text = f"peer {code} may ask for sums again; {count(lifted, 'alert')} lifted"
    show({"peer": code, "lifted": lifted}, text, as_json=as_json)
