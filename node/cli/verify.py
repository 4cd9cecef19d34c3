"""`heqiao verify`: ask other provinces about a county's list, through the own node."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from heqiao.platform.v1 import platform_pb2 as pb
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from node.cli.options import asking_options, count, home_option, json_option, load_config, show, split_codes
from node.client.platform import Platform
from node.domain import catalogue as catalogues
from node.domain.findings import PeerSummary, Report
from node.domain.mandate import PROGRAMMES
from node.domain.records import Reject
from node.domain.verification import Verification
from node.errors import DishonestPeerError, InputError
from node.reports import verification as report
from node.tabular import fields
from node.tabular.person_lists import read_households, read_mandates


@click.command()
@home_option
@json_option
@click.option(
    "--households",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The county's list: one row per person, with household, member and mandate number (CSV).",
)
@click.option(
    "--mandates",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The mandates that the list names (CSV).  [default: mandates.csv beside it]",
)
@click.option(
    "--items",
    required=True,
    metavar="CODES",
    callback=split_codes,
    help="Items such as C21,C22; `heqiao catalogue` lists them.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for report.json, findings.csv, summary.txt and, if there are any, rejects.csv.",
)
@click.option("--purpose", type=click.Choice(PROGRAMMES), default="new_application", show_default=True,
              metavar="CODE", help=f"Why the list is verified: {', '.join(PROGRAMMES)}.")  # fmt: skip
@click.option(
    "--legal-basis",
    default="",
    metavar="CODE",
    help="Code of the legal basis; recorded in the audit chains of both sides and in the report.",
)
@asking_options
def verify(
    home: Path,
    as_json: bool,
    households: Path,
    mandates: Path | None,
    items: tuple[str, ...],
    peers: tuple[str, ...],
    out: Path,
    purpose: str,
    legal_basis: str,
    job: str | None,
    address: str | None,
    lang: str,
    detach: bool,
) -> None:
    """Verify a county's list with other provinces.

    The home's running node does it as a job, and this command writes the report. If the command or the
    node is stopped, the job continues later, and `heqiao report` fetches the report. A province that
    does not answer is shown as such and is no failure; exits 1 when a peer gave wrong answers.

    \b
    heqiao verify --home 45 --households list.csv --items C21,C22 --peers 44,33 --out found
    """  # noqa: D301 - click wants the real \b character
    config = load_config(home)
    catalogue = catalogues.load(config.catalogue.path)
    verification, rejects = _read(households, mandates, items, peers, purpose, legal_basis)
    for item in verification.items:
        catalogue.item(item)
    out.mkdir(parents=True, exist_ok=True)
    if rejects:
        fields.write_rejects(out / "rejects.csv", rejects)
        click.echo(
            f"{count(len(rejects), 'row')} of the lists cannot be used: see {out / 'rejects.csv'}", err=True
        )
    with Platform.open(home, address) as platform:
        found = platform.submit(verification, job)
        if detach:
            show({"job": found, "rejected_rows": len(rejects)}, f"job {found}", as_json=as_json)
            return
        click.echo(f"job {found}: {count(len(verification.subjects), 'person', 'people')}", err=True)
        follow(platform, found, hidden=as_json)
        finished = platform.report(found)
    write_report(finished, catalogue, out, as_json=as_json, lang=lang, rejected=len(rejects))


def follow(platform: Platform, job: str, *, hidden: bool) -> pb.Job:
    """Show a job's progress until it ends."""
    last = pb.Job()
    with _progress(hidden=hidden) as bar:
        tasks: dict[str, TaskID] = {}
        for last in platform.watch(job):
            for part in last.parts:
                if part.peer not in tasks:
                    tasks[part.peer] = bar.add_task("", total=None)
                text = f"{part.peer} {part.name}: {part.state}"
                bar.update(tasks[part.peer], description=text, completed=part.done, total=part.total or None)
    return last


def write_report(
    finished: Report,
    catalogue: catalogues.Catalogue,
    out: Path,
    *,
    as_json: bool,
    lang: str,
    rejected: int = 0,
) -> None:
    """Write the report's files, show it, and fail when a peer gave wrong answers."""
    report.write(finished, catalogue, out)
    summary = {"job": finished.job, "state": finished.state, "out": str(out), "rejected_rows": rejected}
    if as_json:
        plain = report.to_json(finished, catalogue)
        show({**summary, "summary": plain["summary"], "peers": plain["peers"]}, "", as_json=True)
    else:
        Console().print(report.render(finished, catalogue, lang))
        click.echo(f"report: {out / 'report.json'}, {out / 'findings.csv'}, {out / 'summary.txt'}")
    require_honest(finished.peers)


def require_honest(peers: Iterable[PeerSummary]) -> None:
    """Fail when a peer gave wrong answers. Raises DishonestPeerError."""
    wrong = [peer.peer for peer in peers if peer.state == "distrusted"]
    if wrong:
        raise DishonestPeerError(
            f"wrong answers from {', '.join(wrong)}: nothing of it is in the report",
            "tell the peer's administrator; the reason is in the report's table of peers",
        )


def _read(
    households: Path,
    mandates: Path | None,
    items: tuple[str, ...],
    peers: tuple[str, ...],
    purpose: str,
    legal_basis: str,
) -> tuple[Verification, list[Reject]]:
    source = mandates or households.with_name("mandates.csv")
    if not source.is_file():
        raise InputError(
            f"{source}: no such file", "no mandate, no verification: name the list with --mandates"
        )
    subjects, bad_subjects = read_households(households)
    known, bad_mandates = read_mandates(source)
    if not subjects:
        raise InputError(f"{households}: no usable row", "the first rejected rows say why")
    named = {subject.mandate for subject in subjects}
    verification = Verification(
        items=items,
        peers=peers,
        purpose=purpose,
        legal_basis=legal_basis,
        subjects=tuple(subjects),
        mandates={number: mandate for number, mandate in known.items() if number in named},
    )
    return verification, bad_subjects + bad_mandates


@contextmanager
def _progress(*, hidden: bool) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=hidden or not sys.stderr.isatty()) as bar:
        yield bar
