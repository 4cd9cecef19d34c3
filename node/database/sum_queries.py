"""Queries of peers for sums: what is charged to their budgets, and what was opened (design.md section 5).

Every writer locks the peer's row first (`peers.lock_peer`), so that on PostgreSQL too a budget is not overrun
and a charged query is opened once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from node.database.tables import sum_queries
from node.errors import ConflictError


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One item of a peer's query for sums."""

    item: str
    epoch: int
    at: datetime
    cohort_digest: bytes
    points: int
    epsilon_milli: int
    opened_digest: bytes | None
    contributors: int | None = field(repr=False)
    answer_sealed: bytes | None = field(repr=False)


_QUERY = (
    sum_queries.c.item,
    sum_queries.c.epoch,
    sum_queries.c.at,
    sum_queries.c.cohort_digest,
    sum_queries.c.points,
    sum_queries.c.epsilon_milli,
    sum_queries.c.opened_digest,
    sum_queries.c.contributors,
    sum_queries.c.answer_sealed,
)


def find_query(tx: Connection, peer: str, query_id: bytes) -> dict[str, QueryRow]:
    """The items of a query by their codes; empty for a new one."""
    rows = tx.execute(select(*_QUERY).where(sum_queries.c.peer == peer, sum_queries.c.query_id == query_id))
    return {row.item: QueryRow(*row) for row in rows}


def queries_since(tx: Connection, peer: str, item: str, since: datetime) -> list[QueryRow]:
    """A peer's queries of one item from an instant on, which its budget is charged with."""
    where = (sum_queries.c.peer == peer, sum_queries.c.item == item, sum_queries.c.at >= since)
    return [QueryRow(*row) for row in tx.execute(select(*_QUERY).where(*where).order_by(sum_queries.c.at))]


def charge(tx: Connection, peer: str, query_id: bytes, rows: Sequence[QueryRow]) -> None:
    """Write the items of a query before anything is evaluated."""
    tx.execute(
        insert(sum_queries),
        [
            {
                "peer": peer,
                "query_id": query_id,
                "item": row.item,
                "epoch": row.epoch,
                "at": row.at,
                "cohort_digest": row.cohort_digest,
                "points": row.points,
                "epsilon_milli": row.epsilon_milli,
            }
            for row in rows
        ],
    )


def keep_answer(
    tx: Connection,
    peer: str,
    query_id: bytes,
    item: str,
    opened: bytes,
    contributors: int | None,
    sealed: bytes,
) -> None:
    """Store the answer for one item that was not opened yet; `opened` is the digest of its ciphertext.

    Raises ConflictError where it was opened: a transaction that begins anew finds the answer.
    """
    where = (
        sum_queries.c.peer == peer,
        sum_queries.c.query_id == query_id,
        sum_queries.c.item == item,
        sum_queries.c.opened_digest.is_(None),
    )
    values = {"opened_digest": opened, "contributors": contributors, "answer_sealed": sealed}
    if tx.execute(update(sum_queries).where(*where).values(**values)).rowcount != 1:
        raise ConflictError("another writer was first (open a sum)", "try again")
