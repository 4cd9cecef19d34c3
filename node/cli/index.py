"""`heqiao index`: the partitions that this node serves."""

from dataclasses import asdict
from pathlib import Path

import click

from node.cli.options import (
    count,
    home_option,
    json_option,
    load_config,
    require_node_role,
    show,
    wait_option,
)
from node.cli.terminal import show_progress
from node.context import open_node
from node.index.republish import republish as republish_all
from node.index.verify import IndexCheck, ItemCheck, verify_index


@click.group()
def index() -> None:
    """Maintain the partitions that this node serves."""


@index.command()
@home_option
@json_option
@wait_option
def republish(home: Path, as_json: bool, wait: bool) -> None:
    """Publish all partitions anew after a database was restored.

    Peers refuse a manifest with lower versions than they have seen. This gives every partition a higher
    version; its content stays as it is.
    """
    node = open_node(require_node_role(load_config(home)))
    done = republish_all(node, wait=wait)
    node.store.dispose()
    show({"partitions": done}, f"{count(done, 'partition')} published anew", as_json=as_json)


@index.command()
@home_option
@json_option
@click.option("--workers", type=click.IntRange(0, 256),
              help="Worker processes; 0 does all work in one.  [default: one a core]")  # fmt: skip
@wait_option
def verify(home: Path, as_json: bool, workers: int | None, wait: bool) -> None:
    """Check that stored entries fit their tokens.

    For example after a database was restored in part, or its disk failed. Names the items that do not, and
    those whose rows of sums another catalogue or release packed: a full import of each mends it, and until
    then peers get what was published. Changes nothing. Exits 1 if anything is wrong.
    """
    node = open_node(require_node_role(load_config(home)))
    with show_progress({"verify": "checking entries"}, hidden=as_json) as progress:
        found = verify_index(node, workers=workers, wait=wait, progress=progress)
    node.store.dispose()
    plain = {
        "good": found.good,
        "items": [{**asdict(one), "good": one.good} for one in found.items],
        "damaged_blocks": found.blocks,
        "outdated_sums": list(found.sums),
        "to_import": found.to_import,
    }
    show(plain, _describe(found), as_json=as_json)
    if not found.good:
        raise click.exceptions.Exit(1)


def _describe(found: IndexCheck) -> str:
    lines = [_describe_item(one) for one in found.items] or ["nothing imported"]
    if found.blocks:
        lines.append(f"{count(found.blocks, 'block')} of tokens cannot be opened")
    if found.sums:
        lines.append(f"rows of sums packed by an older rule, offered to nobody: {', '.join(found.sums)}")
    if not found.good:
        lines.append("import again in full, each from its register: " + ", ".join(found.to_import))
    return "\n".join(lines)


def _describe_item(one: ItemCheck) -> str:
    head = f"{one.item}, epoch {one.epoch}: {count(one.entries, 'entry', 'entries')}"
    wrong = [
        f"{number:,} {what}"
        for number, what in (
            (one.buckets, "groups of buckets missing or altered"),
            (one.tokens, "without the token that gives their tag"),
            (one.links, "links to entries that are not there"),
        )
        if number
    ]
    return f"{head}, {'; '.join(wrong) or 'all with their tokens'}"
