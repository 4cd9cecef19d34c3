"""Alerts about sums: openings that only a peer which breaks the rules asks for (design.md section 5)."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from node.database.tables import sum_alerts


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert; `lifted_at` is when an administrator let the peer ask again."""

    peer: str
    query_id: bytes
    item: str
    rule: str
    at: datetime
    lifted_at: datetime | None = None


def add_alert(tx: Connection, alert: AlertRow) -> None:
    """Keep an alert, in the transaction that keeps the refused answer."""
    tx.execute(insert(sum_alerts).values(**asdict(alert)))


def list_alerts(tx: Connection, peer: str | None = None) -> list[AlertRow]:
    """All alerts, or those about one peer, oldest first."""
    query = select(sum_alerts).order_by(sum_alerts.c.at, sum_alerts.c.query_id, sum_alerts.c.item)
    if peer is not None:
        query = query.where(sum_alerts.c.peer == peer)
    return [AlertRow(*row) for row in tx.execute(query)]


def lift_alerts(tx: Connection, peer: str, now: datetime) -> int:
    """Let no earlier alert count any more; how many did."""
    where = (sum_alerts.c.peer == peer, sum_alerts.c.lifted_at.is_(None))
    return tx.execute(update(sum_alerts).where(*where).values(lifted_at=now)).rowcount
