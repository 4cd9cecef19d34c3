"""Tables of what the catalogue said when records were imported, and jobs submitted."""

from typing import Final

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from node.database.column_types import UtcDateTime
from node.database.index_tables import metadata

# What decided the content of an item's entries at its last full import (Item.content).
imported_items = Table(
    "imported_items",
    metadata,
    Column("item", String(8), primary_key=True),
    Column("content", LargeBinary(32), nullable=False),
    Column("imported_at", UtcDateTime, nullable=False),
)

# The catalogue under which a job was submitted.
job_catalogues = Table(
    "job_catalogues",
    metadata,
    Column("job", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("version", String(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("definitions", LargeBinary(32), nullable=False),
)

TABLES: Final = (imported_items, job_catalogues)
