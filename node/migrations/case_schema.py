"""Tables of objections and corrections in the first schema (versions/0001_first_schema.py)."""

import sqlalchemy as sa
from alembic import op

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def create_tables() -> None:
    """Create them."""
    _create_objections()
    _create_matched_entries()
    _create_sent()
    _create_received()


def _create_objections() -> None:
    op.create_table(
        "objections",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("report_number", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("received_day", sa.Integer(), nullable=False),
        sa.Column("raised_day", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("due_estimated", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.Column("recheck_job", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objections")),
    )
    op.create_index("ix_objections_job", "objections", ["job"], unique=False)
    op.create_index("ix_objections_recheck_job", "objections", ["recheck_job"], unique=False)
    op.create_index("ix_objections_statistics", "objections", ["raised_day", "owner", "recheck_job"])


def _create_matched_entries() -> None:
    op.create_table(
        "matched_entries",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job"], ["jobs.id"], name=op.f("fk_matched_entries_job_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job", "peer", "item", name=op.f("pk_matched_entries")),
    )


def _create_sent() -> None:
    op.create_table(
        "sent_corrections",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("fault", sa.String(length=16), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("due_estimated", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_corrections")),
    )
    op.create_index("ix_sent_corrections_state", "sent_corrections", ["state"], unique=False)


def _create_received() -> None:
    op.create_table(
        "received_corrections",
        sa.Column("number", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("fault", sa.String(length=16), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("due_estimated", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_received_corrections")),
        sa.UniqueConstraint("peer", "id", name=op.f("uq_received_corrections_peer")),
    )
    op.create_index("ix_received_corrections_state", "received_corrections", ["state"], unique=False)


def drop_tables() -> None:
    """Remove them."""
    op.drop_index("ix_received_corrections_state", table_name="received_corrections")
    op.drop_table("received_corrections")
    op.drop_index("ix_sent_corrections_state", table_name="sent_corrections")
    op.drop_table("sent_corrections")
    op.drop_table("matched_entries")
    op.drop_index("ix_objections_statistics", table_name="objections")
    op.drop_index("ix_objections_recheck_job", table_name="objections")
    op.drop_index("ix_objections_job", table_name="objections")
    op.drop_table("objections")
