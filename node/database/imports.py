"""Imports that were made, by the digest of their source: what a run over a whole plan need not repeat."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from node.database.tables import imports


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An import that was published; `tally` are its row counts."""

    source: bytes
    tally: dict[str, Any]
    finished_at: datetime


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
