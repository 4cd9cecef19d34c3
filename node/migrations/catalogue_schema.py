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
    op.create_table(
        "job_catalogues",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("definitions", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_job_catalogues_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_catalogues")),
    )


def drop_tables() -> None:
    """Drop them."""
    op.drop_table("job_catalogues")
    op.drop_table("imported_items")
