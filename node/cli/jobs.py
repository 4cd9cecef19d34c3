"""`heqiao jobs`: what the node is working on."""

from dataclasses import asdict
from pathlib import Path

import click

from node.cli.asking import watch_job
from node.cli.options import address_option, home_option, json_option, show
from node.cli.terminal import print_table
from node.client.platform import Platform
from node.domain.days import china_time
from node.domain.job_progress import JobProgress
from node.domain.jobs import OPEN_STATES


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


def _plain(job: JobProgress) -> dict[str, object]:
    plain = asdict(job)
    for key in ("created_at", "due_at", "finished_at"):
        plain[key] = plain[key].isoformat() if plain[key] else None
    for part in plain["parts"]:
        part["retry_at"] = part["retry_at"].isoformat() if part["retry_at"] else None
    return plain
