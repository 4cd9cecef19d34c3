"""`heqiao import`: registers of this province into partitions that peers may ask."""

from datetime import datetime
from pathlib import Path
from typing import Literal

import click

from matcher.suites import x25519
from node.cli.options import home_option, json_option, load_config, require_node_role
from node.compute import local_pool
from node.registers import tasks  # noqa: F401 - the workers' code
from node.registers.row_parser import ALIASES


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
    help="Replace the records of the people in FILES, keep all others.",
)
@click.option(
    "--delete",
    "mode",
    flag_value="delete",
    help="Remove the records of the people in FILES, keep all others.",
)
@click.option(
    "--sql-url-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read from a database instead: a private file (chmod 600) with its SQLAlchemy URL.",
)
@click.option("--query", metavar="SQL", help="The query whose rows are read; needs --sql-url-file.")
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
    help="As-of date of rows without one.  [default: today]",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the list of rejected rows.  [default: ITEM-rejects.csv, beside the first file]",
)
@click.option(
    "--allow-empty",
    is_flag=True,
    help="Publish even if no row can be used: peers then find nobody. Without it such an import is refused.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 256),
    help="Worker processes; 0 does all work in one.  [default: one a core, none for small files]",
)
@click.option("--clean", is_flag=True, help="Only remove what a killed import left behind; needs no ITEM.")
def import_(
    home: Path,
    as_json: bool,
    item: str | None,
    files: tuple[Path, ...],
    mode: Literal["upsert", "delete"] | None,
    sql_url_file: Path | None,
    query: str | None,
    columns: dict[str, str] | None,
    as_of: datetime | None,
    rejects: Path | None,
    allow_empty: bool,
    workers: int | None,
    clean: bool,
) -> None:
    """Import a register: a full export, or only changes.

    ITEM is a code of the catalogue, such as C21. FILES are CSV in UTF-8 or GB18030, with the usual Chinese
    or English headers, or Parquet (.parquet). Without an option they are a full export, which replaces
    everything held of the item. With --upsert they hold all rows of the people who changed, with --delete
    the people to remove. Rows that cannot be used are listed and counted, and do not stop the import.
    Peers get the old version until the new one is complete.

    \b
    heqiao import --home 44 C21 vehicles.csv
    heqiao import --home 44 C23 banks.csv --map amount_yuan=结余 --as-of 2026-06-30
    heqiao import --home 44 C21 changed.csv --upsert
    heqiao import --home 44 C21 --sql-url-file url --query "SELECT * FROM cars"
    """  # noqa: D301 - click wants the real \b character
    if clean:
        from node.cli import import_run

        import_run.clean(require_node_role(load_config(home)), as_json=as_json)
        return
    checked = _check_usage(item, files, sql_url_file, query, rejects)
    config, day = require_node_role(load_config(home)), as_of.date() if as_of else None
    with _hire(workers, files) as processes:
        from node.cli import import_run

        request = import_run.Request(
            checked, files, sql_url_file, query, mode or "full", columns, day, rejects, allow_empty
        )
        import_run.run(config, request, processes, as_json=as_json)


def _hire(workers: int | None, files: tuple[Path, ...]) -> local_pool.WorkerPool:
    """Workers, made before this process opens keys or database: they hold their code, and nothing else."""
    x25519.backend()
    if workers is None:
        workers = local_pool.choose_workers(sum(file.stat().st_size for file in files))
    return local_pool.WorkerPool(workers, fork=True)


def _check_usage(
    item: str | None, files: tuple[Path, ...], url_file: Path | None, query: str | None, rejects: Path | None
) -> str:
    context = click.get_current_context()
    if item is None:
        raise click.UsageError("Missing argument 'ITEM'.", context)
    if (url_file is None) != (query is None):
        raise click.UsageError("--sql-url-file and --query go together.", context)
    if url_file is not None and files:
        raise click.UsageError("Name FILES or a query, not both.", context)
    if url_file is None and not files:
        raise click.UsageError("Missing argument 'FILES...'.", context)
    if rejects is not None and rejects.resolve() in [file.resolve() for file in files]:
        raise click.UsageError(f"--rejects {rejects} is one of the FILES, and would be overwritten", context)
    return item


def _parse_mapping(mapping: tuple[str, ...]) -> dict[str, str] | None:
    columns: dict[str, str] = {}
    for pair in mapping:
        field, equals, header = pair.partition("=")
        if not equals or field not in ALIASES or not header:
            raise click.BadParameter(f"write FIELD=HEADER with a field of {', '.join(ALIASES)}")
        columns[field] = header
    return columns or None
