"""`heqiao catalogue`: the items of a catalogue and what each of them means."""

from pathlib import Path

import click
from rich.console import Console, Group
from rich.table import Table as Grid
from rich.text import Text

from node.cli.catalogue_check import check
from node.cli.catalogue_diff import diff
from node.cli.catalogue_publish import publish
from node.cli.options import json_option, json_text, read_config
from node.config import HOME_VARIABLE
from node.domain.catalogue import BUILT_IN, Item, load, to_json
from node.federation.catalogue_file import LoadedCatalogue, open_catalogue
from node.reports.wording import example_text, value_texts

_home = click.option(
    "--home",
    type=click.Path(path_type=Path, readable=False),
    envvar=HOME_VARIABLE,
    show_envvar=True,
    help="Show the catalogue of this node.  [default: the one that comes with Heqiao]",
)


@click.group(invoke_without_command=True, subcommand_metavar="COMMAND [ARGS]...")
@_home
@json_option
@click.pass_context
def catalogue(context: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Show the items, and compare, check and publish catalogues.

    Items are named by their codes in `heqiao import` and `heqiao verify`. Nodes whose catalogues have the
    same major version answer each other; an item that two provinces define differently is answered as not
    comparable. Without a command it shows the catalogue.
    """
    if context.invoked_subcommand is None:
        _show(home, as_json=as_json)
    elif as_json:
        raise click.UsageError(f"write --json after {context.invoked_subcommand}")


@catalogue.command()
@_home
@json_option
def show(home: Path | None, *, as_json: bool) -> None:
    """Show the items: meaning, level, bands, freshness."""
    _show(home, as_json=as_json)


catalogue.add_command(check)
catalogue.add_command(diff)
catalogue.add_command(publish)


def _show(home: Path | None, *, as_json: bool) -> None:
    found = open_catalogue(read_config(home)) if home else LoadedCatalogue(load(), BUILT_IN, False)
    if as_json:
        click.echo(json_text({**to_json(found.catalogue), "signed": found.is_signed}))
        return
    Console(soft_wrap=False).print(_describe(found))


def _describe(loaded: LoadedCatalogue) -> Group:
    grid, found = Grid(title=None), loaded.catalogue
    headers = ("code", "item", "what is counted, and how", "time", "sens.", "level", "combined", "fresh")
    for header in headers:
        grid.add_column(header, overflow="fold")
    for item in found.items:
        grid.add_row(
            item.code,
            Text(f"{item.name_zh}\n{item.name_en}"),
            Text(
                f"{item.measure_en}; {item.definition_en}. {item.format_en}; unit: {item.unit_en}. "
                f"{item.holder_en}; updated {item.frequency}; sharing {item.share}. "
                f"Example: {example_text(item, 'en')}"
            ),
            f"{item.period_months} months" if item.time == "period" else item.time,
            item.sensitivity,
            Text(_level(item)),
            item.combine,
            f"{item.freshness_days} d",
            end_section=True,
        )
    signed = "signed by the federation's CA" if loaded.is_signed else "not signed"
    return Group(
        Text(f"{found.title_zh}\n{found.title_en}"),
        Text(f"version {found.version}, valid from {found.valid_from}, {len(found.items)} items, {signed}"),
        Text(f"digest {found.digest.hex()}"),
        Text(f"file {loaded.path}", overflow="fold"),
        grid,
    )


def _level(item: Item) -> str:
    texts = value_texts(item, "en")
    lines = [item.level.name.lower()]
    lines += texts if item.threshold is not None else [f"{at}: {text}" for at, text in enumerate(texts)]
    if item.table:
        lines.append(f"table {item.table}")
    lines.append(f"{item.width} bytes" if item.highest >= 0 else "no label")
    if item.sum:
        lines.append(f"sums: {item.sum.mode}, {item.sum.layout.slots} slots")
    if item.named_only:
        lines.append("only if the mandate names it")
    return "\n".join(lines)
