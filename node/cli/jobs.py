"""`heqiao jobs` and `heqiao report`: what the node is working on and what it found."""

from collections.abc import Mapping
from pathlib import Path

import click
from google.protobuf.json_format import MessageToDict
from heqiao.platform.v1 import platform_pb2 as pb
from rich.console import Console
from rich.table import Table

from node.cli.options import address_option, home_option, json_option, lang_option, load_config, show
from node.cli.sum import write_sums
from node.cli.verify import follow, write_report
from node.client.platform import Platform
from node.domain import catalogue as catalogues
from node.domain.jobs import OPEN_STATES
from node.domain.sum_findings import SumReport
from node.errors import InputError
from node.reports import sums
from node.reports import verification as reports
from node.reports.charts import draw_histograms
from node.wire.platform import STATE_NAMES


@click.group()
def jobs() -> None:
    """List, watch and cancel verifications and sums."""


@jobs.command("list")
@home_option
@json_option
@address_option
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most jobs to show."
)
def list_(home: Path, as_json: bool, address: str | None, limit: int) -> None:
    """List jobs, newest first."""
    with Platform.open(home, address) as platform:
        found = platform.jobs(limit)
    if as_json:
        show({"jobs": [_plain(job) for job in found]}, "", as_json=True)
        return
    table = Table("job", "state", "submitted (UTC)", "people", "items", "peers")
    for job in found:
        table.add_row(
            job.job_id,
            STATE_NAMES[job.state],
            job.created_at.ToDatetime().strftime("%Y-%m-%d %H:%M"),
            str(job.subjects),
            ",".join(job.items),
            " ".join(f"{part.peer}:{part.state}" for part in job.parts),
        )
    Console().print(table)


@jobs.command()
@home_option
@json_option
@address_option
@click.argument("job")
def watch(home: Path, as_json: bool, address: str | None, job: str) -> None:
    """Watch a job until it ends.

    JOB is the id that `heqiao verify` printed; `heqiao jobs list` shows all of them.
    """
    with Platform.open(home, address) as platform:
        last = follow(platform, job, hidden=as_json)
    show(_plain(last), f"job {job}: {STATE_NAMES[last.state]}", as_json=as_json)


@jobs.command()
@home_option
@json_option
@address_option
@click.argument("job")
def cancel(home: Path, as_json: bool, address: str | None, job: str) -> None:
    """Cancel a job; finished parts stay in its report."""
    with Platform.open(home, address) as platform:
        stopped = platform.cancel(job)
    state = STATE_NAMES[stopped.state]
    text = f"cancelling job {job}" if state in OPEN_STATES else f"job {job} has already ended: {state}"
    show(_plain(stopped), text, as_json=as_json)


@click.command()
@home_option
@json_option
@address_option
@lang_option
@click.argument("job")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write the files of the report to.  [default: only show the tables]",
)
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False),
              help="Also draw the histograms of a sum into this PNG file.")  # fmt: skip
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False),
              help="Also draw the histograms of a sum into this SVG file.")  # fmt: skip
def report(
    home: Path,
    as_json: bool,
    address: str | None,
    lang: str,
    job: str,
    out: Path | None,
    png: Path | None,
    svg: Path | None,
) -> None:
    """Fetch the report of a job, or show one again.

    JOB is the id of a verification or sum that has ended or, without --out, a report.json (or the folder that
    holds it) to show once more.

    \b
    heqiao report --home 45 v-0123456789abcdef --out found
    heqiao report --home 45 found/report.json --lang en
    heqiao report --home 45 sums --png sums.png
    """  # noqa: D301 - click wants the real \b character
    catalogue = catalogues.load(load_config(home).catalogue.path)
    pictures = {"png": png, "svg": svg}
    path = Path(job) / reports.JSON_FILE if Path(job).is_dir() else Path(job)
    if out is None and path.is_file():
        found = sums.load_json(path) if sums.is_sums(path) else reports.load_json(path)
    else:
        with Platform.open(home, address) as platform:
            summed = next(iter(platform.watch(job))).kind == pb.JOB_KIND_SUM
            found = platform.sum_report(job) if summed else platform.report(job)
    if isinstance(found, SumReport):
        _show_sums(found, catalogue, out, as_json=as_json, lang=lang)
        _draw(found, catalogue, pictures, lang)
        return
    if any(pictures.values()):
        raise InputError("only sums are drawn: this is a verification", "leave out --png and --svg")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_report(found, catalogue, out, as_json=as_json, lang=lang)
    elif as_json:
        show(reports.to_json(found, catalogue), "", as_json=True)
    else:
        Console().print(reports.render(found, catalogue, lang))


def _show_sums(
    found: SumReport, catalogue: catalogues.Catalogue, out: Path | None, *, as_json: bool, lang: str
) -> None:
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_sums(found, catalogue, out, as_json=as_json, lang=lang)
    elif as_json:
        show(sums.to_json(found, catalogue), "", as_json=True)
    else:
        Console().print(sums.render(found, catalogue, lang))


def _draw(
    found: SumReport, catalogue: catalogues.Catalogue, pictures: Mapping[str, Path | None], lang: str
) -> None:
    for kind, target in pictures.items():
        if target is None:
            continue
        spoken = draw_histograms(found, catalogue, lang, target, kind)
        note = "" if spoken else " (in English: no font here has the Chinese characters)"
        click.echo(f"{kind}: {target}{note}", err=True)


def _plain(job: pb.Job) -> dict[str, object]:
    plain: dict[str, object] = MessageToDict(
        job, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    plain["state"] = STATE_NAMES[job.state]
    return plain
