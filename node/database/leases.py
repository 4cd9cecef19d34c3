"""Leases: a process of a node needs one to do a piece of work, such as a job (docs/data-model.md).

Only the database's clock decides whether a lease has expired, because the clocks of processes differ and a
process may be stopped at any moment. Each acquire increases the number of the lease. Every write of the work
checks that number and is refused when a higher one exists.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from node.database.engine import Store
from node.database.tables import leases, task_runs
from node.errors import LeaseLostError

# Timeout of a write that holds a lease's row: it contains no computation, so it takes milliseconds.
# PostgreSQL ends the transaction of a process that was stopped within one, or whose machine has failed, so
# that another process can take over.
IDLE_WRITE_MS = 10_000
T = TypeVar("T")
# Shared, because the parts of a job write concurrently; a takeover waits until they have committed.
# A write transaction of SQLite locks the whole database. Built once, as every write of a job needs it.
_HELD = select(leases.c.number).where(leases.c.name == bindparam("name")).with_for_update(read=True)


class DatabaseTime(FunctionElement[float]):
    """The database's clock, in seconds since 1970."""

    type = Double()
    inherit_cache = True


@compiles(DatabaseTime, "sqlite")
def _sqlite_time(_element: DatabaseTime, _compiler: SQLCompiler, **_options: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseTime, "postgresql")
def _postgresql_time(_element: DatabaseTime, _compiler: SQLCompiler, **_options: object) -> str:
    # Not CURRENT_TIMESTAMP, the start of the transaction, which may have waited for another one since.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"


# Built once, as `_HELD`: every job takes and releases a lease, and each task is looked at every second.
_NAMED = leases.c.name == bindparam("of_name")
_OWN = (_NAMED, leases.c.number == bindparam("held"))
_END = DatabaseTime() + bindparam("seconds", type_=Double())
_NUMBER = select(leases.c.number).where(_NAMED)
_TAKE = (
    update(leases)
    .where(_NAMED, leases.c.expires_at <= DatabaseTime())
    .values(number=leases.c.number + 1, expires_at=_END)
    .returning(leases.c.number)
)
_FIRST = insert(leases).values(name=bindparam("of_name"), number=1, expires_at=_END)
_RENEW = update(leases).where(*_OWN).values(expires_at=_END)
_RELEASE = update(leases).where(*_OWN).values(number=leases.c.number + 1, expires_at=0.0)
_PASSED = select(task_runs.c.task, (DatabaseTime() - task_runs.c.ended_at).label("passed"))
_DUE = select(task_runs.c.ended_at + bindparam("every_s", type_=Double()) <= DatabaseTime()).where(
    task_runs.c.task == bindparam("of_task")
)


@dataclass(frozen=True, slots=True, eq=False)
class Lease:
    """The right of this process to write for one piece of work, until another process has taken it over.

    `stopping` is set when the work must stop: the node stops, or the lease is lost.
    """

    store: Store
    name: str
    number: int
    stopping: threading.Event = field(default_factory=threading.Event)

    def write(self, what: str, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction that only the holder of the current lease may commit.

        Raises LeaseLostError, and as `Store.retry_write` does.
        """

        def write(tx: Connection) -> T:
            require(tx, self.name, self.number)
            return work(tx)

        try:
            return self.store.retry_write(what, write)
        except LeaseLostError:
            self.stopping.set()
            raise


def acquire(tx: Connection, name: str, seconds: float) -> int | None:
    """Take a lease that is free or has expired; returns its number, None where it is held.

    Raises ConflictError when another transaction creates the lease at the same moment: try again.
    """
    taken = tx.execute(_TAKE, {"of_name": name, "seconds": seconds}).scalar_one_or_none()
    if taken is not None:
        return int(taken)
    if tx.scalar(_NUMBER, {"of_name": name}) is not None:
        return None
    tx.execute(_FIRST, {"of_name": name, "seconds": seconds})
    return 1


def require(tx: Connection, name: str, number: int) -> None:
    """Lock a lease's row for the rest of the transaction. Raises LeaseLostError unless it has this number."""
    if tx.dialect.name == "postgresql":
        limit = func.set_config(
            "idle_in_transaction_session_timeout", str(IDLE_WRITE_MS), literal_column("true")
        )
        tx.execute(select(limit))
    if tx.scalar(_HELD, {"name": name}) != number:
        raise LeaseLostError("another process has taken over this work")


def renew(tx: Connection, name: str, number: int, seconds: float) -> bool:
    """Extend a lease from now; False when another process has taken it over."""
    return tx.execute(_RENEW, {"of_name": name, "held": number, "seconds": seconds}).rowcount > 0


def release(tx: Connection, name: str, number: int) -> None:
    """Free the lease for other processes at once. Late writes with its number are refused."""
    tx.execute(_RELEASE, {"of_name": name, "held": number})


def is_held(name: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether some process holds the lease of a name, as a condition within another statement."""
    return exists().where(leases.c.name == name, leases.c.expires_at > DatabaseTime())


def holds(tx: Connection, name: str, number: int) -> bool:
    """Whether the lease is held at this moment, with this number."""
    held = (leases.c.name == name, leases.c.number == number, leases.c.expires_at > DatabaseTime())
    return tx.scalar(select(leases.c.number).where(*held)) is not None


def is_due(tx: Connection, task: str, every_s: float) -> bool:
    """Whether a periodic task never ran, or ended at least `every_s` seconds ago."""
    due = tx.scalar(_DUE, {"of_task": task, "every_s": every_s})
    return due is None or bool(due)


def due_tasks(tx: Connection, every_s: Mapping[str, float]) -> set[str]:
    """Those of the periodic tasks that never ran, or ended at least so many seconds ago."""
    passed = {row.task: row.passed for row in tx.execute(_PASSED)}
    return {task for task, least in every_s.items() if task not in passed or passed[task] >= least}


def note_run(tx: Connection, task: str) -> None:
    """Note that a periodic task has ended now."""
    known = tx.execute(update(task_runs).where(task_runs.c.task == task).values(ended_at=DatabaseTime()))
    if not known.rowcount:
        tx.execute(insert(task_runs).values(task=task, ended_at=DatabaseTime()))


def job_lease(job: str) -> str:
    """Name of the lease under which a job runs."""
    return f"job {job}"
