"""Imports that were made, by the digest of their source: what a run over a whole plan need not repeat."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from node.database.index_tables import partitions
from node.database.tables import imports


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An import that was published; `tally` are its row counts."""

    source: bytes
    tally: dict[str, Any]
    finished_at: datetime


def record_import(
    tx: Connection,
    item: str,
    mode: str,
    tally: Mapping[str, object],
    source: bytes,
    now: datetime,
    *,
    held: int,
    approved: bool = False,
) -> None:
    """Store the counts of an import; `mode` is full, upsert or delete, `source` a digest or empty.

    `held` are the entries of the item after it; `approved`, that a second administrator let them be fewer.
    """
    row = {"item": item, "mode": mode, "tally": json.dumps(tally), "source": source, "finished_at": now}
    tx.execute(insert(imports).values({**row, "held": held, "approved": approved}))


def entries_by_origin(tx: Connection, item: str, epoch: int) -> dict[str, int]:
    """Entries of people in the current partitions of an item: without pads and planted ones."""
    of_item = (partitions.c.is_current, partitions.c.item == item, partitions.c.epoch == epoch)
    return _count(tx, *of_item)


def entries_prepared(tx: Connection, versions: Collection[int]) -> dict[str, int]:
    """Entries of people in prepared versions of one item, by origin."""
    return _count(tx, partitions.c.id.in_(list(versions)))


def _count(tx: Connection, *where: ColumnElement[bool]) -> dict[str, int]:
    columns = (partitions.c.origin, partitions.c.entries, partitions.c.pads, partitions.c.planted)
    rows = tx.execute(select(*columns).where(*where))
    return {row.origin: row.entries - row.pads - len(json.loads(row.planted)) for row in rows}


def most_held(tx: Connection, item: str, since: datetime) -> int:
    """The most entries of an item after an import since then; one that was approved to hold fewer, and what
    came after it, count alone.
    """
    approved = select(func.max(imports.c.id)).where(imports.c.item == item, imports.c.approved)
    first = tx.scalar(approved) or 0
    wanted = select(func.max(imports.c.held)).where(
        imports.c.item == item, imports.c.id >= first, imports.c.finished_at >= since
    )
    return int(tx.scalar(wanted) or 0)


def find_import(tx: Connection, item: str, mode: str, source: bytes) -> ImportRow | None:
    """The import of a source in a mode, None where it must be made.

    A full import counts while no other full import of the item came after it. An upsert or delete counts
    for ever: repeated after a newer full import it would bring old records back.
    """
    of_mode = select(imports).where(imports.c.item == item, imports.c.mode == mode)
    wanted = of_mode if mode == "full" else of_mode.where(imports.c.source == source)
    row = tx.execute(wanted.order_by(imports.c.id.desc()).limit(1)).one_or_none()
    if row is None or bytes(row.source) != source:
        return None
    return ImportRow(source, json.loads(row.tally), row.finished_at)


def newest_import(tx: Connection, item: str) -> tuple[int, datetime] | None:
    """Number and time of the last import of an item, of any mode and source."""
    found = select(imports.c.id, imports.c.finished_at).where(imports.c.item == item)
    row = tx.execute(found.order_by(imports.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else (row.id, row.finished_at)


def forget_sources(tx: Connection, sources: Collection[bytes]) -> None:
    """Imports of these sources are made again, although nothing about them has changed."""
    tx.execute(update(imports).where(imports.c.source.in_(list(sources))).values(source=b""))


@dataclass(frozen=True, slots=True)
class ListedImport:
    """An import as a list shows it."""

    number: int
    item: str
    mode: str
    tally: dict[str, Any]
    held: int
    finished_at: datetime


def list_imports(tx: Connection, limit: int, offset: int) -> tuple[list[ListedImport], int]:
    """A page of imports, newest first, and how many there are."""
    total = tx.scalar(select(func.count()).select_from(imports)) or 0
    page = select(imports).order_by(imports.c.id.desc()).limit(limit).offset(offset)
    return list(map(_listed, tx.execute(page))), int(total)


def find_listed(tx: Connection, number: int) -> ListedImport | None:
    """One import."""
    row = tx.execute(select(imports).where(imports.c.id == number)).one_or_none()
    return None if row is None else _listed(row)


def _listed(row: Row[Any]) -> ListedImport:
    return ListedImport(row.id, row.item, row.mode, json.loads(row.tally), row.held, row.finished_at)
