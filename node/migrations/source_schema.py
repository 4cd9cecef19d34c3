"""Tables of the sources of registers in the first schema (versions/0001_first_schema.py)."""

import sqlalchemy as sa
from alembic import op

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def create_tables() -> None:
    """Create them."""
    op.create_table(
        "quality_reports",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("run", sa.String(length=8), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_reports")),
    )
    op.create_index("ix_quality_reports_item", "quality_reports", ["item", "id"])


def drop_tables() -> None:
    """Drop them."""
    op.drop_index("ix_quality_reports_item", table_name="quality_reports")
    op.drop_table("quality_reports")
