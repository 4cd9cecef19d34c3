"""Tables of queries and quotas in the first schema (versions/0001_first_schema.py)."""

import sqlalchemy as sa
from alembic import op


def create_tables() -> None:
    """Create them."""
    _create_queries()
    _create_quotas()


def _create_queries() -> None:
    op.create_table(
        "granules",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("query_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "query_id", "first", name=op.f("pk_granules")),
    )
    op.create_table(
        "manifests",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("issued_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "digest", name=op.f("pk_manifests")),
    )
    op.create_index("ix_manifests_content", "manifests", ["peer", "content"], unique=False)
    op.create_table(
        "queries",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("query_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("token_class", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("legal_basis", sa.String(length=64), nullable=False),
        sa.Column("manifest_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mandate_root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tokens_until", sa.Integer(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("granules", sa.BigInteger(), nullable=False),
        sa.Column("points_root", sa.LargeBinary(length=32), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("peer", "query_id", name=op.f("pk_queries")),
    )
    op.create_index("ix_queries_epoch", "queries", ["epoch"], unique=False)
    op.create_index("ix_queries_statistics", "queries", ["opened_at", "peer", "points"])


def _create_quotas() -> None:
    op.create_table(
        "quota_alerts",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("measure", sa.String(length=24), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("window", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "measure", "item", "window", "number", name=op.f("pk_quota_alerts")),
    )
    op.create_table(
        "quota_limits",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("measure", sa.String(length=24), nullable=False),
        sa.Column("window", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("set_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "measure", "window", name=op.f("pk_quota_limits")),
    )
    op.create_table(
        "quota_uses",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("measure", sa.String(length=24), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("in_hour", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "measure", "item", "day", name=op.f("pk_quota_uses")),
    )


def drop_tables() -> None:
    """Remove them."""
    op.drop_table("quota_uses")
    op.drop_table("quota_limits")
    op.drop_table("quota_alerts")
    op.drop_index("ix_queries_statistics", table_name="queries")
    op.drop_index("ix_queries_epoch", table_name="queries")
    op.drop_table("queries")
    op.drop_index("ix_manifests_content", table_name="manifests")
    op.drop_table("manifests")
    op.drop_table("granules")
