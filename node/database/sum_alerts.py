"""Alerts about sums: openings that only a peer which breaks the rules asks for (design.md section 5)."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from node.database.tables import sum_alerts


@dataclass(frozen=True, slots=True)
class SumAlert:
    """One alert; `lifted_at` is when administrators let the peer ask again."""

    peer: str
    query_id: bytes
    item: str
    rule: str
    at: datetime
    lifted_at: datetime | None = None


def add_alert(tx: Connection, alert: SumAlert) -> None:
    """Keep an alert, in the transaction that keeps the refused answer."""
    tx.execute(insert(sum_alerts).values(**asdict(alert)))


def list_alerts(tx: Connection, peer: str | None = None) -> list[SumAlert]:
    """All alerts, or those about one peer, oldest first."""
    query = select(sum_alerts).order_by(sum_alerts.c.at, sum_alerts.c.query_id, sum_alerts.c.item)
    if peer is not None:
        query = query.where(sum_alerts.c.peer == peer)
    return [SumAlert(*row) for row in tx.execute(query)]


def count_alerts(tx: Connection, peer: str, since: datetime) -> int:
    """How many alerts about a peer count, from an instant on: none that was lifted."""
    where = (sum_alerts.c.peer == peer, sum_alerts.c.at >= since, sum_alerts.c.lifted_at.is_(None))
    return tx.scalar(select(func.count()).select_from(sum_alerts).where(*where)) or 0


def lift_alerts(tx: Connection, peer: str, now: datetime) -> int:
    """Let no earlier alert count any more; how many did."""
    where = (sum_alerts.c.peer == peer, sum_alerts.c.lifted_at.is_(None))
    return tx.execute(update(sum_alerts).where(*where).values(lifted_at=now)).rowcount


def remove_old(tx: Connection, before: datetime) -> None:
    """Delete alerts before an instant, lifted or not."""
    tx.execute(delete(sum_alerts).where(sum_alerts.c.at < before))
