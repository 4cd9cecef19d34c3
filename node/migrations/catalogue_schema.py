"""Tables of the catalogue in the first schema (versions/0001_first_schema.py)."""

import sqlalchemy as sa
from alembic import op


def create_tables() -> None:
    """Create them."""
    op.create_table(
        "imported_items",
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("imported_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_imported_items")),
    )


def drop_tables() -> None:
    """Drop them."""
    op.drop_table("imported_items")
