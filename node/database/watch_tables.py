"""Tables of watch lists, their alerts and thresholds, and of notices (docs/data-model.md)."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from node.database.column_types import ROW_ID, UtcDateTime
from node.database.index_tables import metadata

# Registered people who are looked at again, as one list each.
watches = Table(
    "watches",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(220), nullable=False),
    Column("items", Text, nullable=False),  # JSON
    Column("peers", Text, nullable=False),  # JSON
    Column("legal_basis", String(64), nullable=False),
    Column("people", Integer, nullable=False),
    # Rises whenever people leave the list: a look that began before must not write what it has of them.
    Column("revision", Integer, nullable=False),
    Column("request_digest", LargeBinary(32), nullable=False),
    # The people and their mandates.
    Column("request_sealed", LargeBinary, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)


def _of_watch() -> Column[str]:
    return Column("watch", String(64), ForeignKey("watches.id", ondelete="CASCADE"), primary_key=True)


# The last look of a list at each peer.
watch_looks = Table(
    "watch_looks",
    metadata,
    _of_watch(),
    Column("peer", String(2), primary_key=True),
    # Looks that ended well; rises with each.
    Column("look", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    # Versions of the partitions that were searched, JSON by "item/origin"; when their manifest was issued.
    Column("versions", Text, nullable=False),
    Column("issued_at", UtcDateTime),
    Column("looked_at", UtcDateTime),
    Column("plan", String(8), nullable=False),  # home, asked, or empty
    Column("tried_at", UtcDateTime),
    Column("reason", String(64), nullable=False),
)

# Tokens of the people of a list, of one epoch of a peer.
watch_tokens = Table(
    "watch_tokens",
    metadata,
    _of_watch(),
    Column("peer", String(2), primary_key=True),
    Column("token_class", String(16), primary_key=True),
    Column("epoch", Integer, nullable=False),
    # Last day on which they may be kept, days since 1970-01-01 in China; how many people they are of.
    Column("until", Integer, nullable=False),
    Column("people", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

# The last comparable answers about the people of a list, in its order.
watch_answers = Table(
    "watch_answers",
    metadata,
    _of_watch(),
    Column("peer", String(2), primary_key=True),
    Column("item", String(8), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

# Changes that met a threshold, until a person has looked at them and some time after.
alerts = Table(
    "alerts",
    metadata,
    # Ascends without gaps in the order of commits: a reader resumes behind the last one it saw.
    Column("seq", ROW_ID, primary_key=True, autoincrement=False),
    Column("id", String(24), nullable=False, unique=True),
    Column("watch", String(64), ForeignKey("watches.id", ondelete="CASCADE"), nullable=False),
    Column("owner", String(220), nullable=False),
    Column("peer", String(2), nullable=False),
    Column("item", String(8), nullable=False),
    # Which look of the list at the peer found it.
    Column("look", Integer, nullable=False),
    Column("thresholds", String(32), nullable=False),
    Column("content_sealed", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", String(220), nullable=False),
    Column("note_sealed", LargeBinary),
    Index("ix_alerts_watch", "watch"),
)

# Every version of the expert thresholds that was set.
watch_thresholds = Table(
    "watch_thresholds",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", String(32), nullable=False, unique=True),
    Column("set_by", String(200), nullable=False),
    Column("valid_from", Integer, nullable=False),  # days since 1970-01-01 in China
    Column("content", Text, nullable=False),  # the file as it was given
    Column("set_at", UtcDateTime, nullable=False),
)

# What an administrator or an officer should know: codes and counts, never people.
notices = Table(
    "notices",
    metadata,
    Column("seq", ROW_ID, primary_key=True, autoincrement=False),  # as in `alerts`
    Column("kind", String(32), nullable=False),
    # What it is about: a purpose of keys, a province, a year, or nothing.
    Column("subject", String(64), nullable=False),
    Column("owner", String(220), nullable=False),
    Column("level", String(8), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("due_on", Integer),  # days since 1970-01-01 in China
    Column("raised_at", UtcDateTime, nullable=False),
    # When it no longer held, or a graver one took its place.
    Column("cleared_at", UtcDateTime),
)

# Which notice goes through which channel (folder, mail), and whether it did.
notice_deliveries = Table(
    "notice_deliveries",
    metadata,
    Column("seq", ROW_ID, ForeignKey("notices.seq", ondelete="CASCADE"), primary_key=True),
    Column("channel", String(8), primary_key=True),
    Column("delivered_at", UtcDateTime),
    Column("tries", Integer, nullable=False),
    Column("retry_at", UtcDateTime),
)

TABLES = (
    watches,
    watch_looks,
    watch_tokens,
    watch_answers,
    alerts,
    watch_thresholds,
    notices,
    notice_deliveries,
)
