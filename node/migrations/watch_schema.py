"""Tables of watch lists and notices in the first schema (versions/0001_first_schema.py)."""

import sqlalchemy as sa
from alembic import op

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def create_tables() -> None:
    """Create them."""
    _create_watches()
    _create_kept()
    _create_alerts()
    _create_notices()


def _create_watches() -> None:
    op.create_table(
        "watches",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("peers", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.String(length=64), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("request_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
    )
    op.create_table(
        "watch_looks",
        sa.Column("watch", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(), nullable=True),
        sa.Column("looked_at", sa.DateTime(), nullable=True),
        sa.Column("plan", sa.String(length=8), nullable=False),
        sa.Column("tried_at", sa.DateTime(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        _watch_key("watch_looks"),
        sa.PrimaryKeyConstraint("watch", "peer", name=op.f("pk_watch_looks")),
    )


def _create_kept() -> None:
    op.create_table(
        "watch_tokens",
        sa.Column("watch", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("token_class", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _watch_key("watch_tokens"),
        sa.PrimaryKeyConstraint("watch", "peer", "token_class", name=op.f("pk_watch_tokens")),
    )
    op.create_table(
        "watch_answers",
        sa.Column("watch", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _watch_key("watch_answers"),
        sa.PrimaryKeyConstraint("watch", "peer", "item", name=op.f("pk_watch_answers")),
    )


def _watch_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["watch"], ["watches.id"], name=op.f(f"fk_{table}_watch"), ondelete="CASCADE"
    )


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("seq", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("watch", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("thresholds", sa.String(length=32), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=220), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        _watch_key("alerts"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alerts")),
        sa.UniqueConstraint("id", name=op.f("uq_alerts_id")),
    )
    op.create_index("ix_alerts_watch", "alerts", ["watch"], unique=False)
    op.create_table(
        "watch_thresholds",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("set_by", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_watch_thresholds")),
        sa.UniqueConstraint("version", name=op.f("uq_watch_thresholds_version")),
    )


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("seq", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Integer(), nullable=True),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.Column("cleared_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_notices")),
    )
    op.create_table(
        "notice_deliveries",
        sa.Column("seq", ROW_ID, nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("delivered_at", sa.DateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["seq"], ["notices.seq"], name=op.f("fk_notice_deliveries_seq"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seq", "channel", name=op.f("pk_notice_deliveries")),
    )


def drop_tables() -> None:
    """Remove them."""
    op.drop_table("notice_deliveries")
    op.drop_table("notices")
    op.drop_table("watch_thresholds")
    op.drop_index("ix_alerts_watch", table_name="alerts")
    for table in ("alerts", "watch_answers", "watch_tokens", "watch_looks", "watches"):
        op.drop_table(table)
