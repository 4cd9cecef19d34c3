"""Rows of encrypted sums (design.md section 5).

No query reads the rows of an import before `publish`; `sweep` removes the rows of unfinished runs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, delete, func, insert, or_, select, update

from node.database.tables import sum_aliases, sum_blocks, sum_groups

KEPT_VERSIONS = 2  # the current one, and the one before, which running queries may still read
_AT_ONCE = 500  # variables in one statement


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A group version that is being written; `version` is 0 for the one after the newest.

    `packing` says by which rule its rows are packed (SumRule.packing).
    """

    item: str
    prefix: str
    epoch: int
    packing: bytes
    version: int = 0


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A published group version; dates in days since 1970-01-01."""

    id: int
    item: str
    prefix: str
    epoch: int
    version: int
    rows: int
    digest: bytes
    packing: bytes
    as_of_from: int
    as_of_to: int


@dataclass(frozen=True, slots=True)
class NewBlock:
    """Some rows: points (32 bytes each, ascending), days (int32), ciphertexts, sealed values."""

    number: int
    points: bytes = field(repr=False)
    days: bytes = field(repr=False)
    ciphertexts: bytes = field(repr=False)
    values_sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Alias:
    """The point of another identity of a record, and the point and area of the record's row."""

    alias: bytes = field(repr=False)
    point: bytes = field(repr=False)
    area: int


@dataclass(frozen=True, slots=True)
class StoredAlias:
    """An alias as it is stored (node/index/sum_aliases.py): tags of both points, and all of it sealed."""

    tag: bytes = field(repr=False)
    row_tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


GROUP: tuple[Column[Any], ...] = (
    sum_groups.c.id,
    sum_groups.c.item,
    sum_groups.c.prefix,
    sum_groups.c.epoch,
    sum_groups.c.version,
    sum_groups.c.rows,
    sum_groups.c.digest,
    sum_groups.c.packing,
    sum_groups.c.as_of_from,
    sum_groups.c.as_of_to,
)


# ---- writing


def open_group(tx: Connection, new: NewGroup) -> int:
    """Add the row of a version, unpublished and empty; return its id."""
    place = (
        sum_groups.c.item == new.item,
        sum_groups.c.prefix == new.prefix,
        sum_groups.c.epoch == new.epoch,
    )
    newest = tx.scalar(select(func.max(sum_groups.c.version)).where(*place))
    version = new.version or int(newest or 0) + 1
    values = {
        "item": new.item,
        "prefix": new.prefix,
        "epoch": new.epoch,
        "version": version,
        "rows": 0,
        "digest": b"",
        "packing": new.packing,
        "as_of_from": 0,
        "as_of_to": 0,
        "is_current": False,
        "published_at": None,
    }
    return int(tx.execute(insert(sum_groups).values(**values).returning(sum_groups.c.id)).scalar_one())


def add_blocks(tx: Connection, group: int, new: Sequence[NewBlock]) -> None:
    """Add blocks of a version that is not published yet."""
    tx.execute(
        insert(sum_blocks),
        [
            {
                "group_id": group,
                "number": block.number,
                "points": block.points,
                "days": block.days,
                "ciphertexts": block.ciphertexts,
                "values_sealed": block.values_sealed,
            }
            for block in new
        ],
    )


def finish_group(tx: Connection, group: int, rows: int, digest: bytes, days: tuple[int, int]) -> None:
    """Store row count, digest and days of a version after all its blocks are written."""
    values = {"rows": rows, "digest": digest, "as_of_from": days[0], "as_of_to": days[1]}
    tx.execute(update(sum_groups).where(sum_groups.c.id == group).values(**values))


def publish(
    tx: Connection, item: str, epoch: int, prepared: Iterable[int], *, whole: bool, now: datetime
) -> None:
    """Make prepared versions current; with `whole` no other group of the item stays current."""
    ids = list(prepared)
    place = (sum_groups.c.item == item, sum_groups.c.epoch == epoch, sum_groups.c.is_current)
    if whole:
        tx.execute(update(sum_groups).where(*place).values(is_current=False))
    for group in ids:
        prefix = select(sum_groups.c.prefix).where(sum_groups.c.id == group).scalar_subquery()
        tx.execute(update(sum_groups).where(*place, sum_groups.c.prefix == prefix).values(is_current=False))
        tx.execute(
            update(sum_groups).where(sum_groups.c.id == group).values(is_current=True, published_at=now)
        )


def retire(tx: Connection, item: str, epoch: int) -> None:
    """Remove versions that are no longer kept, with their rows."""
    newest = {
        row.prefix: row.version
        for row in tx.execute(
            select(sum_groups.c.prefix, func.max(sum_groups.c.version).label("version"))
            .where(
                sum_groups.c.item == item, sum_groups.c.epoch == epoch, sum_groups.c.published_at.is_not(None)
            )
            .group_by(sum_groups.c.prefix)
        )
    }
    for prefix, version in newest.items():
        old = select(sum_groups.c.id).where(
            sum_groups.c.item == item,
            sum_groups.c.epoch == epoch,
            sum_groups.c.prefix == prefix,
            sum_groups.c.version <= version - KEPT_VERSIONS,
        )
        remove(tx, list(tx.scalars(old)))


def sweep(tx: Connection, kept: Sequence[int] = ()) -> int:
    """Remove the rows of unfinished runs; return the number of group versions.

    Whole versions of the epochs `kept` stay: an interrupted rotation continues after them.
    """
    unfinished = or_(sum_groups.c.epoch.not_in(kept), sum_groups.c.digest == b"")
    left = list(tx.scalars(select(sum_groups.c.id).where(sum_groups.c.published_at.is_(None), unfinished)))
    remove(tx, left)
    return len(left)


def remove(tx: Connection, groups: Sequence[int]) -> None:
    """Remove group versions with their rows."""
    for at in range(0, len(groups), _AT_ONCE):
        some = groups[at : at + _AT_ONCE]
        tx.execute(delete(sum_blocks).where(sum_blocks.c.group_id.in_(some)))
        tx.execute(delete(sum_groups).where(sum_groups.c.id.in_(some)))


def replace_aliases(
    tx: Connection, item: str, epoch: int, new: Sequence[StoredAlias], removed: Sequence[bytes] | None
) -> None:
    """Part of publishing: drop the aliases of removed rows, given by tags (None: all of the item), add new
    ones.
    """
    place = (sum_aliases.c.item == item, sum_aliases.c.epoch == epoch)
    if removed is None:
        tx.execute(delete(sum_aliases).where(*place))
    for at in range(0, len(removed or ()), _AT_ONCE):
        some = list(removed or ())[at : at + _AT_ONCE]
        tx.execute(delete(sum_aliases).where(*place, sum_aliases.c.row_tag.in_(some)))
        tx.execute(delete(sum_aliases).where(*place, sum_aliases.c.tag.in_(some)))
    add_aliases(tx, item, epoch, new)


def add_aliases(tx: Connection, item: str, epoch: int, new: Sequence[StoredAlias]) -> None:
    """Add aliases of an item."""
    if new:
        tx.execute(insert(sum_aliases), [{"item": item, "epoch": epoch, **asdict(one)} for one in new])


def find_aliases(tx: Connection, item: str, epoch: int, tags: Sequence[bytes]) -> list[StoredAlias]:
    """The aliases with some tags."""
    found = []
    for at in range(0, len(tags), _AT_ONCE):
        rows = tx.execute(
            select(sum_aliases.c.tag, sum_aliases.c.row_tag, sum_aliases.c.sealed).where(
                sum_aliases.c.item == item,
                sum_aliases.c.epoch == epoch,
                sum_aliases.c.tag.in_(tags[at : at + _AT_ONCE]),
            )
        )
        found += [StoredAlias(*map(bytes, row)) for row in rows]
    return found


# ---- reading


def current_groups(tx: Connection, item: str, epoch: int) -> list[GroupRow]:
    """The current groups of an item."""
    where = (sum_groups.c.item == item, sum_groups.c.epoch == epoch, sum_groups.c.is_current)
    return [GroupRow(*row) for row in tx.execute(select(*GROUP).where(*where).order_by(sum_groups.c.prefix))]


def granted_groups(tx: Connection, epoch: int, origins: Sequence[str]) -> list[GroupRow]:
    """The current groups of all items with areas in the origins, without empty ones."""
    rows = tx.execute(
        select(*GROUP)
        .where(
            sum_groups.c.epoch == epoch,
            sum_groups.c.is_current,
            sum_groups.c.rows > 0,
            func.substr(sum_groups.c.prefix, 1, 2).in_(list(origins)),
        )
        .order_by(sum_groups.c.item, sum_groups.c.prefix)
    )
    return [GroupRow(*row) for row in rows]


def find_group(tx: Connection, item: str, prefix: str, epoch: int, version: int) -> GroupRow | None:
    """A published group version that is kept."""
    where = (
        sum_groups.c.item == item,
        sum_groups.c.prefix == prefix,
        sum_groups.c.epoch == epoch,
        sum_groups.c.version == version,
        sum_groups.c.published_at.is_not(None),
    )
    row = tx.execute(select(*GROUP).where(*where)).one_or_none()
    return None if row is None else GroupRow(*row)


def read_block(tx: Connection, group: int, number: int) -> NewBlock | None:
    """One block of a group version."""
    row = tx.execute(
        select(
            sum_blocks.c.number,
            sum_blocks.c.points,
            sum_blocks.c.days,
            sum_blocks.c.ciphertexts,
            sum_blocks.c.values_sealed,
        ).where(sum_blocks.c.group_id == group, sum_blocks.c.number == number)
    ).one_or_none()
    return None if row is None else NewBlock(*row)
