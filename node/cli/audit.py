"""`heqiao audit`: read and check the chain of what this node did."""

import json
from pathlib import Path

import click

from node.cli.options import home_option, json_option, load_config, show
from node.config import database_url
from node.database import audit_log as audit_rows
from node.database import open_store
from node.domain.audit_chain import first_broken
from node.errors import AuditBrokenError


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
    store = open_store(database_url(load_config(home)))
    with store.transaction("read audit") as tx:
        for event in audit_rows.events(tx, after):
            click.echo(
                json.dumps(
                    {
                        "seq": event.seq,
                        "at": event.at.isoformat(),
                        "event": event.event,
                        "details": json.loads(event.details),
                        "digest": event.digest.hex(),
                    },
                    ensure_ascii=False,
                )
            )


@audit.command()
@home_option
@json_option
def verify(home: Path, as_json: bool) -> None:
    """Check that no event was changed or removed.

    Exits 1 and names the first event that does not fit.
    """
    store = open_store(database_url(load_config(home)))
    with store.transaction("verify audit") as tx:
        events = list(audit_rows.events(tx))
    count, broken = len(events), first_broken(events)
    if broken is not None:
        raise AuditBrokenError(
            f"the audit chain is broken at event {broken} of {count}",
            "somebody changed the database outside Heqiao; keep it as it is and compare it with a backup",
        )
    show({"events": count, "whole": True}, f"{count} events, the chain is whole", as_json=as_json)
