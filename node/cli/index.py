"""`heqiao index`: the partitions that this node serves."""

from pathlib import Path

import click

from node.cli.options import count, home_option, json_option, load_config, require_node_role, show
from node.context import open_node
from node.index.republish import republish as republish_all


@click.group()
def index() -> None:
    """Maintain the partitions that this node serves."""


@index.command()
@home_option
@json_option
def republish(home: Path, as_json: bool) -> None:
    """Publish all partitions anew after a database was restored.

    Peers refuse a manifest with lower versions than they have seen. This gives every partition a higher
    version; its content stays as it is.
    """
    node = open_node(require_node_role(load_config(home)))
    done = republish_all(node)
    node.store.dispose()
    show({"partitions": done}, f"{count(done, 'partition')} published anew", as_json=as_json)
