"""`heqiao report`: what the node found, shown or written in many formats, and checked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from node.cli import report_verify
from node.cli.asking import require_honest, show_report
from node.cli.node_link import open_platform
from node.cli.options import (
    address_option,
    home_option,
    json_option,
    lang_option,
    read_config,
    show,
)
from node.cli.report_each import each_run, prepare, show_json, write_each
from node.cli.report_files import count_issued, read_formats, signer_of, write_files
from node.client.platform import Platform
from node.domain import catalogue as catalogues
from node.domain.findings import Report
from node.domain.jobs import SUM
from node.errors import InputError
from node.federation.catalogue_file import load_catalogue
from node.reports import files, kinds
from node.reports.charts import draw_histograms
from node.reports.households import of_household
from node.reports.kinds import AnyReport
from node.reports.signature import Signer


class _WithVerify(click.Command):
    """`heqiao report verify FILE` is a command of its own; every other first word is a job."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of this command, or of `verify`."""
        if args[:1] == ["verify"]:
            return report_verify.verify.make_context(f"{info_name} verify", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_WithVerify)
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
@click.option("--format", "formats", metavar="FORMATS", callback=read_formats,
              help=f"With --out: {', '.join(files.FORMATS)} or all, separated by commas.  "
              "[default: text,json,csv]")  # fmt: skip
@click.option("--household", metavar="NUMBER", help="Only this household of a verification.")
@click.option("--each-household", "each", is_flag=True,
              help="With --out: a folder for each household, called by its report's number.")  # fmt: skip
@click.option("--unsigned", is_flag=True,
              help="With --out: write files without signature, also of a report.json.")  # fmt: skip
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
    formats: tuple[str, ...],
    household: str | None,
    each: bool,
    unsigned: bool,
    png: Path | None,
    svg: Path | None,
) -> None:
    """Fetch the report of a job, or show one again.

    JOB is the id of a verification or sum that has ended or, without --out or with --unsigned, a report.json
    (or the folder that holds it) to show once more. With --out a node signs what it writes: `heqiao report
    verify FILE` checks such a file, or a folder of them.

    \b
    heqiao report --home 45 v-0123456789abcdef --out found --format all
    heqiao report --home 45 found/report.json --lang en
    heqiao report --home 45 sums --png sums.png
    heqiao report verify found/report.pdf --home 45
    """  # noqa: D301 - click wants the real \b character
    start = prepare() if each and out is not None else None  # before this process knows a key
    config = read_config(home)
    catalogue = load_catalogue(config)
    pictures = {"png": png, "svg": svg}
    with _find(home, address, job, fetch=out is not None and not unsigned) as (found, platform):
        if isinstance(found, Report) and any(pictures.values()):
            raise InputError("only sums are drawn: this is a verification", "leave out --png and --svg")
        found = found if household is None else _only(found, household)
        if out is not None:
            signer = None if unsigned else signer_of(config)
            if each:
                run = each_run(out, catalogue, formats, lang, signer)
                names = write_each(found, run, start, as_json=as_json)
            else:
                names = _write(found, catalogue, out, formats, lang, signer, as_json=as_json)
            count_issued(platform, found.job, names)
        elif as_json:
            show_json(found, catalogue)
        else:
            show_report(found, catalogue, lang)
    _draw(found, catalogue, pictures, lang)
    if out is not None:
        require_honest(found.peers)


@contextmanager
def _find(
    home: Path, address: str | None, job: str, *, fetch: bool
) -> Iterator[tuple[AnyReport, Platform | None]]:
    """The report, and the node that it was fetched from, if any.

    What is signed was fetched from the node: a file may have been altered before.
    """
    path = Path(job) / kinds.JSON_FILE if Path(job).is_dir() else Path(job)
    if not fetch and path.is_file():
        yield kinds.load(path), None
        return
    with open_platform(home, address) as platform:
        kind = next(iter(platform.watch(job))).kind
        yield platform.sum_report(job) if kind == SUM else platform.report(job), platform


def _only(found: AnyReport, household: str) -> AnyReport:
    if not isinstance(found, Report):
        raise InputError("a sum has no households", "leave out --household")
    return of_household(found, household)


def _write(
    found: AnyReport,
    catalogue: catalogues.Catalogue,
    out: Path,
    formats: tuple[str, ...],
    lang: str,
    signer: Signer | None,
    *,
    as_json: bool,
) -> list[str]:
    names = write_files(found, catalogue, out, formats, lang, signer, hidden=as_json)
    if as_json:
        short = kinds.to_short_json(found, catalogue)
        show({**short, "out": str(out), "files": names, "signed": signer is not None}, "", as_json=True)
        return names
    show_report(found, catalogue, lang)
    click.echo(f"report: {', '.join(str(out / name) for name in names)}")
    return names


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
