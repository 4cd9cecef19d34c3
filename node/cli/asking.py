"""What `heqiao verify`, `heqiao sum` and `heqiao jobs` have in common: a job's progress and its report."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from rich.console import Console

from node.cli.options import count, require_own_home, show
from node.cli.report_files import count_issued, write_files
from node.cli.terminal import show_progress
from node.client.platform import Platform
from node.domain.catalogue import Catalogue
from node.domain.days import china_minute
from node.domain.findings import PeerSummary
from node.domain.job_progress import JobProgress, PartProgress
from node.domain.records import Reject
from node.errors import DishonestPeerError, PreconditionError, UnavailableError
from node.reports import files, kinds, text
from node.reports.kinds import AnyReport
from node.reports.signature import Signer
from node.tabular import fields


def prepare_folder(rejects: Sequence[Reject], source: str, out: Path) -> None:
    """Make the folder of the report, with the rows of the source that cannot be used."""
    require_own_home(out)
    out.mkdir(parents=True, exist_ok=True)
    if rejects:
        path = out / "rejects.csv"
        fields.write_rejects(path, rejects)
        click.echo(f"{count(len(rejects), 'row')} of {source} cannot be used: see {path}", err=True)


def wait_for_job(
    platform: Platform,
    job: str,
    people: int,
    rejected: int,
    *,
    detach: bool,
    as_json: bool,
    chosen: bool = False,
) -> bool:
    """Print a new job's id and wait for its end; False with --detach.

    Where the node has `chosen` the peers (--peers auto), says which were chosen, and why others were not.
    """
    if detach:
        show({"job": job, "rejected_rows": rejected}, f"job {job}", as_json=as_json)
        return False
    click.echo(f"job {job}: {count(people, 'person', 'people')}", err=True)
    last = watch_job(platform, job, hidden=as_json, wait_for_away=False)
    left = _left_out(last)
    if last.state == "failed" and not last.parts:
        raise PreconditionError(
            f"no peer offers one of the items and grants it{': ' if left else ''}{left}",
            "`heqiao doctor` shows what each peer offers; ask their administrators",
        )
    if chosen:
        click.echo(describe_choice(last), err=True)
    if last.only_waits:
        away = ", ".join(part.peer for part in last.parts if part.is_away)
        click.echo(
            f"no answer from {away} yet: the node asks again, and `heqiao report {job}` then has it", err=True
        )
    return True


def describe_choice(job: JobProgress) -> str:
    """Which peers a node chose, and why it left others out."""
    asked = ", ".join(f"{part.peer} {part.name}" for part in job.parts) or "nobody"
    left = _left_out(job)
    return f"provinces chosen: {asked}; left out: {left or 'none'}"


def _left_out(job: JobProgress) -> str:
    return ", ".join(f"{one.peer} {one.reason}" for one in job.left_out)


def watch_job(platform: Platform, job: str, *, hidden: bool, wait_for_away: bool = True) -> JobProgress:
    """Show a job's progress until it ends, or only waits for peers that are away.

    Raises UnavailableError when the node sends no progress.
    """
    last = None
    with show_progress(hidden=hidden) as update:
        for last in platform.watch(job):
            for part in last.parts:
                update(part.peer, part.done, part.total, f"{part.peer} {part.name}: {describe_state(part)}")
            if last.only_waits and not wait_for_away:
                break
    if last is None:
        raise UnavailableError("the node sends no progress of this job", "run the command again")
    return last


def describe_state(part: PartProgress) -> str:
    """The state of a part; of one that waits for the peer's quota, until when."""
    if part.retry_at is None:
        return part.state
    return f"{part.state} until {china_minute(part.retry_at)} ({part.reason})"


def write_report(
    report: AnyReport,
    catalogue: Catalogue,
    out: Path,
    *,
    as_json: bool,
    lang: str,
    rejected: int = 0,
    formats: tuple[str, ...] = files.DEFAULT,
    signer: Signer | None = None,
    platform: Platform | None,
) -> None:
    """Write the report's files, signed where there is a signer, have the node count them, show the report,
    and fail when a peer gave wrong answers. Raises DishonestPeerError.
    """
    names = write_files(report, catalogue, out, formats, lang, signer, hidden=as_json)
    count_issued(platform, report.job, names)
    if as_json:
        short = kinds.to_short_json(report, catalogue)
        plain = {"out": str(out), "files": names, "signed": signer is not None, "rejected_rows": rejected}
        show({**short, **plain}, "", as_json=True)
    else:
        show_report(report, catalogue, lang)
        click.echo(f"report: {', '.join(str(out / name) for name in names)}")
    require_honest(report.peers)


def show_report(report: AnyReport, catalogue: Catalogue, lang: str) -> None:
    """Show the tables of a report."""
    Console().print(text.render(kinds.document(report, catalogue, lang)))


def require_honest(peers: Iterable[PeerSummary]) -> None:
    """Fail when a peer gave wrong answers. Raises DishonestPeerError."""
    wrong = [peer.peer for peer in peers if peer.state == "distrusted"]
    if wrong:
        raise DishonestPeerError(
            f"wrong answers from {', '.join(wrong)}: none of its answers is in the report",
            "tell the peer's administrator; the reason is in the report's table of peers",
        )
