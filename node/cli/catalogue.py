"""`heqiao catalogue`: the items of a catalogue and what each of them means."""

from pathlib import Path

import click
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from matcher.types import Level
from node.cli.options import json_option, json_text, read_config
from node.config import HOME_VARIABLE
from node.domain.catalogue import BUILT_IN, Catalogue, Item, load, to_json
from node.reports.wording import band_text, value_text


@click.command()
@click.option("--home", type=click.Path(path_type=Path, readable=False), envvar=HOME_VARIABLE,
              show_envvar=True,
              help="Show the catalogue of this node.  [default: the one that comes with Heqiao]")  # fmt: skip
@json_option
def catalogue(home: Path | None, *, as_json: bool) -> None:
    """Show the items: meaning, level, bands, freshness.

    Items are named by their codes in `heqiao import` and `heqiao verify`. Two nodes hold the same
    catalogue exactly if the digests shown are equal.
    """
    path = read_config(home).catalogue.path if home else None
    found = load(path)
    if as_json:
        click.echo(json_text(to_json(found)))
        return
    console = Console(soft_wrap=False)
    console.print(_describe(found, path or BUILT_IN))


def _describe(found: Catalogue, path: Path) -> Group:
    table = Table(title=None)
    for header in ("code", "item", "what is counted, and how", "time", "sens.", "level", "combined", "fresh"):
        table.add_column(header, overflow="fold")
    for item in found.items:
        table.add_row(
            item.code,
            Text(f"{item.name_zh}\n{item.name_en}"),
            Text(
                f"{item.measure_en}; {item.definition_en}. {item.format_en}; unit: {item.unit_en}. "
                f"{item.holder_en}"
            ),
            f"{item.period_months} months" if item.time == "period" else item.time,
            item.sensitivity,
            Text(_level(item)),
            item.combine,
            f"{item.freshness_days} d",
            end_section=True,
        )
    return Group(
        Text(f"{found.title_zh}\n{found.title_en}"),
        Text(f"version {found.version}, valid from {found.valid_from}, {len(found.items)} items"),
        Text(f"digest {found.digest.hex()}"),
        Text(f"file {path}", overflow="fold"),
        table,
    )


def _level(item: Item) -> str:
    lines = [item.level.name.lower()]
    if item.level is Level.BAND:
        lines += [f"{index}: {band_text(item, index, 'en')}" for index in range(len(item.bands) + 1)]
    if item.level is Level.THRESHOLD:
        lines.append(value_text(item, 1, "en"))
    if item.table:
        lines.append(f"table {item.table}")
    return "\n".join(lines)
