"""Tables of node/database/deadline_tables.py in the first schema."""

import sqlalchemy as sa
from alembic import op


def create_tables() -> None:
    """Make them; jobs are there."""
    op.create_table(
        "answered_people",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job"], ["jobs.id"], name=op.f("fk_answered_people_job"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_answered_people")),
    )
    op.create_table(
        "attempts",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_attempts_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "peer", "number", name=op.f("pk_attempts")),
    )
    op.create_table(
        "left_out",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_left_out_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "peer", name=op.f("pk_left_out")),
    )


def drop_tables() -> None:
    """Remove them."""
    op.drop_table("left_out")
    op.drop_table("attempts")
    op.drop_table("answered_people")
