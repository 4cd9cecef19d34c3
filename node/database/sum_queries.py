"""Queries of peers for sums: their items with what these cost, and what was opened (design.md section 5).

Every writer locks the peer's row first (`peers.lock_peer`), so that on PostgreSQL too a quota is not overrun
and a charged query is opened once.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from node.database.tables import sum_queries
from node.errors import ConflictError


@dataclass(frozen=True, slots=True)
class ChargedItem:
    """One item of a new query, and what its start named."""

    item: str
    epoch: int
    at: datetime
    cohort_digest: bytes
    points: int
    epsilon_milli: int
    blind_commitment: bytes
    mandate_root: bytes


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
    answer_sealed: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opening:
    """What is kept of an opened sum: digest of its ciphertext, count, guards, versions of the rows, answer.

    `contributors` and `guards_sealed` are None where the totals contradict each other.
    """

    opened_digest: bytes
    contributors: int | None = field(repr=False)
    guards_sealed: bytes | None = field(repr=False)
    rows_digest: bytes
    answer_sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedRow:
    """A sum that was opened; without guards where their epoch is over."""

    peer: str
    query_id: bytes
    epoch: int
    contributors: int = field(repr=False)
    guards_sealed: bytes | None = field(repr=False)
    rows_digest: bytes


_QUERY = (
    sum_queries.c.item,
    sum_queries.c.epoch,
    sum_queries.c.at,
    sum_queries.c.cohort_digest,
    sum_queries.c.points,
    sum_queries.c.epsilon_milli,
    sum_queries.c.opened_digest,
    sum_queries.c.answer_sealed,
)
_OPENED = (
    sum_queries.c.peer,
    sum_queries.c.query_id,
    sum_queries.c.epoch,
    sum_queries.c.contributors,
    sum_queries.c.guards_sealed,
    sum_queries.c.rows_digest,
)


def find_query(tx: Connection, peer: str, query_id: bytes) -> dict[str, QueryRow]:
    """The items of a query by their codes; empty for a new one."""
    rows = tx.execute(select(*_QUERY).where(sum_queries.c.peer == peer, sum_queries.c.query_id == query_id))
    return {row.item: QueryRow(*row) for row in rows}


def queries_since(tx: Connection, peer: str, item: str, since: datetime) -> list[QueryRow]:
    """A peer's queries of one item from an instant on, which its privacy budget is charged with."""
    where = (sum_queries.c.peer == peer, sum_queries.c.item == item, sum_queries.c.at >= since)
    return [QueryRow(*row) for row in tx.execute(select(*_QUERY).where(*where).order_by(sum_queries.c.at))]


def opened_since(tx: Connection, item: str, since: datetime) -> list[OpenedRow]:
    """The sums of one item that any peer's query from an instant on had opened, without contradictory
    ones.
    """
    where = (sum_queries.c.item == item, sum_queries.c.at >= since, sum_queries.c.contributors.is_not(None))
    return [OpenedRow(*row) for row in tx.execute(select(*_OPENED).where(*where))]


def add_query(tx: Connection, peer: str, query_id: bytes, rows: Sequence[ChargedItem]) -> None:
    """Write the items of a query before anything is evaluated."""
    tx.execute(insert(sum_queries), [{"peer": peer, "query_id": query_id, **asdict(row)} for row in rows])


def keep_answer(tx: Connection, peer: str, query_id: bytes, item: str, opening: Opening) -> None:
    """Store the answer for one item that was not opened yet.

    Raises ConflictError where it was opened: a transaction that begins anew finds the answer.
    """
    where = (
        sum_queries.c.peer == peer,
        sum_queries.c.query_id == query_id,
        sum_queries.c.item == item,
        sum_queries.c.opened_digest.is_(None),
    )
    if tx.execute(update(sum_queries).where(*where).values(**asdict(opening))).rowcount != 1:
        raise ConflictError("another writer was first (open a sum)", "try again")


def forget_guards(tx: Connection, epoch: int) -> None:
    """Erase the guards of an epoch that is no longer answered; the counts stay."""
    tx.execute(update(sum_queries).where(sum_queries.c.epoch == epoch).values(guards_sealed=None))
