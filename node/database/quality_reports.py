"""Reports of the quality of sources; of an item only the newest stay."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from node.database.source_tables import quality_reports
from node.domain.quality_reports import KEPT_OF_ITEM, QualityReport


def add_report(tx: Connection, new: QualityReport) -> int:
    """Keep a report, whose number is not looked at, and erase what is more than KEPT_OF_ITEM; its number."""
    values = {"item": new.item, "run": new.run, "result": new.result, "made_at": new.made_at}
    done = tx.execute(insert(quality_reports).values(content=json.dumps(new.content), **values))
    of_item = quality_reports.c.item == new.item
    newest = select(quality_reports.c.id).where(of_item).order_by(quality_reports.c.id.desc())
    last = tx.scalar(newest.offset(KEPT_OF_ITEM - 1).limit(1))
    if last is not None:
        tx.execute(delete(quality_reports).where(of_item, quality_reports.c.id < last))
    return int((done.inserted_primary_key or (0,))[0])


def list_reports(tx: Connection, item: str, limit: int, offset: int) -> tuple[Sequence[QualityReport], int]:
    """Reports of an item, or of all where it is empty, newest first; and how many there are."""
    where = [quality_reports.c.item == item] if item else []
    total = tx.scalar(select(func.count()).select_from(quality_reports).where(*where)) or 0
    page = select(quality_reports).where(*where).order_by(quality_reports.c.id.desc())
    return [_report(row) for row in tx.execute(page.limit(limit).offset(offset))], int(total)


def find_report(tx: Connection, number: int) -> QualityReport | None:
    """One report."""
    row = tx.execute(select(quality_reports).where(quality_reports.c.id == number)).one_or_none()
    return None if row is None else _report(row)


def _report(row: Row[Any]) -> QualityReport:
    return QualityReport(row.id, row.item, row.run, row.result, row.made_at, json.loads(row.content))
