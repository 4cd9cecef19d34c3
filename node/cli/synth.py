"""`heqiao synth`: write a synthetic federation."""

from datetime import datetime
from pathlib import Path

import click

from node.cli.options import json_text
from node.cli.terminal import show_progress
from node.clock import utc_now
from node.domain.days import china_day, written_day
from node.errors import ConfigError
from synth import Scenario, Summary, choose_scenario, write_federation
from synth.scenario import NAMES


@click.command()
@click.option(
    "--scenario", "name", type=click.Choice(NAMES), default="mashan", show_default=True, help="What to make."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="New or empty folder to write to.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=2026, show_default=True, help="Same seed, same bytes."
)
@click.option(
    "--people",
    type=int,
    help="People on the list; the planted figures scale along.  [default: as the scenario]",
)
@click.option(
    "--rows-scale", type=float, default=1.0, show_default=True, help="Size of the registers beyond the list."
)
@click.option("--provinces", metavar="CODES", help="Provinces such as 45,44,33 (scenario random).")
@click.option("--requester", metavar="CODE", help="Which of them holds the list (scenario random).")
@click.option(
    "--married-in",
    type=float,
    default=0.0,
    show_default=True,
    help="Share of the list, 0 to 1, first registered elsewhere.",
)
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Date of the federation: mandates and registers are current on it.  [default: today in China]",
)
@click.option("--sums", is_flag=True, help="Also write a cohort of workers and registers that are summed.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def synth(
    name: str,
    out: Path,
    seed: int,
    people: int | None,
    rows_scale: float,
    provinces: str | None,
    requester: str | None,
    married_in: float,
    today: datetime | None,
    sums: bool,
    as_json: bool,
) -> None:
    """Generate a synthetic federation for trials.

    Writes a county's list, the registers of other provinces, and the true answers to compare with. mashan is
    a county list of 20,000 people with the exact figures of a known audit, small a short version of it for
    tests, random has any size and any provinces. Every person is invented.

    \b
    OUT/45/households.csv, mandates.csv   what the county asks about
    OUT/44/registers/*.csv                what a province's departments export
    OUT/45/workers.csv, OUT/44/sums/*.csv cohort and registers of sums (--sums)
    OUT/truth/                            true answers; no node reads them
    OUT/synth.json                        row counts and planted faults
    """  # noqa: D301 - click wants the real \b character
    scenario = _choose(name, people, rows_scale, provinces, requester, married_in)
    day = written_day(today) if today else china_day(utc_now())
    with show_progress(hidden=False) as update:
        summary = write_federation(
            scenario, out, seed, day, rows_scale,
            lambda what, share: update("synth", round(100 * share), 100, what),
            sums=sums,
        )  # fmt: skip
    result = json_text(summary.to_json(), indent=2)
    click.echo(result if as_json else _describe(out, scenario, summary))


def _choose(
    name: str,
    people: int | None,
    rows_scale: float,
    provinces: str | None,
    requester: str | None,
    married_in: float,
) -> Scenario:
    """The scenario that the options name. Raises click.UsageError."""
    codes = tuple(code.strip() for code in provinces.split(",")) if provinces else ()
    try:
        return choose_scenario(
            name,
            people=people,
            rows_scale=rows_scale,
            provinces=codes,
            requester=requester or "",
            married_in=married_in,
        )
    except ConfigError as error:
        raise click.UsageError(f"{error.message}: {error.hint}", click.get_current_context()) from None


def _describe(out: Path, scenario: Scenario, summary: Summary) -> str:
    figures = scenario.figures
    lines = [
        f"{out}: scenario {scenario.name}, seed {summary.seed}, {summary.today}",
        f"  list of {scenario.requester}: {scenario.people:,} people in {summary.households:,} households; "
        f"rows to be rejected: {scenario.invalid_rows}",
    ]
    for province in scenario.providers:
        rows = sum(
            count for path, count in summary.files.items() if path.startswith(f"{province}/registers/")
        )
        lines.append(f"  registers of {province}: {rows:,} rows")
    lines += [
        f"  planted: {figures.payroll:,} on a public payroll, {figures.vehicle_owners:,} own "
        f"{figures.vehicles:,} vehicles, {figures.dwelling_owners:,} own dwellings, "
        f"{figures.businesses:,} have businesses; {figures.any_asset:,} people in all",
        f"  faults and row counts: {out / 'synth.json'}",
    ]
    return "\n".join(lines)
