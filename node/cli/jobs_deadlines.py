"""`heqiao jobs show`, `retry` and `deadlines`: who has not answered yet, and who is asked again."""

from pathlib import Path

import click

from node.cli.asking import describe_state
from node.cli.due_days import ESTIMATED, due_day
from node.cli.node_link import open_platform
from node.cli.options import address_option, home_option, json_option, show
from node.cli.terminal import print_table
from node.domain.days import china_day, china_minute
from node.domain.job_progress import Deadline, JobProgress, PartProgress
from node.domain.jobs import PartClock
from node.errors import NotFoundError

MOST = 1_000


@click.command("show")
@home_option
@json_option
@address_option
@click.argument("job")
def show_job(home: Path, as_json: bool, address: str | None, job: str) -> None:
    """Show a job, its deadlines, and how earlier attempts ended.

    JOB is the id that `heqiao verify` printed; `heqiao jobs list` shows all of them. A day marked 估算 is
    estimated: the holidays of its year are not known to this node.
    """
    with open_platform(home, address) as platform:
        found = next((one for one in platform.watch(job)), None)
    if found is None:
        raise NotFoundError("there is no such job", "see `heqiao jobs list`")
    if as_json:
        show(found.plain(), "", as_json=True)
        return
    click.echo(_head(found))
    print_table(
        ("peer", "state", "asked (China)", "due", "closed", "remarks"),
        [
            (f"{part.peer} {part.name}", describe_state(part), *_clock(part.clock), _remarks(part))
            for part in found.parts
        ],
    )
    for left in found.left_out:
        click.echo(f"not asked: {left.peer} {left.name}: {left.reason}")


@click.command()
@home_option
@json_option
@address_option
@click.argument("job")
@click.option("--peer", required=True, metavar="CODE", help="The province to ask again, such as 33.")
def retry(home: Path, as_json: bool, address: str | None, job: str, peer: str) -> None:
    """Ask one province of a job again.

    For a part that is refused, unavailable or overdue, or of which an item was refused. The other parts are
    kept, and the report then has the newest answers, and how the earlier attempts ended.
    """
    with open_platform(home, address) as platform:
        found = platform.retry(job, peer)
    show(found.plain(), f"job {job} asks {peer} again", as_json=as_json)


@click.command()
@home_option
@json_option
@address_option
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="Most parts to show."
)
def deadlines(home: Path, as_json: bool, address: str | None, limit: int) -> None:
    """List provinces that have not answered yet.

    The first due first. warned: no answer for some days; due: the answer was due, and the province is still
    asked; held: it would be closed, but its day is estimated (估算), which never closes a case.
    """
    with open_platform(home, address) as platform:
        found, missing = platform.deadlines(limit)
    if as_json:
        show({"deadlines": [one.plain() for one in found], "missing_year": missing}, "", as_json=True)
        return
    rows = [
        (one.job_id, f"{one.peer} {one.name}", one.stage, one.state, *_clock(one.clock), _warned(one))
        for one in found
    ]
    print_table(("job", "peer", "stage", "state", "asked (China)", "due", "closed", "warned"), rows)
    if missing:
        click.echo(missing_text(missing), err=True)


def missing_text(year: int) -> str:
    """That the working days of a year are not known."""
    return (
        f"the holidays of {year} are not known here: days marked {ESTIMATED} count Monday to Friday, and "
        "close nothing; upgrade chinesecalendar, or name a table under [calendar]"
    )


def _head(job: JobProgress) -> str:
    mark = f" {ESTIMATED}" if job.due_estimated else ""
    lines = [f"job {job.job_id}: {job.state}, due {china_minute(job.due_at)}{mark}"]
    if job.report_by is not None:
        lines.append(f"report by {china_day(job.report_by)}, with who has not answered shown as such")
    return "\n".join(lines)


def _clock(clock: PartClock | None) -> tuple[str, str, str]:
    if clock is None:
        return "", "", ""
    return (
        china_minute(clock.asked_at),
        due_day(clock.due_at, estimated=clock.due_estimated),
        due_day(clock.closes_at, estimated=clock.close_estimated),
    )


def _remarks(part: PartProgress) -> str:
    texts = [] if part.warned_at is None else [f"warned {china_day(part.warned_at)}"]
    texts += [f"{china_day(one.ended_at)}: {one.state} {one.reason}".rstrip() for one in part.attempts]
    return "; ".join(texts)


def _warned(one: Deadline) -> str:
    return "" if one.warned_at is None else china_day(one.warned_at).isoformat()
