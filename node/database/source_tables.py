"""Tables of the sources of registers (docs/sources.md)."""

from typing import Final

from sqlalchemy import Column, Index, String, Table, Text

from node.database.column_types import ROW_ID, UtcDateTime
from node.database.index_tables import metadata

# The quality of a source each time it was checked or imported: counts and days, and nothing of a row.
quality_reports = Table(
    "quality_reports",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("item", String(8), nullable=False),
    Column("run", String(8), nullable=False),  # check or import
    Column("result", String(16), nullable=False),  # good, below_floor or unreadable
    Column("made_at", UtcDateTime, nullable=False),
    Column("content", Text, nullable=False),  # JSON
    Index("ix_quality_reports_item", "item", "id"),
)

TABLES: Final = (quality_reports,)
