"""`heqiao import`: registers of this province into partitions that peers may ask."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from node import workspace
from node.cli.options import count, home_option, json_option, load_config, require_node_role, show
from node.config import Config
from node.importer import Imported, Mode, import_item
from node.node import open_node
from node.reader import ALIASES
from node.sources import Files, Query, Source

STAGES = {"read": "reading rows", "index": "building the index", "write": "writing buckets"}


@click.command("import")
@home_option
@json_option
@click.argument("item", required=False)
@click.argument(
    "files", nargs=-1, metavar="FILES...", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--upsert",
    "mode",
    flag_value="upsert",
    help="Replace the records of the subjects in FILES, keep all others.",
)
@click.option(
    "--delete",
    "mode",
    flag_value="delete",
    help="Remove the records of the subjects in FILES, keep all others.",
)
@click.option(
    "--sql-url-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read from a database instead: a private file (chmod 600) with its SQLAlchemy URL.",
)
@click.option("--query", metavar="SQL", help="The query whose rows to read, with --sql-url-file.")
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FIELD=HEADER",
    callback=lambda _ctx, _param, pairs: _parse_mapping(pairs),
    help="The column of FIELD has this HEADER; may be repeated. Fields: " + ", ".join(ALIASES) + ".",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="As-of date of rows that carry none.  [default: today]",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the list of rejected rows.  [default: ITEM-rejects.csv, beside the first file]",
)
@click.option(
    "--allow-empty",
    is_flag=True,
    help="Also publish when no row can be used: peers then find nobody. Without it the import is refused.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 256),
    help="Processes that do the work; 0 does it in one.  [default: one a core, none for small files]",
)
@click.option("--clean", is_flag=True, help="Only remove what a killed import left; needs no ITEM.")
def import_(
    home: Path,
    as_json: bool,
    item: str | None,
    files: tuple[Path, ...],
    mode: Mode | None,
    sql_url_file: Path | None,
    query: str | None,
    columns: dict[str, str] | None,
    as_of: datetime | None,
    rejects: Path | None,
    allow_empty: bool,
    workers: int | None,
    clean: bool,
) -> None:
    """Replace the register of one item by new files.

    ITEM is a code of the catalogue, such as C21. FILES are a full export of its register as CSV, in
    UTF-8 or GB18030, with the usual Chinese or English headers, or as Parquet (.parquet). With --upsert or
    --delete they hold only the people who changed. Rows that cannot be used are listed and
    counted, and do not stop the import. Peers see the old version until the new one is whole.

    \b
    heqiao import --home 44 C21 vehicles.csv
    heqiao import --home 44 C23 banks.csv --map amount_yuan=结余 --as-of 2026-06-30
    heqiao import --home 44 C21 changed.csv --upsert
    heqiao import --home 44 C21 --sql-url-file url --query "SELECT * FROM cars"
    """  # noqa: D301 - click wants the real \b character
    if clean:
        _clean(require_node_role(load_config(home)), as_json=as_json)
        return
    if item is None:
        raise click.UsageError("Missing argument 'ITEM'.", click.get_current_context())
    source = _choose_source(files, sql_url_file, query)
    config = require_node_role(load_config(home))
    if rejects is not None and rejects.resolve() in [file.resolve() for file in files]:
        raise click.UsageError(
            f"--rejects {rejects} is one of the FILES, and would be overwritten", click.get_current_context()
        )
    node = open_node(config)
    node.catalogue.item(item)
    target = rejects or (files[0].parent if files else Path()) / f"{item}-rejects.csv"
    with _progress(hidden=as_json) as progress:
        done = import_item(
            node,
            item,
            source,
            mode=mode or "full",
            columns=columns,
            default_as_of=as_of.date() if as_of else None,
            rejects_file=target,
            allow_empty=allow_empty,
            workers=workers,
            progress=progress,
        )
    node.store.dispose()
    show(_plain(done), _describe(done), as_json=as_json)


def _clean(config: Config, *, as_json: bool) -> None:
    node = open_node(config)
    found = workspace.clean(node)
    node.store.dispose()
    text = "what a killed import left was removed" if found else "nothing was left of any import"
    show({"rolled_back": found}, text, as_json=as_json)


def _choose_source(files: tuple[Path, ...], url_file: Path | None, query: str | None) -> Source:
    context = click.get_current_context()
    if (url_file is None) != (query is None):
        raise click.UsageError("--sql-url-file and --query go together.", context)
    if url_file is not None and query is not None:
        if files:
            raise click.UsageError("Name FILES or a query, not both.", context)
        return Query(url_file, query)
    if not files:
        raise click.UsageError("Missing argument 'FILES...'.", context)
    return Files(files)


def _parse_mapping(mapping: tuple[str, ...]) -> dict[str, str] | None:
    columns: dict[str, str] = {}
    for pair in mapping:
        field, equals, header = pair.partition("=")
        if not equals or field not in ALIASES or not header:
            raise click.BadParameter(f"write FIELD=HEADER with a field of {', '.join(ALIASES)}")
        columns[field] = header
    return columns or None


@contextmanager
def _progress(*, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=hidden or not sys.stderr.isatty()) as bar:
        tasks: dict[str, TaskID] = {}

        def update(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(STAGES[stage], total=None)
            bar.update(tasks[stage], completed=done, total=total or None)

        yield update


class _Rate(ProgressColumn):
    """Rows a second so far."""

    def render(self, task: Task) -> Text:
        """Of one stage."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def _plain(done: Imported) -> dict[str, object]:
    tally = asdict(done.tally)
    tally["reasons"] = dict(done.tally.reasons)
    rejects = str(done.rejects_file) if done.rejects_file else None
    return {
        "item": done.item,
        **tally,
        "origins": done.origins,
        "rejects_file": rejects,
        "accepted_before": done.accepted_before,
        "shrunk": done.shrunk,
        "mode": done.mode,
        "changes": dict(done.changes),
        "seconds": {stage: round(seconds, 3) for stage, seconds in done.seconds.items()},
        "rows_per_s": round(done.rate),
        "cpu_s": round(done.usage.cpu_s, 2),
        "peak_mib": round(done.usage.peak / 2**20),
        "workers": done.workers,
        "rolled_back": done.rolled_back,
    }


def _describe(done: Imported) -> str:
    tally = done.tally
    lines = [
        f"{done.item}: {count(tally.read, 'row')} read = {tally.accepted:,} accepted "
        f"+ {count(tally.duplicates, 'duplicate')} + {tally.rejected:,} rejected",
        f"  {_people(tally.records)}, {tally.withheld:,} of them with nothing to disclose; "
        f"{count(tally.entries, 'entry', 'entries')} from {count(len(done.origins), 'origin')}",
    ]
    if done.mode != "full":
        changes = done.changes
        lines[1] = (
            f"  {tally.records} people named: {changes['added']} entries added, "
            f"{changes['changed']} changed, {changes['removed']} removed"
        )
    if done.rolled_back:
        lines.append("  an earlier import had not ended; it was rolled back, and what it left removed")
    if tally.name_conflicts or tally.contradictions or tally.unknown_area:
        lines.append(
            f"  warnings: {_people(tally.name_conflicts)} under differing names, "
            f"{count(tally.contradictions, 'duplicate')} that contradict each other, "
            f"{count(tally.unknown_area, 'unknown address code')}"
        )
    if done.shrunk:
        lines.append(
            f"  warning: the import before this one accepted {count(done.accepted_before or 0, 'row')}; "
            "if this is only a part of the register, import the full export again"
        )
    if done.rejects_file:
        reasons = ", ".join(f"{reason} {number:,}" for reason, number in tally.reasons)
        lines.append(f"  rejected rows ({reasons}) are listed in {done.rejects_file}")
    return "\n".join(lines)


def _people(number: int) -> str:
    return count(number, "person", "people")
