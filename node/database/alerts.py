"""Alerts and the thresholds they come from (node/domain/alerts.py, node/domain/thresholds.py)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from node.database.watch_tables import alerts, watch_thresholds
from node.domain.alerts import AlertRow


@dataclass(frozen=True, slots=True)
class ThresholdsRow:
    """A version of the thresholds; `valid_from` is a day since 1970-01-01 in China."""

    number: int
    version: str
    set_by: str
    valid_from: int
    content: str
    set_at: datetime


def next_seq(tx: Connection) -> int:
    """The number of the next alert. Two transactions that take the same one conflict, so that whoever reads
    all numbers up to one has missed none.
    """
    return int(tx.scalar(select(func.coalesce(func.max(alerts.c.seq), 0))) or 0) + 1


def add_alert(tx: Connection, row: AlertRow) -> None:
    """Add an alert. Raises ConflictError where its number is taken."""
    tx.execute(
        insert(alerts).values(
            seq=row.seq,
            id=row.id,
            watch=row.watch,
            owner=row.owner,
            peer=row.peer,
            item=row.item,
            look=row.look,
            thresholds=row.thresholds,
            content_sealed=row.content_sealed,
            at=row.at,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=row.acknowledged_by,
            note_sealed=row.note_sealed,
        )
    )


def list_alerts(
    tx: Connection,
    owners: Collection[str] | None,
    after: int = 0,
    limit: int | None = None,
    watch: str | None = None,
    *,
    open_only: bool = False,
    before: int = 0,
    newest_first: bool = False,
) -> list[AlertRow]:
    """Alerts of some owners (None: of all) behind a number, and before another one where it is not 0, in
    order or the newest first.
    """
    order = alerts.c.seq.desc() if newest_first else alerts.c.seq
    wanted = select(alerts).where(alerts.c.seq > after).order_by(order).limit(limit)
    if before:
        wanted = wanted.where(alerts.c.seq < before)
    if owners is not None:
        wanted = wanted.where(alerts.c.owner.in_(owners))
    if watch is not None:
        wanted = wanted.where(alerts.c.watch == watch)
    if open_only:
        wanted = wanted.where(alerts.c.acknowledged_at.is_(None))
    return [_alert(row) for row in tx.execute(wanted)]


def find_alert(tx: Connection, alert: str) -> AlertRow | None:
    """An alert by its id."""
    row = tx.execute(select(alerts).where(alerts.c.id == alert)).one_or_none()
    return None if row is None else _alert(row)


def acknowledge(tx: Connection, alert: str, by: str, note: bytes | None, now: datetime) -> bool:
    """Note that a person has looked at an alert; False where that was noted before."""
    mine = (alerts.c.id == alert, alerts.c.acknowledged_at.is_(None))
    values = {"acknowledged_at": now, "acknowledged_by": by, "note_sealed": note}
    return tx.execute(update(alerts).where(*mine).values(**values)).rowcount == 1


def count_open(tx: Connection) -> dict[tuple[str, str], int]:
    """How many alerts nobody has acknowledged, by owner and watch."""
    wanted = (
        select(alerts.c.owner, alerts.c.watch, func.count().label("number"))
        .where(alerts.c.acknowledged_at.is_(None))
        .group_by(alerts.c.owner, alerts.c.watch)
    )
    return {(row.owner, row.watch): int(row.number) for row in tx.execute(wanted)}


def remove_alerts(tx: Connection, chosen: Sequence[str]) -> int:
    """Erase some alerts; how many."""
    return tx.execute(delete(alerts).where(alerts.c.id.in_(chosen))).rowcount


def count_old(tx: Connection, acknowledged: datetime, raised: datetime) -> int:
    """How many were acknowledged before one moment or raised before another."""
    return int(tx.scalar(select(func.count()).select_from(alerts).where(_is_old(acknowledged, raised))) or 0)


def erase_old(tx: Connection, acknowledged: datetime, raised: datetime) -> int:
    """Erase them; how many."""
    return tx.execute(delete(alerts).where(_is_old(acknowledged, raised))).rowcount


def _is_old(acknowledged: datetime, raised: datetime) -> ColumnElement[bool]:
    return or_(alerts.c.acknowledged_at < acknowledged, alerts.c.at < raised)


def add_thresholds(tx: Connection, row: ThresholdsRow) -> None:
    """Add a version. Raises ConflictError where its number or version is taken."""
    tx.execute(
        insert(watch_thresholds).values(
            number=row.number,
            version=row.version,
            set_by=row.set_by,
            valid_from=row.valid_from,
            content=row.content,
            set_at=row.set_at,
        )
    )


def list_thresholds(tx: Connection) -> list[ThresholdsRow]:
    """Every version that was set, the first one first."""
    rows = tx.execute(select(watch_thresholds).order_by(watch_thresholds.c.number))
    return [
        ThresholdsRow(row.number, row.version, row.set_by, row.valid_from, row.content, row.set_at)
        for row in rows
    ]


def _alert(row: Row[Any]) -> AlertRow:
    return AlertRow(
        row.seq,
        row.id,
        row.watch,
        row.owner,
        row.peer,
        row.item,
        row.look,
        row.thresholds,
        row.at,
        row.acknowledged_at,
        row.acknowledged_by,
        bytes(row.content_sealed),
        None if row.note_sealed is None else bytes(row.note_sealed),
    )
