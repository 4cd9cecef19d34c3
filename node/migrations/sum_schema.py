"""The tables of sums, as the first schema makes them."""

import sqlalchemy as sa
from alembic import op


def create_tables() -> None:
    """After those of peers and jobs."""
    _create_rows()
    _create_aliases()
    _create_queries()
    _create_own()


def _create_rows() -> None:
    op.create_table(
        "sum_groups",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("prefix", sa.String(length=6), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("packing", sa.LargeBinary(), nullable=False),
        sa.Column("as_of_from", sa.Integer(), nullable=False),
        sa.Column("as_of_to", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sum_groups")),
        sa.UniqueConstraint("item", "prefix", "epoch", "version", name=op.f("uq_sum_groups_item")),
    )
    op.create_table(
        "sum_blocks",
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("points", sa.LargeBinary(), nullable=False),
        sa.Column("days", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertexts", sa.LargeBinary(), nullable=False),
        sa.Column("values_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["sum_groups.id"], name=op.f("fk_sum_blocks_group_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "number", name=op.f("pk_sum_blocks")),
    )


def _create_aliases() -> None:
    op.create_table(
        "sum_aliases",
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("row_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("item", "epoch", "tag", name=op.f("pk_sum_aliases")),
    )
    op.create_index(op.f("ix_sum_aliases_row_tag"), "sum_aliases", ["row_tag"])


def _create_queries() -> None:
    op.create_table(
        "sum_queries",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("query_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("cohort_digest", sa.LargeBinary(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("epsilon_milli", sa.Integer(), nullable=False),
        sa.Column("blind_commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mandate_root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("opened_digest", sa.LargeBinary(), nullable=True),
        sa.Column("contributors", sa.BigInteger(), nullable=True),
        sa.Column("guards_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("rows_digest", sa.LargeBinary(), nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("peer", "query_id", "item", name=op.f("pk_sum_queries")),
    )
    op.create_index("ix_sum_queries_at", "sum_queries", ["peer", "item", "at"], unique=False)
    op.create_index("ix_sum_queries_item", "sum_queries", ["item", "at"], unique=False)
    op.create_index("ix_sum_queries_statistics", "sum_queries", ["at", "peer", "query_id", "points"])
    op.create_table(
        "sum_alerts",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("query_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("peer", "query_id", "item", name=op.f("pk_sum_alerts")),
    )


def _create_own() -> None:
    op.create_table(
        "sum_products",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_sum_products_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "peer", "item", name=op.f("pk_sum_products")),
    )
    op.create_table(
        "sum_exposures",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("query_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("equations", sa.Integer(), nullable=False),
        sa.Column("rows_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "query_id", "item", name=op.f("pk_sum_exposures")),
    )


def drop_tables() -> None:
    """Before those of peers and jobs."""
    op.drop_table("sum_exposures")
    op.drop_table("sum_products")
    op.drop_table("sum_alerts")
    op.drop_index("ix_sum_queries_statistics", table_name="sum_queries")
    op.drop_index("ix_sum_queries_at", table_name="sum_queries")
    op.drop_index("ix_sum_queries_item", table_name="sum_queries")
    op.drop_table("sum_queries")
    op.drop_table("sum_aliases")
    op.drop_table("sum_blocks")
    op.drop_table("sum_groups")
