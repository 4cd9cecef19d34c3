"""`python -m bench`: our side alone (`psi`), or ours and the peers in one run (`all`)."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bench import batch, compare, console, items, mirror, psi, report, rotation, sums
from bench.heqiao_import import Sizes
from node.domain.days import china_day
from synth import bulk
from testbed.processes import ChildError, stoppable

LARGE = 10_000_000
NONE = "none"


def parse_sizes(ctx: click.Context, param: click.Parameter, text: str) -> tuple[int, ...]:
    """Whole numbers with commas between them. Raises click.BadParameter."""
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise click.BadParameter(
            "write whole numbers of at least 1 with commas between, as in 1000,100000", ctx, param
        )
    return sizes


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Measure Heqiao on this machine, alone or beside its peers. bench/README.md says how."""


entries_option = click.option(
    "--entries",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Rows of the register.",
)
k_option = click.option(
    "--k", "--k-anonymity", "k_anonymity", type=click.IntRange(2, 1_048_576), default=1_024,
    show_default=True,
    help="Entries a bucket holds on average.",
)  # fmt: skip
mirror_option = click.option(
    "--mirror-mib", type=click.IntRange(min=0), default=20_480, show_default=True,
    help="Room in MiB for the requester's mirrors; 0 fetches blocks of buckets.",
)  # fmt: skip
json_option = click.option(
    "--json", "target", metavar="FILE", help="Write one JSON object to FILE, or - for standard output."
)
repeat_option = click.option(
    "--repeat", type=click.IntRange(min=1), default=1, show_default=True, help="Runs; the median one counts."
)


@main.command("psi")
@entries_option
@click.option("--subjects", callback=parse_sizes, default="100000", show_default=True,
              help="Sizes of the lists, such as 1000,10000,100000.")  # fmt: skip
@k_option
@mirror_option
@repeat_option
@json_option
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False),
              help="Keep homes and index in this folder, and use those of an earlier run.")  # fmt: skip
@click.option("--only", type=click.Choice(psi.PARTS), multiple=True, help="Leave out the other parts.")
def psi_(
    entries: int,
    subjects: tuple[int, ...],
    k_anonymity: int,
    mirror_mib: int,
    repeat: int,
    target: str | None,
    keep: Path | None,
    only: tuple[str, ...],
) -> None:
    """Our side alone: index, online, single checks, mirror, a second item.

    Two nodes over mutual TLS on loopback; half of each list is in the register, and every answer is held
    against the plain join: exits 1 when one is wrong.
    """
    check_sizes(entries, subjects)
    sizes = Sizes(entries, subjects, k_anonymity, repeat, mirror_mib)
    finish(psi.run(sizes, only or psi.PARTS, keep), target)


@main.command("sums")
@click.option("--bits", type=click.Choice(["2048", "3072"]), default="3072", show_default=True,
              help="Length of the Paillier modulus.")  # fmt: skip
@json_option
@click.option("--only", type=click.Choice(sums.PARTS), multiple=True, help="Leave out the other parts.")
@click.option("--rows", type=click.IntRange(1, bulk.PEOPLE), default=100_000, show_default=True,
              help="Records of the column.")  # fmt: skip
def sums_(bits: str, target: str | None, only: tuple[str, ...], rows: int) -> None:
    """Our side of encrypted sums alone: encryption, addition, opening; the column of an import.

    The column always has 3,072 bits. Exits 1 when a sum is wrong or a row is missing.
    """
    finish(sums.run(int(bits), only or sums.PARTS, rows), target)


@main.command("rotate")
@entries_option
@k_option
@json_option
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False),
              help="Keep homes and index in this folder, and use those of an earlier run.")  # fmt: skip
def rotate_(entries: int, k_anonymity: int, target: str | None, keep: Path | None) -> None:
    """Rotation of the OPRF key while the node serves single checks.

    Every answer is held against the plain join: exits 1 when one is wrong, or an entry is missing.
    """
    check_sizes(entries, (rotation.LISTED,))
    finish(rotation.run(entries, k_anonymity, keep), target)


@main.command("items")
@entries_option
@click.option("--items", "count", type=click.IntRange(1, 100), default=10, show_default=True,
              help="Items over the same people.")  # fmt: skip
@k_option
@click.option("--peers", "peer", type=click.Choice(["spu"]),
              help="Also index the same people with this peer, and show ratios.")  # fmt: skip
@json_option
def items_(entries: int, count: int, k_anonymity: int, peer: str | None, target: str | None) -> None:
    """Several items over the same people, imported one after the other, then rotated together.

    Exits 1 where entries are missing after the rotation.
    """
    check_sizes(entries, (1,))
    finish(items.run(entries, k_anonymity, count, peer), target)


@main.command("mirror")
@entries_option
@k_option
@json_option
def mirror_(entries: int, k_anonymity: int, target: str | None) -> None:
    """What a sync of mirrors fetches: everything, nothing new, a full export in which 1 % changed (with one
    date, and with one a row), and a day's changes of 0.1 %.

    Answers from the mirror are held against the plain join: exits 1 when one is wrong.
    """
    check_sizes(2 * entries, (mirror.MOST_ASKED,))
    finish(mirror.run(entries, k_anonymity), target)


@main.command("batch")
@click.option("--households", type=click.IntRange(min=batch.FEWEST), default=2_000, show_default=True,
              help="Households of three people on average; the target is 20000.")  # fmt: skip
@click.option("--pdfs", type=click.IntRange(min=0), default=50, show_default=True,
              help="Households that are printed afterwards.")  # fmt: skip
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False),
              help="Keep homes and files in this folder, and use those of an earlier run.")  # fmt: skip
@json_option
def batch_(households: int, pdfs: int, keep: Path | None, target: str | None) -> None:
    """A county's batch: eight items of five provinces over mirrors, from submission to JSON and XLSX.

    Six nodes over mutual TLS on loopback, and a platform. Every answer is held against the plain join:
    exits 1 when one is wrong.
    """
    finish(batch.run(households, pdfs, keep), target)


@main.command("console")
@click.option("--people", type=click.IntRange(1, 1_000), default=50, show_default=True,
              help="People who have signed in.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=0), default=100_000, show_default=True,
              help="Jobs in the list.")  # fmt: skip
@click.option("--households", type=click.IntRange(min=0), default=20_000, show_default=True,
              help="Households of the batch that runs meanwhile; 0 is none.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(min=1), default=60, show_default=True,
              help="How long they click where there is no batch.")  # fmt: skip
@click.option("--pause", type=click.FloatRange(min=0.01), default=5, show_default=True,
              help="Seconds for which a person looks at a page, on average.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Of the order of their clicks.")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False),
              help="Keep homes and files in this folder, and use those of an earlier run.")  # fmt: skip
@json_option
def console_(
    people: int,
    jobs: int,
    households: int,
    seconds: float,
    pause: float,
    seed: int,
    keep: Path | None,
    target: str | None,
) -> None:
    """People in a console while a batch runs: how long each page takes, CPU and memory.

    Real accounts, a console over TLS, and the six nodes of `batch`. Exits 0 whatever the figures are: those
    over the target are named.
    """
    finish(console.run(console.Sizes(people, jobs, households, seconds, pause, seed), keep), target)


@main.command("all")
@entries_option
@click.option(
    "--large", is_flag=True, help="10,000,000 entries, and no openmined-psi unless --peers names it."
)
@click.option("--subjects", callback=parse_sizes, default="1000,10000,100000", show_default=True,
              help="Sizes of the lists.")  # fmt: skip
@k_option
@mirror_option
@repeat_option
@click.option("--peers", type=click.Choice([*compare.PEERS, NONE]), multiple=True,
              help="Only these peers; may be repeated; none leaves all out.  [default: all]")  # fmt: skip
@click.option("--json", "target", type=click.Path(path_type=Path, dir_okay=False),
              help="File for all figures.  [default: bench/results/DATE.json]")  # fmt: skip
def all_(
    entries: int,
    large: bool,
    subjects: tuple[int, ...],
    k_anonymity: int,
    mirror_mib: int,
    repeat: int,
    peers: tuple[str, ...],
    target: Path | None,
) -> None:
    """Ours and the peers in one run: one table, and a JSON file of everything measured.

    The first run installs the peers under bench/.peers (1.1 GB).
    """
    entries = LARGE if large else entries
    check_sizes(entries, subjects)
    chosen = () if NONE in peers else peers or (("spu",) if large else tuple(compare.PEERS))
    found = compare.run(
        Sizes(entries, subjects, k_anonymity, repeat, mirror_mib),
        chosen,
        lambda text: click.echo(f"bench: {text}", err=True),
    )
    report.print_rows(report.wide_console(), found)
    day = china_day(datetime.fromisoformat(found["machine"]["when"])).isoformat()
    path = target or compare.results_file(Path(__file__).parent / "results", day, entries)
    report.write_json(path, found)
    click.echo(f"figures: {path}")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def show(file: Path) -> None:
    """The table of an earlier run, from its JSON FILE."""
    report.print_rows(report.wide_console(), json.loads(file.read_text(encoding="utf-8")))


def finish(figures: dict[str, Any], target: str | None) -> None:
    """Show figures or write them to `target`; exit 1 when something they count is wrong."""
    if target == "-":
        click.echo(json.dumps(figures, ensure_ascii=False))
    else:
        report.print_figures(report.wide_console(), figures)
        if target:
            report.write_json(Path(target), figures)
    if figures.get("wrong") or figures.get("single_wrong"):
        click.echo("bench: error: some answers differ from the plain join", err=True)
        sys.exit(1)


def check_sizes(entries: int, subjects: tuple[int, ...]) -> None:
    """Raises click.UsageError where there are not enough numbers in a province."""
    if entries + max(subjects) > bulk.PEOPLE:
        raise click.UsageError(f"a province holds {bulk.PEOPLE} numbers: ask for fewer")


if __name__ == "__main__":
    try:
        with stoppable():
            main()
    except ChildError as error:
        click.echo(f"bench: error: {error}", err=True)
        click.echo(f"bench: hint: {error.hint}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
