"""What peers asked, for administrators: queries of points and of sums in one list, newest first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, literal, null, select, union_all

from node.database.column_types import UtcDateTime
from node.database.query_tables import queries
from node.database.tables import sum_alerts, sum_queries

VERIFICATION, SUM = "verification", "sum"


@dataclass(frozen=True, slots=True)
class IncomingQuery:
    """A query of a peer: no subject is in it. `points` are those announced; `rule` is what a sum broke."""

    peer: str
    kind: str
    at: datetime
    items: tuple[str, ...]
    purpose: str
    legal_basis: str
    points: int
    mandate_root: bytes
    state: str
    rule: str
    epoch: int
    ended_at: datetime | None


_POINTS: list[Any] = [
    queries.c.peer,
    literal(VERIFICATION).label("kind"),
    queries.c.opened_at.label("at"),
    queries.c["items"],
    queries.c.purpose,
    queries.c.legal_basis,
    queries.c.points,
    queries.c.mandate_root,
    queries.c.state,
    literal("").label("rule"),
    queries.c.epoch,
    queries.c.done_at.label("ended_at"),
    queries.c.query_id,
]
_ALERT = (
    (sum_alerts.c.peer == sum_queries.c.peer)
    & (sum_alerts.c.query_id == sum_queries.c.query_id)
    & (sum_alerts.c.item == sum_queries.c.item)
)
_SUMS: list[Any] = [
    sum_queries.c.peer,
    literal(SUM).label("kind"),
    sum_queries.c.at,
    sum_queries.c.item.label("items"),
    literal("").label("purpose"),
    literal("").label("legal_basis"),
    sum_queries.c.points,
    sum_queries.c.mandate_root,
    case((sum_queries.c.opened_digest.is_(None), "charged"), else_="opened").label("state"),
    func.coalesce(sum_alerts.c.rule, "").label("rule"),
    sum_queries.c.epoch,
    null().cast(UtcDateTime).label("ended_at"),
    sum_queries.c.query_id,
]


def list_incoming(tx: Connection, peer: str, limit: int, offset: int) -> tuple[Sequence[IncomingQuery], int]:
    """A page of the queries of a peer, or of all (empty), and how many there are."""
    points = select(*_POINTS)
    sums = select(*_SUMS).select_from(sum_queries).outerjoin(sum_alerts, _ALERT)
    counts = [select(func.count()).select_from(queries), select(func.count()).select_from(sum_queries)]
    if peer:
        points, sums = points.where(queries.c.peer == peer), sums.where(sum_queries.c.peer == peer)
        counts = [counts[0].where(queries.c.peer == peer), counts[1].where(sum_queries.c.peer == peer)]
    both = union_all(points, sums).subquery()
    page = (
        select(both)
        .order_by(both.c.at.desc(), both.c.peer, both.c.query_id, both.c["items"])
        .limit(limit)
        .offset(offset)
    )
    return [_row(row) for row in tx.execute(page)], sum(int(tx.scalar(one) or 0) for one in counts)


def _row(row: object) -> IncomingQuery:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001
    del values["query_id"]
    asked = json.loads(values["items"]) if values["kind"] == VERIFICATION else [values["items"]]
    values |= {"items": tuple(asked), "mandate_root": bytes(values["mandate_root"])}
    return IncomingQuery(**values)
