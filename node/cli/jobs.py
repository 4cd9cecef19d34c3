"""`heqiao jobs` and `heqiao report`: what the node is working on and what it found."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from node.cli.asking import show_report, watch_job, write_report
from node.cli.options import (
    address_option,
    home_option,
    json_option,
    lang_option,
    read_config,
    require_own_home,
    show,
)
from node.cli.terminal import print_table
from node.client.platform import Platform
from node.domain import catalogue as catalogues
from node.domain.days import china_time
from node.domain.findings import Report
from node.domain.job_progress import JobProgress
from node.domain.jobs import OPEN_STATES, SUM
from node.errors import InputError
from node.reports import kinds
from node.reports.charts import draw_histograms
from node.reports.kinds import AnyReport


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
    rows = [
        (
            job.job_id,
            job.owner,
            job.state,
            f"{china_time(job.created_at):%Y-%m-%d %H:%M}",
            str(job.subjects),
            ",".join(job.items),
            " ".join(f"{part.peer}:{part.state}" for part in job.parts),
        )
        for job in found
    ]
    print_table(("job", "owner", "state", "submitted (China)", "people", "items", "peers"), rows)


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
        last = watch_job(platform, job, hidden=as_json)
    show(_plain(last), f"job {job}: {last.state}", as_json=as_json)


@jobs.command()
@home_option
@json_option
@address_option
@click.argument("job")
def cancel(home: Path, as_json: bool, address: str | None, job: str) -> None:
    """Cancel a job; finished parts stay in its report."""
    with Platform.open(home, address) as platform:
        stopped = platform.cancel(job)
    state = stopped.state
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
    catalogue = catalogues.load(read_config(home).catalogue.path)
    pictures = {"png": png, "svg": svg}
    found = _find(home, address, job, fetch=out is not None)
    if isinstance(found, Report) and any(pictures.values()):
        raise InputError("only sums are drawn: this is a verification", "leave out --png and --svg")
    if out is not None:
        require_own_home(out)
        out.mkdir(parents=True, exist_ok=True)
        write_report(found, catalogue, out, as_json=as_json, lang=lang)
    elif as_json:
        show(kinds.to_json(found, catalogue), "", as_json=True)
    else:
        show_report(found, catalogue, lang)
    _draw(found, catalogue, pictures, lang)


def _find(home: Path, address: str | None, job: str, *, fetch: bool) -> AnyReport:
    path = Path(job) / kinds.JSON_FILE if Path(job).is_dir() else Path(job)
    if not fetch and path.is_file():
        return kinds.load(path)
    with Platform.open(home, address) as platform:
        kind = next(iter(platform.watch(job))).kind
        return platform.sum_report(job) if kind == SUM else platform.report(job)


def _draw(
    found: AnyReport, catalogue: catalogues.Catalogue, pictures: Mapping[str, Path | None], lang: str
) -> None:
    for kind, target in pictures.items():
        if target is None:
            continue
        as_asked = draw_histograms(
            lambda language: kinds.document(found, catalogue, language), lang, target, kind
        )
        note = "" if as_asked else " (in English: no font here has the Chinese characters)"
        click.echo(f"{kind}: {target}{note}", err=True)


def _plain(job: JobProgress) -> dict[str, object]:
    plain = asdict(job)
    for key in ("created_at", "due_at", "finished_at"):
        plain[key] = plain[key].isoformat() if plain[key] else None
    for part in plain["parts"]:
        part["retry_at"] = part["retry_at"].isoformat() if part["retry_at"] else None
    return plain
