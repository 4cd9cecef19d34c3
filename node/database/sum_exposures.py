"""Which rows went into the sums that a peer opened for this node (design.md section 5)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, delete, insert, select

from node.database.tables import sum_exposures


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """One opened sum; `rows_sealed` are the names of its rows, `epoch` is that of the peer's keys of sums."""

    peer: str
    query_id: bytes
    item: str
    epoch: int
    equations: int
    rows_sealed: bytes = field(repr=False)


def add_exposure(tx: Connection, row: ExposureRow) -> None:
    """Keep what is about to be opened."""
    tx.execute(insert(sum_exposures).values(**asdict(row)))


def exposures_of(tx: Connection, peer: str, epoch: int) -> Sequence[ExposureRow]:
    """Every sum that a peer opened in an epoch."""
    where = (sum_exposures.c.peer == peer, sum_exposures.c.epoch == epoch)
    return [ExposureRow(*row) for row in tx.execute(select(sum_exposures).where(*where))]


def forget_exposures(tx: Connection, peer: str, before: int) -> None:
    """Erase those of epochs before `before`: their rows cannot be told from others any more."""
    tx.execute(delete(sum_exposures).where(sum_exposures.c.peer == peer, sum_exposures.c.epoch < before))
