"""Periodic work of a node: of several processes on one database, one does it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from node.context import Node
from node.database import leases as lease_rows
from node.database.leases import Lease
from node.errors import LeaseLostError, NodeError
from node.jobs.leases import Leases
from node.telemetry import log

LEASE = "scheduler"


@dataclass(frozen=True, slots=True)
class Task:
    """Work that is done again when `every` has passed since it last ended, in whichever process.

    `run` is given the lease: it stops soon when `lease.stopping` is set, and writes with `lease.write`.
    """

    name: str
    every: timedelta
    run: Callable[[Lease], None]


class Scheduler:
    """Runs tasks one after another, under its own lease, in a thread of this process.

    A task that fails is logged and waits for its next turn. A process that is killed in the middle of one
    leaves it to the next. Tasks that may take hours have a scheduler and a `lease` of their own.
    """

    def __init__(
        self, node: Node, leases: Leases, tasks: Sequence[Task], poll_s: float, lease: str = LEASE
    ) -> None:
        self._lease = lease
        self._store, self._leases, self._tasks, self._poll_s = node.store, leases, tasks, poll_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=lease, daemon=True)

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Let the running task end. The leases are interrupted already."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def run_due(self, lease: Lease) -> list[str]:
        """Run the tasks that are due, by the database's clock; their names. Raises as `Lease.write` does."""
        ran: list[str] = []
        due = self._due()
        for task in self._tasks:
            if task.name not in due or lease.stopping.is_set():
                continue
            self._run(task, lease)
            lease.write("note task", partial(lease_rows.note_run, task=task.name))
            ran.append(task.name)
            due = self._due()  # it may have taken hours, in which another process was first
        return ran

    def _due(self) -> set[str]:
        """One statement for all tasks, since it is asked all the time and nearly always finds none."""
        every_s = {task.name: task.every.total_seconds() for task in self._tasks}
        with self._store.transaction("look at tasks") as tx:
            return lease_rows.due_tasks(tx, every_s)

    def _run(self, task: Task, lease: Lease) -> None:
        try:
            task.run(lease)
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001 - the other tasks go on
            log.get_logger().error(
                "task_failed", reason=task.name, kind=type(error).__name__, where=log.where(error)
            )

    def _serve(self) -> None:
        while not self._stopping.wait(self._poll_s):
            try:
                with self._leases.hold(self._lease) as lease:
                    while lease is not None and not lease.stopping.is_set():
                        self.run_due(lease)
                        lease.stopping.wait(self._poll_s)
            except NodeError as error:  # the lease was lost, or the database is unreachable
                log.get_logger().warning("scheduler_waits", code=error.code, where=log.where(error))
