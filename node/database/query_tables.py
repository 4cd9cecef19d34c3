"""Tables of what peers ask of this node: manifests issued, queries, the granules of their points."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from node.database.column_types import UtcDateTime
from node.database.index_tables import metadata

# Manifests issued to peers: a query names one of the last 25 hours.
manifests = Table(
    "manifests",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    # BLAKE3 of it without its times: what says the same is issued again only after some minutes.
    Column("content", LargeBinary(32), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Index("ix_manifests_content", "peer", "content"),
)

# Queries of peers for points, each charged once. They outlive the peer's row: evidence of what it asked.
queries = Table(
    "queries",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("query_id", LargeBinary(16), primary_key=True),
    Column("token_class", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("items", Text, nullable=False),  # JSON
    Column("purpose", String(32), nullable=False),
    Column("legal_basis", String(64), nullable=False),
    Column("manifest_digest", LargeBinary(32), nullable=False),
    Column("mandate_root", LargeBinary(32), nullable=False),
    # Last day on which the requester says to keep tokens, days since 1970-01-01; 0 for none.
    Column("tokens_until", Integer, nullable=False),
    # Points announced, and charged to the peer's quotas.
    Column("points", BigInteger, nullable=False),
    Column("charged", BigInteger, nullable=False),
    # How many granules are known; all rows of `granules` together have as many digests.
    Column("granules", BigInteger, nullable=False),
    # The root over all granules, once the last is known.
    Column("points_root", LargeBinary(32)),
    # open or done
    Column("state", String(8), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Index("ix_queries_epoch", "epoch"),
    # Statistics are counted in it.
    Index("ix_queries_statistics", "opened_at", "peer", "points"),
)

granules = Table(
    "granules",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("query_id", LargeBinary(16), primary_key=True),
    Column("first", BigInteger, primary_key=True),  # number of the first granule
    # Digests of granules of 16 blinded points each, 32 bytes a granule, in order.
    Column("digests", LargeBinary, nullable=False),
)

# What peers used of their quotas: a row for each day of China.
quota_uses = Table(
    "quota_uses",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("measure", String(24), primary_key=True),
    # A code of the catalogue for sums, else empty.
    Column("item", String(8), primary_key=True),
    Column("day", Integer, primary_key=True),  # days since 1970-01-01
    Column("amount", BigInteger, nullable=False),
    # The day's last hour with any use, and what was used in it.
    Column("hour", Integer, nullable=False),
    Column("in_hour", BigInteger, nullable=False),
)

# Quotas of a peer that are not those of node.toml, and its suspensions. They outlive the peer's row.
quota_limits = Table(
    "quota_limits",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("measure", String(24), primary_key=True),
    Column("window", String(16), primary_key=True),  # or `suspended`
    Column("amount", BigInteger, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)

# The highest level (50, 80, 100 percent) of a quota that was reached in a window, once for each.
quota_alerts = Table(
    "quota_alerts",
    metadata,
    Column("peer", String(2), primary_key=True),
    Column("measure", String(24), primary_key=True),
    Column("item", String(8), primary_key=True),
    Column("window", String(16), primary_key=True),
    # Number of the hour, or of the (last) day, since 1970-01-01 in China.
    Column("number", BigInteger, primary_key=True),
    Column("level", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

TABLES = (manifests, queries, granules, quota_uses, quota_limits, quota_alerts)
