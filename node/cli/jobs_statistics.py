"""`heqiao jobs statistics`."""

from pathlib import Path

import click

from node.cli.node_link import open_platform
from node.cli.options import address_option, home_option, json_option, show
from node.cli.terminal import print_table
from node.domain.job_statistics import COLUMNS, MONTHLY
from node.domain.small_counts import HIDDEN, LEAST, SMALL


@click.command()
@home_option
@json_option
@address_option
@click.option("--month", default="", metavar="YYYY-MM", help="One of the last 12 months; else this one.")
def statistics(home: Path, as_json: bool, address: str | None, month: str) -> None:
    """Count jobs by month, unit, item and province.

    Months are counted as in the ministry's table D204Z56. Terminated (终止): cancelled. Suspended
    (中止): failed, or ended without any answer. Item queries: people times items of each job.
    Entrusted (受托): what other provinces asked of this node; points are padded, at least one a
    person.

    Units, items and provinces are those of one month. Small counts are hidden, and so are those
    from which they could be worked out.
    """
    with open_platform(home, address) as platform:
        found = platform.statistics(month)
    if as_json:
        show(found.plain(), "", as_json=True)
        return
    for name, columns in COLUMNS.items():
        rows = [(row.name, *map(str, row.cells)) for row in getattr(found, name)]
        if not rows and name == "entrusted":
            continue  # nobody asked, or the caller may not see it
        click.echo(f"{name}:" if name in MONTHLY else f"{name}, {found.month}:")
        if rows:
            print_table(("", *(column.replace("_", " ") for column in columns)), rows)
        else:
            click.echo(f"  none, or fewer than {LEAST} somewhere that other counts would tell")
    click.echo(
        f"{SMALL}: from 1 to {LEAST - 1}; {HIDDEN}: not told, it would tell a small one; "
        f"in time: within {found.days} days"
    )
