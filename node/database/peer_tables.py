"""Tables of the peers: who they are, their keys, what was seen of them, what they are granted."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from node.database.column_types import UtcDateTime
from node.database.index_tables import metadata

peers = Table(
    "peers",
    metadata,
    Column("code", String(2), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("address", String(300), nullable=False),
    Column("signing_key", LargeBinary, nullable=False),
    Column("allow_platforms", Boolean, nullable=False),
    Column("allow_monitoring", Boolean, nullable=False),
    # Neither asked nor answered until administrators end that.
    Column("paused", Boolean, nullable=False),
    # When it was added first: a new card does not change it.
    Column("added_at", UtcDateTime, nullable=False),
    # The newest certificate that it showed here: SHA-256 in hex, from when until when it is valid.
    Column("certificate", String(64)),
    Column("certificate_from", UtcDateTime),
    Column("certificate_until", UtcDateTime),
)

# Earlier pinned signing keys of a peer: their signatures are refused, except in queries under way.
peer_keys = Table(
    "peer_keys",
    metadata,
    Column("peer", String(2), ForeignKey("peers.code", ondelete="CASCADE"), primary_key=True),
    Column("signing_key", LargeBinary(32), primary_key=True),
    Column("replaced_at", UtcDateTime, nullable=False),
)

# The newest manifest seen of a peer, by the salt of its data: an older one is refused later.
seen_manifests = Table(
    "seen_manifests",
    metadata,
    Column("peer", String(2), ForeignKey("peers.code", ondelete="CASCADE"), primary_key=True),
    Column("salt_version", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    # Versions of its partitions, JSON by "item/origin"; when one, or the epoch, last rose.
    Column("versions", Text, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("peer", String(2), ForeignKey("peers.code", ondelete="CASCADE"), primary_key=True),
    # A code of the catalogue, or * for all ordinary items.
    Column("item", String(8), primary_key=True),
    Column("origin", String(2), primary_key=True),
)

TABLES = (peers, peer_keys, seen_manifests, grants)
