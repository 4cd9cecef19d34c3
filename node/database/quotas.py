"""What peers used of their quotas, quotas set for them, alerts. Write under the peer's row lock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from node.database.query_tables import quota_alerts, quota_limits, quota_uses
from node.domain.quotas import Alert, DayUse, Measure, Window

# Built once: it takes longer to build a statement than to run it, and every query runs these.
_LIMITS = select(quota_limits).where(quota_limits.c.peer == bindparam("of_peer"))
_USES = select(quota_uses).where(
    quota_uses.c.peer == bindparam("of_peer"),
    quota_uses.c.measure.in_(bindparam("measures", expanding=True)),
    quota_uses.c.day >= bindparam("first_day"),
)
_USES_OF_ITEMS = _USES.where(quota_uses.c.item.in_(bindparam("items", expanding=True)))
_PLACE = ("peer", "measure", "item", "day")
_USE_MORE = (
    update(quota_uses)
    .where(*(quota_uses.c[name] == bindparam(f"of_{name}") for name in _PLACE))
    .values({name: bindparam(name) for name in ("amount", "hour", "in_hour")})
)
_FIRST_USE = insert(quota_uses)


@dataclass(frozen=True, slots=True)
class SetLimit:
    """A quota set for a peer, or (`window` is `suspended`) the suspension of a measure, with its reason."""

    peer: str
    measure: str
    window: str
    amount: int
    reason: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class NotedAlert:
    """An alert of a peer, and when it was raised."""

    peer: str
    alert: Alert
    at: datetime


def read_limits(tx: Connection, peer: str | None = None) -> list[SetLimit]:
    """What is set for a peer, or for all."""
    all_ = select(quota_limits).order_by(*quota_limits.primary_key)
    found = tx.execute(all_) if peer is None else tx.execute(_LIMITS, {"of_peer": peer})
    return [SetLimit(**row._mapping) for row in found]  # noqa: SLF001  SQLAlchemy's documented name


def put_limit(tx: Connection, new: SetLimit) -> None:
    """Set a quota or a suspension, in place of an earlier one."""
    remove_limit(tx, new.peer, new.measure, new.window)
    values = {name: getattr(new, name) for name in quota_limits.c.keys()}  # noqa: SIM118  a collection of columns
    tx.execute(insert(quota_limits).values(**values))


def remove_limit(tx: Connection, peer: str, measure: str, window: str) -> bool:
    """Remove a quota or a suspension; whether there was one."""
    found = (quota_limits.c.peer, quota_limits.c.measure, quota_limits.c.window)
    same = [column == value for column, value in zip(found, (peer, measure, window), strict=True)]
    return tx.execute(delete(quota_limits).where(*same)).rowcount > 0


def read_uses(
    tx: Connection, peer: str, measures: Collection[str], items: Collection[str] | None, first_day: int
) -> Mapping[tuple[Measure, str], Sequence[DayUse]]:
    """What a peer used since a day, by measure and item; of some items (empty: what has none), or all."""
    asked = {"of_peer": peer, "measures": list(measures), "first_day": first_day}
    if items is None:
        used = tx.execute(_USES, asked)
    else:
        used = tx.execute(_USES_OF_ITEMS, {**asked, "items": list(items)})
    found: dict[tuple[Measure, str], list[DayUse]] = {}
    for row in used:
        use = DayUse(row.day, row.amount, row.hour, row.in_hour)
        found.setdefault((Measure(row.measure), row.item), []).append(use)
    return found


def put_use(tx: Connection, peer: str, measure: str, item: str, use: DayUse) -> None:
    """Write a day's use."""
    place = {"peer": peer, "measure": measure, "item": item, "day": use.day}
    values = {"amount": use.amount, "hour": use.hour, "in_hour": use.in_hour}
    same = {f"of_{name}": value for name, value in place.items()}
    if not tx.execute(_USE_MORE, {**same, **values}).rowcount:
        tx.execute(_FIRST_USE, {**place, **values})


def note_alert(tx: Connection, peer: str, alert: Alert, numbers: tuple[int, int], now: datetime) -> bool:
    """Note an alert in the last of some windows, unless one of them has its level; whether it is new."""
    first, last = numbers
    kind = {"peer": peer, "measure": alert.measure, "item": alert.item, "window": alert.window}
    same = [quota_alerts.c[name] == value for name, value in kind.items()]
    since = quota_alerts.c.number >= first
    highest = tx.scalar(select(func.max(quota_alerts.c.level)).where(*same, since))
    if highest is not None and highest >= alert.level:
        return False
    tx.execute(delete(quota_alerts).where(*same, quota_alerts.c.number == last))
    tx.execute(insert(quota_alerts).values(**kind, number=last, level=alert.level, at=now))
    return True


def list_alerts(tx: Connection, peer: str | None, limit: int) -> list[NotedAlert]:
    """Newest first, of a peer or all."""
    query = select(quota_alerts).order_by(quota_alerts.c.at.desc()).limit(limit)
    if peer is not None:
        query = query.where(quota_alerts.c.peer == peer)
    return [
        NotedAlert(row.peer, Alert(Measure(row.measure), Window(row.window), row.level, row.item), row.at)
        for row in tx.execute(query)
    ]


def remove_old(tx: Connection, first_day: int, alerts_before: datetime) -> None:
    """Delete uses of days before one, and alerts before a time."""
    tx.execute(delete(quota_uses).where(quota_uses.c.day < first_day))
    tx.execute(delete(quota_alerts).where(quota_alerts.c.at < alerts_before))
