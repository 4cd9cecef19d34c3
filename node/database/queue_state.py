"""How many jobs wait and run, how many are late, and what the database's clock shows."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from node.database.leases import DatabaseTime
from node.database.tables import jobs


@dataclass(frozen=True, slots=True)
class QueueState:
    """Jobs by state; `overdue` are those that wait or run although their time is over."""

    queued: int
    running: int
    overdue: int


def read_queue(tx: Connection, now: datetime) -> QueueState:
    """The jobs that have not ended."""
    is_open = jobs.c.state.in_(("queued", "running"))
    by_state = select(jobs.c.state, func.count().label("jobs")).where(is_open).group_by(jobs.c.state)
    counts = {row.state: row.jobs for row in tx.execute(by_state)}
    late = tx.scalar(select(func.count()).select_from(jobs).where(is_open, jobs.c.due_at < now)) or 0
    return QueueState(counts.get("queued", 0), counts.get("running", 0), int(late))


def read_clock(tx: Connection) -> datetime:
    """The database's clock."""
    return datetime.fromtimestamp(float(tx.scalar(select(DatabaseTime())) or 0.0), UTC)
