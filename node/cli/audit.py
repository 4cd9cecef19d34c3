"""`heqiao audit`: read and check the chain of what this node did."""

import json
from pathlib import Path

import click

from node.cli.options import home_option, json_option, json_text, read_config, show
from node.governance.audit import check_chain, read_events


@click.group()
def audit() -> None:
    """Read and verify the audit chain.

    Every query and every change is an event that carries the digest of the event before it.
    """


@audit.command("list")
@home_option
@click.option(
    "--after", type=click.IntRange(min=0), default=0, show_default=True, help="Only events after this number."
)
def list_(home: Path, after: int) -> None:
    """Print events, one JSON object per line.

    Events hold codes, counts and digests: never an identity number, a name or a value.
    """
    for event in read_events(read_config(home), after):
        plain = {
            "seq": event.seq,
            "at": event.at.isoformat(),
            "event": event.event,
            "details": json.loads(event.details),
            "digest": event.digest.hex(),
        }
        click.echo(json_text(plain))


@audit.command()
@home_option
@json_option
def verify(home: Path, as_json: bool) -> None:
    """Check that no event was changed or removed.

    Exits 1 and names the first event that does not fit.
    """
    count = check_chain(read_config(home))
    show({"events": count, "whole": True}, f"{count} events, the chain is whole", as_json=as_json)
