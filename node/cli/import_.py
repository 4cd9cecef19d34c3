"""`heqiao import`: registers of this province into partitions that peers may ask."""

import importlib
from pathlib import Path
from typing import Any

import click

from matcher.suites import x25519
from node.cli.import_request import Options, Run, make_common, make_request, usage
from node.cli.options import (
    admin_option,
    home_option,
    json_option,
    load_config,
    read_config,
    require_node_role,
    text_options,
    wait_option,
)
from node.compute.engine import Workers, choose_workers, start_workers
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
    "--check",
    is_flag=True,
    help="Only read and report what an import would say; write nothing. Exits 1 if the import would fail.",
)
@text_options
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
    "--unit",
    metavar="UNIT",
    help="Unit of the amounts: 元, 分, 角, 百元, 千元, 万元, 百万元, 亿元.  [default: what the header names]",
)
@click.option(
    "--sheet",
    metavar="NAME",
    help="Sheet of a spreadsheet to read.  [default: the only one that is not hidden]",
)
@click.option(
    "--keep-zeros",
    is_flag=True,
    help="Long record numbers do end in zeros. Without it an import with many of them is refused, "
    "since spreadsheets round so.",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="As-of date of rows without one.  [default: today in China]",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    help="File for the list of rejected rows.  [default: ITEM-rejects.csv, beside the first file]",
)
@click.option(
    "--allow-empty",
    is_flag=True,
    help="Publish even if no row can be used: peers then find nobody. Without it such an import is refused.",
)
@click.option(
    "--workers",
    "count",
    type=click.IntRange(0, 256),
    help="Worker processes; 0 does all work in one.  [default: one a core, none for small files]",
)
@click.option(
    "--all",
    "everything",
    type=click.Path(path_type=Path, exists=True),
    metavar="DIR|TOML",
    help="Import every item of a folder with files named by item codes (C21.csv), or of a plan file; items "
    "that are done already are left out. No ITEM or FILES; --rejects is then a folder.",
)
@click.option("--again", is_flag=True, help="With --all: import items that are done already too.")
@wait_option
@admin_option
@click.option("--clean", is_flag=True, help="Only remove what a killed import left behind; needs no ITEM.")
def import_(
    home: Path,
    *,
    as_json: bool,
    count: int | None,
    clean: bool,
    check: bool,
    everything: Path | None,
    again: bool,
    rejects: Path | None,
    wait: bool,
    admin: Path | None,
    **options: Any,
) -> None:
    """Import a register: a full export, or only changes.

    ITEM is a code of the catalogue, such as C21. FILES are CSV in UTF-8 or GB18030, with the usual Chinese
    or English headers, Parquet (.parquet) or spreadsheets (.xlsx, .xls, .ods). Without an option they are
    a full export, which replaces everything held of the item. With --upsert they hold all rows of the people
    who changed, with --delete the people to remove. Rows that cannot be used are listed and counted, and do
    not stop the import. Peers get the old version until the new one is complete.

    With --all it imports everything: each item of a folder, by the code in the names of its files, or each
    item of a plan file. What is done already is left out when the same command is run again. An item that
    fails keeps none of the others back; then the exit code is 1.

    Under dual control an import that leaves far fewer entries of an item needs a second administrator.

    \b
    heqiao import --home 44 C21 vehicles.csv
    heqiao import --home 44 C23 banks.csv --map amount_yuan=结余 --as-of 2026-06-30
    heqiao import --home 44 C21 --check vehicles.csv
    heqiao import --home 44 C21 changed.csv --upsert
    heqiao import --home 44 C21 --sql-url-file url --query "SELECT * FROM cars"
    heqiao import --home 44 --all registers/
    heqiao import --home 44 --all plan.toml --check
    """  # noqa: D301 - click wants the real \b character
    if clean:
        _load_run().clean(require_node_role(load_config(home)), as_json=as_json)
        return
    if everything is None and again:
        raise usage("--again needs --all.")
    given = Options(**options)
    common = None if everything is None else make_common(given, rejects, folder=everything.is_dir())
    request = make_request(given, rejects) if common is None else common
    config = require_node_role(read_config(home) if check else load_config(home))
    if everything is not None:
        run = Run(
            config, everything, request, rejects, count, again=again, wait=wait, as_json=as_json, admin=admin
        )
        importlib.import_module("node.cli.import_all").run(run, check=check)
    elif check:
        importlib.import_module("node.cli.import_check").run(config, request, as_json=as_json)
    else:
        with _start_workers(count, request.files) as workers:
            _load_run().run(config, request, rejects, workers, admin, wait=wait, as_json=as_json)


def _load_run() -> Any:
    # A separate module, because loading it takes a second, and worker processes are made before it.
    return importlib.import_module("node.cli.import_run")


def _start_workers(count: int | None, files: tuple[Path, ...]) -> Workers:
    """Workers, made before this process opens keys or database: they have their code, and no secrets."""
    x25519.backend()
    return start_workers(
        choose_workers(sum(file.stat().st_size for file in files)) if count is None else count
    )


def _parse_mapping(mapping: tuple[str, ...]) -> dict[str, str] | None:
    columns: dict[str, str] = {}
    for pair in mapping:
        field, equals, header = pair.partition("=")
        if not equals or field not in ALIASES or not header:
            raise click.BadParameter(f"write FIELD=HEADER with a field of {', '.join(ALIASES)}")
        columns[field] = header
    return columns or None
