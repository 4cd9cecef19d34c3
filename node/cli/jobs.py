"""`heqiao jobs`: what the node is working on."""

from pathlib import Path

import click

from node.cli.asking import watch_job
from node.cli.jobs_deadlines import deadlines, retry, show_job
from node.cli.jobs_statistics import statistics
from node.cli.node_link import open_platform
from node.cli.options import address_option, home_option, json_option, show
from node.cli.terminal import print_table
from node.domain.days import china_time
from node.domain.job_progress import PartProgress
from node.domain.jobs import OPEN_STATES, STATES


@click.group()
def jobs() -> None:
    """List, watch and cancel verifications and sums."""


for command in (show_job, retry, deadlines, statistics):
    jobs.add_command(command)


@jobs.command("list")
@home_option
@json_option
@address_option
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most jobs to show."
)
@click.option(
    "--state", "states", type=click.Choice(STATES), multiple=True, help="Only these states; may be repeated."
)
@click.option("--unit", default="", help="Only jobs of this unit (12 digits) and of those below it.")
@click.option("--after", default="", metavar="NEXT", help="Go on after a page, as it says.")
def list_(
    home: Path,
    as_json: bool,
    address: str | None,
    limit: int,
    states: tuple[str, ...],
    unit: str,
    after: str,
) -> None:
    """List jobs, newest first."""
    with open_platform(home, address) as platform:
        found = platform.jobs(limit, after=after, states=states, unit=unit)
    if as_json:
        show({"jobs": [job.plain() for job in found.jobs], "next": found.next}, "", as_json=True)
        return
    rows = [
        (
            job.job_id,
            job.owner,
            job.state,
            f"{china_time(job.created_at):%Y-%m-%d %H:%M}",
            str(job.subjects),
            ", ".join(job.items),
            " ".join(map(_part, job.parts)),
        )
        for job in found.jobs
    ]
    print_table(("job", "owner", "state", "submitted (China)", "people", "items", "peers"), rows)
    if found.next:
        click.echo(f"more: --after {found.next}")


@jobs.command()
@home_option
@json_option
@address_option
@click.argument("job")
def watch(home: Path, as_json: bool, address: str | None, job: str) -> None:
    """Watch a job until it ends.

    JOB is the id that `heqiao verify` printed; `heqiao jobs list` shows all of them.
    """
    with open_platform(home, address) as platform:
        last = watch_job(platform, job, hidden=as_json)
    show(last.plain(), f"job {job}: {last.state}", as_json=as_json)


@jobs.command()
@home_option
@json_option
@address_option
@click.argument("job")
def cancel(home: Path, as_json: bool, address: str | None, job: str) -> None:
    """Cancel a job; finished parts stay in its report."""
    with open_platform(home, address) as platform:
        stopped = platform.cancel(job)
    state = stopped.state
    text = f"cancelling job {job}" if state in OPEN_STATES else f"job {job} has already ended: {state}"
    show(stopped.plain(), text, as_json=as_json)


def _part(part: PartProgress) -> str:
    """Province and state; ! where the node has warned that there is no answer."""
    return f"{part.peer}:{part.state}{'' if part.warned_at is None else '!'}"
