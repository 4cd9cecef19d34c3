"""Tables of the node, with those of node/database/index_tables.py and query_tables.py.

Columns named `sealed` hold bytes under the storage key, never plain data.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from node.database import (
    case_tables,
    catalogue_tables,
    deadline_tables,
    household_tables,
    index_tables,
    peer_tables,
    query_tables,
    source_tables,
    user_tables,
    watch_tables,
)
from node.database.column_types import ROW_ID, UtcDateTime

metadata = index_tables.metadata
# Tables of other modules, so that they are in it, too.
OTHERS = (
    case_tables.TABLES,
    catalogue_tables.TABLES,
    household_tables.TABLES,
    peer_tables.TABLES,
    query_tables.TABLES,
    source_tables.TABLES,
    user_tables.TABLES,
    watch_tables.TABLES,
)
DEADLINE_TABLES = deadline_tables.TABLES

_COUNTED = ("month", "owner", "state", "answered", "items", "subjects", "mandates", "files_issued")
_HAS_SESSION = text("session_sealed IS NOT NULL")

imports = Table(
    "imports",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("item", String(8), nullable=False),
    Column("mode", String(8), nullable=False),  # full, upsert or delete
    Column("tally", Text, nullable=False),
    Column("source", LargeBinary, nullable=False),  # digest of the source and the options, or empty
    # Entries of the item after it, and whether a second administrator approved that they are fewer.
    Column("held", Integer, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    # verification, sum or watch
    Column("kind", String(16), nullable=False),
    # Who submitted it: "node" or "platform/" and a name.
    Column("owner", String(220), nullable=False),
    Column("state", String(16), nullable=False),
    Column("request_digest", LargeBinary, nullable=False),
    Column("request_sealed", LargeBinary, nullable=False),
    Column("subjects", Integer, nullable=False),
    Column("items", Text, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("legal_basis", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # The month of `created_at` in China, as 202611.
    Column("month", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    # Whether `due_at` was counted with days of a year whose holidays are not known.
    Column("due_estimated", Boolean, nullable=False),
    # When its report is to be issued.
    Column("report_by", UtcDateTime),
    # Its peers are chosen when it starts: all that offer an item and grant it.
    Column("auto_peers", Boolean, nullable=False),
    Column("finished_at", UtcDateTime),
    # When its owner had fetched the whole report first.
    Column("fetched_at", UtcDateTime),
    # How often a file of its report was made and sent whole.
    Column("files_issued", Integer, nullable=False),
    Column("mandates", Integer, nullable=False),  # how many came with it
    Column("answered", Boolean, nullable=False),  # by any peer, when it ended
    Column("cancel_requested", Boolean, nullable=False),
    Column("error", String(300), nullable=False),
    # A page of the list is chosen in an index alone, however many jobs there are.
    Index("ix_jobs_created_at", "created_at", "id", "owner"),
    Index("ix_jobs_state", "state", "created_at", "id", "owner"),
    # Statistics are counted in an index too, in its order: rows have lists of people between these columns.
    Index("ix_jobs_statistics", *_COUNTED),
    # What is due to be erased.
    Index("ix_jobs_finished_at", "finished_at"),
    Index("ix_jobs_fetched_at", "fetched_at"),
)

parts = Table(
    "parts",
    metadata,
    Column("job", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("peer", String(2), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("bytes_up", BigInteger, nullable=False),
    Column("bytes_down", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("plan", String(32), nullable=False),
    Column("plan_reason", Text, nullable=False),
    # When a part goes on that waits for a peer's quota, or for a peer that is away.
    Column("retry_at", UtcDateTime),
    # Since when the peer is asked; when its answer is due; when the part is closed. What is estimated was
    # counted with days of a year whose holidays are not known.
    Column("asked_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("closes_at", UtcDateTime, nullable=False),
    Column("due_estimated", Boolean, nullable=False),
    Column("close_estimated", Boolean, nullable=False),
    Column("warned_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    # Whole hours until the peer answered a question, rounded up; the month, owner and people of its job, for
    # statistics.
    Column("hours", Integer),
    Column("month", Integer, nullable=False),
    Column("owner", String(220), nullable=False),
    Column("subjects", Integer, nullable=False),
    # Digests of what each item meant when the peer was asked (JSON), without which no answer is used again.
    Column("definitions", Text, nullable=False),
    # The seed and the manifest of the query under way; erased when the part ends.
    Column("session_sealed", LargeBinary),
    # Subjects that must not be queried at this peer, with reasons; empty until the part runs.
    Column("refusals_sealed", LargeBinary),
    # Answers of earlier jobs that are used again instead of asking.
    Column("reused_sealed", LargeBinary),
    Index("ix_parts_peer", "peer", "state"),
    Index("ix_parts_statistics", "month", "owner", "peer", "state", "reason", "hours", "subjects"),
    # The few that run.
    Index("ix_parts_session", "job", sqlite_where=_HAS_SESSION, postgresql_where=_HAS_SESSION),
)

# Digests of the numbers of mandates, by the owner of the jobs that they are revoked for: "node" is all.
revoked_mandates = Table(
    "revoked_mandates",
    metadata,
    Column("owner", String(220), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    Column("revoked_at", UtcDateTime, nullable=False),
)

# The right of a process to do a piece of work: `job <id>`, or `scheduler`.
leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),
    # Increases whenever the lease is taken; every write of the work checks it.
    Column("number", BigInteger, nullable=False),
    # Seconds since 1970 by the clock of the database; 0 when it is free.
    Column("expires_at", Double, nullable=False),
)

# When the scheduler ended a task last, in seconds since 1970 by the clock of the database.
task_runs = Table(
    "task_runs",
    metadata,
    Column("task", String(64), primary_key=True),
    Column("ended_at", Double, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("job", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("peer", String(2), primary_key=True),
    Column("first_point", BigInteger, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("job", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("peer", String(2), primary_key=True),
    Column("item", String(8), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

# Rows of encrypted sums: one version of (item, area of registration, epoch of the sum keys).
sum_groups = Table(
    "sum_groups",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("item", String(8), nullable=False),
    # First 6, 4 or 2 digits of identity numbers; 00 for documents without an area.
    Column("prefix", String(6), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    # BLAKE3 over all rows, each its point and its ciphertext; of the catalogue's bands and cap.
    Column("digest", LargeBinary, nullable=False),
    Column("packing", LargeBinary, nullable=False),
    Column("as_of_from", Integer, nullable=False),
    Column("as_of_to", Integer, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("published_at", UtcDateTime),
    UniqueConstraint("item", "prefix", "epoch", "version"),
)

sum_blocks = Table(
    "sum_blocks",
    metadata,
    Column("group_id", ROW_ID, ForeignKey("sum_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    # Of up to 256 rows: points S (32 bytes, ascending), days (int32), ciphertexts, values (uint64, sealed).
    Column("points", LargeBinary, nullable=False),
    Column("days", LargeBinary, nullable=False),
    Column("ciphertexts", LargeBinary, nullable=False),
    Column("values_sealed", LargeBinary, nullable=False),
)

# The other identities of a record, so that an upsert by any of them finds its row.
sum_aliases = Table(
    "sum_aliases",
    metadata,
    Column("item", String(8), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    # Tags of the points of an identity and of its record's row, under a key that follows from the sum key.
    Column("tag", LargeBinary(16), primary_key=True),
    Column("row_tag", LargeBinary(16), nullable=False),
    # Both points (32 bytes each) and the area of the row.
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_sum_aliases_row_tag", "row_tag"),
)

# Queries of peers for sums, charged before anything is evaluated.
sum_queries = Table(
    "sum_queries",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("query_id", LargeBinary(16), primary_key=True),
    Column("item", String(8), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # Digest of the start and the whole cohort: a retry must be the same query.
    Column("cohort_digest", LargeBinary, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("epsilon_milli", Integer, nullable=False),
    # What it named at its start: the commitment to its blind, the root of its mandates.
    Column("blind_commitment", LargeBinary(32), nullable=False),
    Column("mandate_root", LargeBinary(32), nullable=False),
    Column("opened_digest", LargeBinary),
    Column("contributors", BigInteger),
    # Totals of the guards, erased with their epoch; digest of the versions of the groups when it was opened.
    Column("guards_sealed", LargeBinary),
    Column("rows_digest", LargeBinary),
    Column("answer_sealed", LargeBinary),
    Index("ix_sum_queries_at", "peer", "item", "at"),
    Index("ix_sum_queries_item", "item", "at"),
    Index("ix_sum_queries_statistics", "at", "peer", "query_id", "points"),
)

# Openings that only a requester which breaks the rules asks for; three in a year suspend its sums.
sum_alerts = Table(
    "sum_alerts",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("query_id", LargeBinary(16), primary_key=True),
    Column("item", String(8), primary_key=True),
    Column("rule", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # When an administrator let the peer ask again.
    Column("lifted_at", UtcDateTime),
)

# Own queries: the rows of each sum that a peer opened, so that it is not shown who was in them.
sum_exposures = Table(
    "sum_exposures",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("query_id", LargeBinary(16), primary_key=True),
    Column("item", String(8), primary_key=True),
    # Of the peer's keys of sums.
    Column("epoch", Integer, nullable=False),
    Column("equations", Integer, nullable=False),
    Column("rows_sealed", LargeBinary, nullable=False),
)

# Own queries: the sum of one item before it is opened; erased when the part ends.
sum_products = Table(
    "sum_products",
    metadata,
    Column("job", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("peer", String(2), primary_key=True),
    Column("item", String(8), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", ROW_ID, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("event", String(64), nullable=False),
    Column("details", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)

# Facts of keys by epoch; their secrets are in the key store. A purpose without rows has one epoch, the
# active one.
key_epochs = Table(
    "key_epochs",
    metadata,
    Column("purpose", String(32), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    # pending, active, grace, retired or destroyed
    Column("state", String(16), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("activated_at", UtcDateTime),
    Column("grace_until", UtcDateTime),
    Column("retired_at", UtcDateTime),
    Column("destroyed_at", UtcDateTime),
    # For keys that depend on it: the salt of the identities under them; 0 is the one the node began with.
    Column("salt_version", Integer, nullable=False, default=0),
)

# Statements with which peers follow from one of this node's signing keys to the next; public.
successions = Table(
    "successions",
    metadata,
    # Epoch of the new key.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("old_epoch", Integer, nullable=False),
    Column("old_key", LargeBinary(32), nullable=False),
    Column("new_key", LargeBinary(32), nullable=False),
    # Unix seconds, as signed.
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("by_old", LargeBinary(64), nullable=False),
    Column("by_new", LargeBinary(64), nullable=False),
)

# Administrators under dual control, by the public halves of their keys.
admins = Table(
    "admins",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("public_key", LargeBinary(32), nullable=False, unique=True),
    Column("added_at", UtcDateTime, nullable=False),
)

# Requests of one administrator that another approves; each is good for one action.
approvals = Table(
    "approvals",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("action", String(64), nullable=False),
    Column("details", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("requester", String(200), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    # As signed: ISO 8601.
    Column("expires_at", String(40), nullable=False),
    Column("asked_signature", LargeBinary, nullable=False),
    # The account in whose name it was made, also by a command; empty for none. It lets that person withdraw.
    Column("account", String(32), nullable=False),
    Column("approver", String(200)),
    Column("approved_at", UtcDateTime),
    Column("given_signature", LargeBinary),
    Column("used_at", UtcDateTime),
)

# The epoch of a key (oprf, or sum for sums) of each peer's last query.
epoch_uses = Table(
    "epoch_uses",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("purpose", String(32), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
