"""Rows of sums from one epoch to the next: groups become current all at once; past ones are removed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, delete, select, tuple_, update

from node.database import sum_queries
from node.database import sum_tables as sum_rows
from node.database.engine import Store
from node.database.sum_tables import GROUP, GroupRow, StoredAlias
from node.database.tables import sum_aliases, sum_groups
from node.errors import ConflictError

_AT_ONCE = 8  # groups removed in one transaction
_ALIASES = 20_000  # removed in one transaction


def current_groups(tx: Connection, epoch: int, items: Collection[str]) -> list[GroupRow]:
    """The current groups of some items under an epoch."""
    where = (sum_groups.c.epoch == epoch, sum_groups.c.is_current, sum_groups.c.item.in_(list(items)))
    return _groups(tx, *where)


def split_prepared(
    tx: Connection, old: int, new: int, packings: Mapping[str, bytes]
) -> tuple[list[GroupRow], list[int]]:
    """Groups of `old` that have no whole counterpart under `new`, and ids under `new` that are outdated.

    A counterpart has the same version as its original, and its rows are packed as `packings` says of its
    item; groups of other items are left out.
    """
    current = {(row.item, row.prefix, row.version): row for row in current_groups(tx, old, packings)}
    made = _groups(tx, sum_groups.c.epoch == new, sum_groups.c.published_at.is_(None))
    outdated = []
    for row in made:
        place = (row.item, row.prefix, row.version)
        if place in current and row.digest and row.packing == packings[row.item]:
            del current[place]
        else:
            outdated.append(row.id)
    return list(current.values()), outdated


def publish_epoch(
    tx: Connection, old: int, new: int, packings: Mapping[str, bytes], now: datetime
) -> tuple[int, int]:
    """Make all groups of an epoch current; return the numbers of groups and rows.

    Raises ConflictError unless all are there.
    """
    missing, outdated = split_prepared(tx, old, new, packings)
    if missing or outdated:
        raise ConflictError(
            "an import published during the rotation", "run the rotation again: it does only what is missing"
        )
    ready = (sum_groups.c.epoch == new, sum_groups.c.published_at.is_(None))
    tx.execute(update(sum_groups).where(*ready).values(is_current=True, published_at=now))
    made = current_groups(tx, new, packings)
    return len(made), sum(row.rows for row in made)


def missing(tx: Connection, old: int, new: int, items: Collection[str]) -> list[str]:
    """Items with rows of sums under `old` and none under `new`."""
    there = {group.item for group in current_groups(tx, new, items)}
    return sorted({group.item for group in current_groups(tx, old, items)} - there)


def forget_epoch(store: Store, epoch: int) -> None:
    """Remove all rows of an epoch that is no longer answered, some at a time, and the guards of its sums.

    May be repeated.
    """

    def forget(tx: Connection) -> int:
        wanted = select(sum_groups.c.id).where(sum_groups.c.epoch == epoch).limit(_AT_ONCE)
        some = list(tx.scalars(wanted))
        sum_rows.remove(tx, some)
        return len(some)

    while store.retry_write("remove a past epoch of sums", forget):
        pass
    forget_aliases(store, epoch)
    store.retry_write("erase guards of sums", partial(sum_queries.forget_guards, epoch=epoch))


def forget_aliases(store: Store, epoch: int) -> None:
    """Remove the aliases of an epoch, some at a time."""

    def forget(tx: Connection) -> int:
        wanted = select(sum_aliases.c.item, sum_aliases.c.epoch, sum_aliases.c.tag).where(
            sum_aliases.c.epoch == epoch
        )
        place = tuple_(sum_aliases.c.item, sum_aliases.c.epoch, sum_aliases.c.tag)
        return tx.execute(delete(sum_aliases).where(place.in_(wanted.limit(_ALIASES)))).rowcount

    while store.retry_write("remove past aliases", forget):
        pass


def read_aliases(tx: Connection, item: str, epoch: int, after: bytes, limit: int) -> list[StoredAlias]:
    """The next aliases of an item after the tag `after`, in order, `limit` at most."""
    rows = tx.execute(
        select(sum_aliases.c.tag, sum_aliases.c.row_tag, sum_aliases.c.sealed)
        .where(sum_aliases.c.item == item, sum_aliases.c.epoch == epoch, sum_aliases.c.tag > after)
        .order_by(sum_aliases.c.tag)
        .limit(limit)
    )
    return [StoredAlias(*map(bytes, row)) for row in rows]


def _groups(tx: Connection, *where: object) -> list[GroupRow]:
    query = select(*GROUP).where(*where).order_by(sum_groups.c.item, sum_groups.c.prefix)  # type: ignore[arg-type]
    return [GroupRow(*row) for row in tx.execute(query)]
