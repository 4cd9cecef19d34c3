"""`heqiao import`: registers of this province into partitions that peers may ask."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from node.cli.options import home_option, json_option, load_config, show
from node.importer import Imported, import_item
from node.node import open_node
from node.reader import ALIASES

STAGES = {"read": "reading rows", "index": "building the index"}


@click.command("import")
@home_option
@json_option
@click.argument("item")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="FIELD=HEADER",
    help=f"Column of a field under another header; fields: {', '.join(ALIASES)}.",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="As-of date of rows that carry none; default is today.",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to list rejected rows; default is ITEM-rejects.csv beside the first file.",
)
def import_(
    home: Path,
    as_json: bool,
    item: str,
    files: tuple[Path, ...],
    mapping: tuple[str, ...],
    as_of: datetime | None,
    rejects: Path | None,
) -> None:
    """Replace what this node holds of ITEM by the rows of FILES (a full export, CSV).

    Reads UTF-8 and GB18030, with the usual Chinese or English headers. Rows that cannot be used are
    listed and counted, and do not stop the import. Peers see the old version until the new one is whole.
    """
    node = open_node(load_config(home))
    target = rejects or files[0].with_name(f"{item}-rejects.csv")
    with _progress(hidden=as_json) as progress:
        done = import_item(
            node,
            item,
            files,
            columns=_parse_mapping(mapping),
            default_as_of=as_of.date() if as_of else None,
            rejects_file=target,
            progress=progress,
        )
    node.store.dispose()
    show(_plain(done), _describe(done), as_json=as_json)


def _parse_mapping(mapping: tuple[str, ...]) -> dict[str, str] | None:
    columns: dict[str, str] = {}
    for pair in mapping:
        field, equals, header = pair.partition("=")
        if not equals or field not in ALIASES or not header:
            raise click.BadParameter(
                f"write FIELD=HEADER with a field of {', '.join(ALIASES)}", param_hint="--map"
            )
        columns[field] = header
    return columns or None


@contextmanager
def _progress(*, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=hidden or not sys.stderr.isatty()) as bar:
        tasks = {stage: bar.add_task(text, total=None, visible=False) for stage, text in STAGES.items()}

        def update(stage: str, done: int, total: int) -> None:
            bar.update(tasks[stage], completed=done, total=total or None, visible=True)

        yield update


def _plain(done: Imported) -> dict[str, object]:
    tally = asdict(done.tally)
    tally["reasons"] = dict(done.tally.reasons)
    rejects = str(done.rejects_file) if done.rejects_file else None
    return {"item": done.item, **tally, "origins": done.origins, "rejects_file": rejects}


def _describe(done: Imported) -> str:
    tally = done.tally
    lines = [
        f"{done.item}: {tally.read} rows read = {tally.accepted} accepted + {tally.duplicates} duplicates "
        f"+ {tally.rejected} rejected",
        f"  {tally.records} people, {tally.entries} entries in {len(done.origins)} partitions, "
        f"{tally.withheld} people with nothing to disclose",
    ]
    if tally.name_conflicts or tally.contradictions or tally.unknown_area:
        lines.append(
            f"  warnings: {tally.name_conflicts} people under differing names, "
            f"{tally.contradictions} duplicates that contradict each other, "
            f"{tally.unknown_area} unknown address codes"
        )
    if done.rejects_file:
        reasons = ", ".join(f"{reason} {count}" for reason, count in tally.reasons)
        lines.append(f"  rejected rows ({reasons}) are listed in {done.rejects_file}")
    return "\n".join(lines)
