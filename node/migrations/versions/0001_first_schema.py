"""First schema.

Revision 0001: the first.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations import (
    case_schema,
    catalogue_schema,
    deadline_schema,
    household_schema,
    query_schema,
    source_schema,
    sum_schema,
    user_schema,
    watch_schema,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    query_schema.create_tables()
    user_schema.create_tables()
    watch_schema.create_tables()
    op.create_table(
        "audit",
        sa.Column("seq", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_table(
        "cuts",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("origin", sa.String(length=2), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("bits", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cuts")),
    )
    op.create_table(
        "deltas",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("origin", sa.String(length=2), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("from_version", sa.BigInteger(), nullable=False),
        sa.Column("from_root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deltas")),
        sa.UniqueConstraint("item", "origin", "epoch", "version", name=op.f("uq_deltas_item")),
    )
    op.create_table(
        "imports",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("request_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("legal_basis", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("due_estimated", sa.Boolean(), nullable=False),
        sa.Column("report_by", sa.DateTime(), nullable=True),
        sa.Column("auto_peers", sa.Boolean(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(), nullable=True),
        sa.Column("files_issued", sa.Integer(), nullable=False),
        sa.Column("mandates", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_created_at", "jobs", ["created_at", "id", "owner"], unique=False)
    op.create_index("ix_jobs_state", "jobs", ["state", "created_at", "id", "owner"], unique=False)
    counted = ["month", "owner", "state", "answered", "items", "subjects", "mandates", "files_issued"]
    op.create_index("ix_jobs_statistics", "jobs", counted)
    op.create_index("ix_jobs_finished_at", "jobs", ["finished_at"], unique=False)
    op.create_index("ix_jobs_fetched_at", "jobs", ["fetched_at"], unique=False)
    op.create_table(
        "revoked_mandates",
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "digest", name=op.f("pk_revoked_mandates")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "task_runs",
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_task_runs")),
    )
    op.create_table(
        "key_epochs",
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("activated_at", sa.DateTime(), nullable=True),
        sa.Column("grace_until", sa.DateTime(), nullable=True),
        sa.Column("retired_at", sa.DateTime(), nullable=True),
        sa.Column("destroyed_at", sa.DateTime(), nullable=True),
        sa.Column("salt_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "epoch", name=op.f("pk_key_epochs")),
    )
    op.create_table(
        "admins",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_admins")),
        sa.UniqueConstraint("public_key", name=op.f("uq_admins_public_key")),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("requester", sa.String(length=200), nullable=False),
        sa.Column("requested_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.String(length=40), nullable=False),
        sa.Column("asked_signature", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("approver", sa.String(length=200), nullable=True),
        sa.Column("approved_at", sa.DateTime(), nullable=True),
        sa.Column("given_signature", sa.LargeBinary(), nullable=True),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_table(
        "epoch_uses",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "purpose", name=op.f("pk_epoch_uses")),
    )
    op.create_table(
        "peers",
        sa.Column("code", sa.String(length=2), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("allow_platforms", sa.Boolean(), nullable=False),
        sa.Column("allow_monitoring", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=True),
        sa.Column("certificate_from", sa.DateTime(), nullable=True),
        sa.Column("certificate_until", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_peers")),
    )
    op.create_table(
        "peer_keys",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("replaced_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["peer"], ["peers.code"], name=op.f("fk_peer_keys_peer"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("peer", "signing_key", name=op.f("pk_peer_keys")),
    )
    op.create_table(
        "successions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("old_epoch", sa.Integer(), nullable=False),
        sa.Column("old_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("new_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("by_old", sa.LargeBinary(length=64), nullable=False),
        sa.Column("by_new", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_successions")),
    )
    op.create_table(
        "answers",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_answers_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "peer", "item", name=op.f("pk_answers")),
    )
    op.create_table(
        "buckets",
        sa.Column("cut_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("oldest", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.Column("kept_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("links_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["cut_id"], ["cuts.id"], name=op.f("fk_buckets_cut_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cut_id", "number", "version", name=op.f("pk_buckets")),
    )
    op.create_table(
        "grants",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("origin", sa.String(length=2), nullable=False),
        sa.ForeignKeyConstraint(["peer"], ["peers.code"], name=op.f("fk_grants_peer"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("peer", "item", "origin", name=op.f("pk_grants")),
    )
    op.create_table(
        "partitions",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("item", sa.String(length=8), nullable=False),
        sa.Column("token_class", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=2), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("cut_id", ROW_ID, nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("bits", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("as_of", sa.Integer(), nullable=False),
        sa.Column("date", sa.Integer(), nullable=False),
        sa.Column("record_size", sa.Integer(), nullable=False),
        sa.Column("pads", sa.Integer(), nullable=False),
        sa.Column("planted", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=True),
        sa.Column("offered_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["cut_id"], ["cuts.id"], name=op.f("fk_partitions_cut_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partitions")),
        sa.UniqueConstraint("item", "origin", "epoch", "version", name=op.f("uq_partitions_item")),
    )
    op.create_index("ix_partitions_cut_id", "partitions", ["cut_id"], unique=False)
    op.create_table(
        "parts",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("bytes_up", sa.BigInteger(), nullable=False),
        sa.Column("bytes_down", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("plan", sa.String(length=32), nullable=False),
        sa.Column("plan_reason", sa.Text(), nullable=False),
        sa.Column("retry_at", sa.DateTime(), nullable=True),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("closes_at", sa.DateTime(), nullable=False),
        sa.Column("due_estimated", sa.Boolean(), nullable=False),
        sa.Column("close_estimated", sa.Boolean(), nullable=False),
        sa.Column("warned_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("hours", sa.Integer(), nullable=True),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("definitions", sa.Text(), nullable=False),
        sa.Column("session_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("refusals_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reused_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_parts_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "peer", name=op.f("pk_parts")),
    )
    op.create_index("ix_parts_peer", "parts", ["peer", "state"], unique=False)
    counted = ["month", "owner", "peer", "state", "reason", "hours", "subjects"]
    op.create_index("ix_parts_statistics", "parts", counted)
    running = sa.text("session_sealed IS NOT NULL")
    op.create_index("ix_parts_session", "parts", ["job"], sqlite_where=running, postgresql_where=running)
    op.create_table(
        "token_blocks",
        sa.Column("class", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("prefix", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("source_version", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("class", "epoch", "prefix", name=op.f("pk_token_blocks")),
    )
    op.create_table(
        "tokens",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("first_point", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_tokens_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "peer", "first_point", name=op.f("pk_tokens")),
    )
    op.create_table(
        "delta_buckets",
        sa.Column("delta_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("removed", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delta_id"], ["deltas.id"], name=op.f("fk_delta_buckets_delta_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delta_id", "number", name=op.f("pk_delta_buckets")),
    )
    op.create_table(
        "seen_manifests",
        sa.Column("peer", sa.String(length=2), nullable=False),
        sa.Column("salt_version", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer"], ["peers.code"], name=op.f("fk_seen_manifests_peer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("peer", "salt_version", name=op.f("pk_seen_manifests")),
    )
    deadline_schema.create_tables()
    sum_schema.create_tables()
    household_schema.create_tables()
    case_schema.create_tables()
    catalogue_schema.create_tables()
    source_schema.create_tables()


def downgrade() -> None:
    source_schema.drop_tables()
    case_schema.drop_tables()
    household_schema.drop_tables()
    catalogue_schema.drop_tables()
    sum_schema.drop_tables()
    deadline_schema.drop_tables()
    op.drop_table("seen_manifests")
    op.drop_table("delta_buckets")
    op.drop_table("tokens")
    op.drop_table("token_blocks")
    for name in ("peer", "statistics", "session"):
        op.drop_index(f"ix_parts_{name}", table_name="parts")
    op.drop_table("parts")
    op.drop_index("ix_partitions_cut_id", table_name="partitions")
    op.drop_table("partitions")
    op.drop_table("grants")
    op.drop_table("buckets")
    op.drop_table("answers")
    op.drop_table("successions")
    op.drop_table("peer_keys")
    op.drop_table("peers")
    op.drop_table("key_epochs")
    op.drop_table("task_runs")
    op.drop_table("leases")
    op.drop_table("revoked_mandates")
    for name in ("statistics", "state", "created_at", "finished_at", "fetched_at"):
        op.drop_index(f"ix_jobs_{name}", table_name="jobs")
    op.drop_table("jobs")
    op.drop_table("imports")
    op.drop_table("deltas")
    op.drop_table("cuts")
    op.drop_table("audit")
    user_schema.drop_tables()
    watch_schema.drop_tables()
    query_schema.drop_tables()
