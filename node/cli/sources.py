"""`heqiao sources`: where this province's registers come from, and how they become items."""

import importlib
from pathlib import Path
from typing import Any

import click

from node.cli.options import (
    home_option,
    json_option,
    load_config,
    read_config,
    require_node_role,
    wait_option,
)
from node.compute.engine import start_workers


def _run() -> Any:
    # A separate module, because loading it takes a second, and worker processes are made before it.
    return importlib.import_module("node.cli.sources_run")


@click.group()
def sources() -> None:
    """Manage the sources of this province's registers."""


@sources.command()
@home_option
@json_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put it in the place of the item's present source.")
def add(home: Path, as_json: bool, file: Path, replace: bool) -> None:
    """Keep a source in this home.

    FILE is TOML and says where the rows of one item are, which columns they have, what their codes mean and
    how good they must be (docs/sources.md). Relative paths in it start in the home. A database's URL is a
    secret: name a private file or an environment variable that holds it.
    """
    _run().add(require_node_role(load_config(home)), file, replace=replace, as_json=as_json)


@sources.command()
@home_option
@json_option
@click.argument("item")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write the report as a page here."
)
def check(home: Path, as_json: bool, item: str, html: Path | None) -> None:
    """Read a source, and report its quality in counts.

    Shows rows, rejects by reason, duplicates, empty cells, outliers, dates and names with private use
    characters, and never a number, name or value. Exits 1 where the source is below its floor. Nothing is
    imported; the home keeps the report.
    """
    _run().check(require_node_role(load_config(home)), item, html, as_json=as_json)


@sources.command("import")
@home_option
@json_option
@click.argument("item")
@click.option("--full", is_flag=True, help="Import all of it, also where only changes are due.")
@click.option(
    "--workers",
    "count",
    type=click.IntRange(0, 256),
    default=0,
    show_default=True,
    help="Worker processes; 0 does all work in one.",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the list of rejected rows.  [default: sources/ITEM-rejects.csv in the home]",
)
@wait_option
def import_(
    home: Path, *, as_json: bool, item: str, full: bool, count: int, rejects: Path | None, wait: bool
) -> None:
    """Check a source, then import it.

    Nothing is published where the source is below its floor. A source with a watermark is imported by its
    changes, and whole when that is due.
    """
    config = require_node_role(load_config(home))
    with start_workers(count) as workers:
        _run().import_(config, item, rejects, workers, full=full, wait=wait, as_json=as_json)


@sources.command("list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List the sources of this home, and how each ended last."""
    _run().list_(require_node_role(read_config(home)), as_json=as_json)


@sources.command()
@home_option
@json_option
@click.argument("item", default="")
@click.option("--number", type=click.IntRange(1, 2**63 - 1), help="Show this report whole.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Show at most so many, the newest.",
)
def reports(home: Path, *, as_json: bool, item: str, number: int | None, limit: int) -> None:
    """List the quality reports of sources that the home keeps.

    Of all items, or of ITEM; with --number one report. The newest 400 of an item are kept.
    """
    config = require_node_role(load_config(home))
    if number is not None:
        _run().report(config, number, as_json=as_json)
    else:
        _run().reports(config, item, limit, as_json=as_json)


@sources.command()
@home_option
@json_option
@click.argument("item")
def remove(home: Path, as_json: bool, item: str) -> None:
    """Forget a source; what was imported stays."""
    _run().remove(require_node_role(load_config(home)), item, as_json=as_json)
