"""Imports of sources at their time of day, by the serving process that holds the lease (docs/sources.md).

Each runs in a process of its own, as the command does: it has its own memory, takes no time from answers, and
ends when this process stops or has lost the lease.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

from node.context import Node
from node.database import leases as lease_rows
from node.database.leases import Lease
from node.domain.days import latest_planned
from node.governance.own_work import make_ticket
from node.jobs.scheduler import Task
from node.registers.source_store import SourceFolder
from node.telemetry import log

LEASE: Final = "sources"  # of its own: an import of hours holds up no other periodic task
_COMMAND: Final = (sys.executable, "-P", "-c", "from node.cli import main; main()")
_IMPORT: Final = "sources import"
_POLL_S: Final = 0.2
_END_S: Final = 10
Runner = Callable[[Lease, str], int]


def source_tasks(node: Node, home: Path) -> tuple[Task, ...]:
    """The tasks of a node: one that looks each minute which sources are due."""
    runner = partial(run_command, node, home)

    def run(lease: Lease) -> None:
        run_due_sources(node, lease, runner)

    return (Task("sources_due", timedelta(minutes=1), run),)


def run_due_sources(node: Node, lease: Lease, runner: Runner) -> Sequence[str]:
    """Import every source whose time has come since it ran last; their items. Raises as `Lease.write` does.

    A source that was added or changed after its time waits for the next. One that fails waits for it too.
    """
    ran = []
    for one in SourceFolder(node.config.folder).list():
        timed = one.file.schedule if one.file else None
        if timed is None or lease.stopping.is_set():
            continue
        now, task = node.clock(), f"source {one.item}"
        planned = latest_planned(now, timed.time, timed.every)
        if planned.timestamp() < one.changed_at or not _is_due(node, task, now - planned):
            continue
        # Noted before: an import that ends this process is not begun again at once.
        lease.write("note source", partial(lease_rows.note_run, task=task))
        code = runner(lease, one.item)
        state = "stopped" if lease.stopping.is_set() else "failed" if code else "imported"
        report = log.get_logger().error if state == "failed" else log.get_logger().info
        report("source_ran", item=one.item, state=state, seconds=round((node.clock() - now).total_seconds()))
        ran.append(one.item)
    return ran


def run_command(node: Node, home: Path, lease: Lease, item: str) -> int:
    """Run `heqiao sources import` in the node's own name until it ends or the lease does; its exit code."""
    ticket = make_ticket(node.keys.digest_key, lease, f"{_IMPORT} {item}")
    with subprocess.Popen(  # noqa: S603 - our own command
        [*_COMMAND, "--own-work", *_IMPORT.split(), item, "--home", str(home), "--wait", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        with suppress(BrokenPipeError), process.stdin or BytesIO() as pipe:  # where it ended, its code tells
            pipe.write(ticket.encode())
        while process.poll() is None:
            if lease.stopping.wait(_POLL_S):
                _end(process)
    return process.returncode


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _is_due(node: Node, task: str, since: timedelta) -> bool:
    with node.store.transaction("look at source") as tx:
        return lease_rows.is_due(tx, task, since.total_seconds())
