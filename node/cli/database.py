"""`heqiao migrate`: the database's schema."""

from pathlib import Path

import click

from node.cli.options import home_option, json_option, load_config, show
from node.context import migrate_database


@click.command()
@home_option
@json_option
def migrate(home: Path, as_json: bool) -> None:
    """Update the database schema to this version.

    Stop the node and back up the database first. A schema that is current is not changed.
    """
    before, after = migrate_database(load_config(home))
    text = f"the schema is current ({after})" if before == after else f"schema {before or 'empty'} -> {after}"
    show({"before": before, "after": after}, text, as_json=as_json)
