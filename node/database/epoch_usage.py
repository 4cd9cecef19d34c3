"""The epoch of each peer's last query: shows which peers still use an old one, before it is retired."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from node.database.tables import epoch_uses


@dataclass(frozen=True, slots=True)
class EpochUse:
    """The last query of a peer under keys of a purpose: `oprf`, or `sum` for sums."""

    peer: str
    purpose: str
    epoch: int
    at: datetime


# Built once: it takes longer to build a statement than to run it.
_RENEW = (
    update(epoch_uses)
    .where(epoch_uses.c.peer == bindparam("of_peer"), epoch_uses.c.purpose == bindparam("for_purpose"))
    .values(epoch=bindparam("epoch"), at=bindparam("at"))
)
_ADD = insert(epoch_uses)


def note_use(tx: Connection, use: EpochUse) -> None:
    """Remember a query, in the transaction that writes it to the audit chain."""
    values = {"epoch": use.epoch, "at": use.at}
    if not tx.execute(_RENEW, {"of_peer": use.peer, "for_purpose": use.purpose, **values}).rowcount:
        tx.execute(_ADD, {"peer": use.peer, "purpose": use.purpose, **values})


def read_uses(tx: Connection) -> list[EpochUse]:
    """All last queries, by peer and purpose."""
    rows = tx.execute(select(epoch_uses).order_by(epoch_uses.c.peer, epoch_uses.c.purpose))
    return [EpochUse(row.peer, row.purpose, row.epoch, row.at) for row in rows]
