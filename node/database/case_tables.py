"""Tables of objections to reports, and of requests to correct records, sent and received."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from node.database.column_types import ROW_ID, UtcDateTime
from node.database.index_tables import metadata

# Objections to reports of this node.
objections = Table(
    "objections",
    metadata,
    Column("id", String(40), primary_key=True),
    # That of the job: "node" or "platform/" and a name.
    Column("owner", String(220), nullable=False),
    # The job of the report, which may be erased before the objection is.
    Column("job", String(64), nullable=False),
    Column("report_number", String(40), nullable=False),
    # Empty where the objection is about all of them.
    Column("item", String(8), nullable=False),
    Column("peer", String(2), nullable=False),
    # Household, person, who objects, grounds.
    Column("content_sealed", LargeBinary, nullable=False),
    # Days since 1970-01-01 in China: when the report was received, and the objection raised.
    Column("received_day", Integer, nullable=False),
    Column("raised_day", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    # Whether it was counted with days of a year whose holidays are not known.
    Column("due_estimated", Boolean, nullable=False),
    # open, rechecking or closed; result of one that is closed.
    Column("state", String(16), nullable=False),
    Column("result", String(32), nullable=False),
    # The newest job that looked again, or empty.
    Column("recheck_job", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Index("ix_objections_job", "job"),
    Index("ix_objections_recheck_job", "recheck_job"),
    # Statistics are counted in it.
    Index("ix_objections_statistics", "raised_day", "owner", "recheck_job"),
)

# Which entries a job opened, so that their correction can be asked for: tags and keys that open nothing.
matched_entries = Table(
    "matched_entries",
    metadata,
    Column("job", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("peer", String(2), primary_key=True),
    Column("item", String(8), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

# Requests of this node to other provinces. They outlive the job.
sent_corrections = Table(
    "sent_corrections",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("owner", String(220), nullable=False),
    Column("job", String(64), nullable=False),
    Column("peer", String(2), nullable=False),
    Column("item", String(8), nullable=False),
    Column("fault", String(16), nullable=False),
    Column("basis", String(16), nullable=False),
    Column("reference", String(64), nullable=False),
    # The subject's reference and the message with its proof.
    Column("content_sealed", LargeBinary, nullable=False),
    # sent, received, corrected, upheld or refused
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime),
    Column("due_at", UtcDateTime, nullable=False),
    # Whether it was counted with days of a year whose holidays are not known.
    Column("due_estimated", Boolean, nullable=False),
    Column("answered_at", UtcDateTime),
    Index("ix_sent_corrections_state", "state"),
)

# Requests of peers to this node. They outlive the peer's row.
received_corrections = Table(
    "received_corrections",
    metadata,
    Column("number", ROW_ID, primary_key=True, autoincrement=True),
    Column("peer", String(2), nullable=False),
    Column("id", LargeBinary(16), nullable=False),
    # BLAKE3 of the message under a key: the same id with other content is refused.
    Column("digest", LargeBinary(32), nullable=False),
    Column("item", String(8), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("fault", String(16), nullable=False),
    Column("basis", String(16), nullable=False),
    Column("reference", String(64), nullable=False),
    # The placing digest behind the tag, and what was disclosed.
    Column("content_sealed", LargeBinary, nullable=False),
    # received, corrected or upheld
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    # Whether it was counted with days of a year whose holidays are not known.
    Column("due_estimated", Boolean, nullable=False),
    Column("answered_at", UtcDateTime),
    UniqueConstraint("peer", "id"),
    Index("ix_received_corrections_state", "state"),
)

TABLES = (objections, matched_entries, sent_corrections, received_corrections)
