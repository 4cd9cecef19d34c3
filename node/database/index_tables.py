"""Tables of the index that this node serves, and the metadata of all tables.

Columns named `sealed` hold bytes under the storage key, never plain data.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.database.column_types import NAMES, ROW_ID, UtcDateTime

metadata = MetaData(naming_convention=NAMES)

# One division of a partition into buckets. Versions of a partition share the rows of a cut, except for
# the buckets that changed; a cut without a version was left by an unfinished import.
cuts = Table(
    "cuts",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("item", String(8), nullable=False),
    Column("origin", String(2), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("bits", Integer, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
)

partitions = Table(
    "partitions",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("item", String(8), nullable=False),
    # Which key made its tokens: the item's class in the catalogue of the import.
    Column("token_class", String(16), nullable=False),
    Column("origin", String(2), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("cut_id", ROW_ID, ForeignKey("cuts.id"), nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("bits", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
    # Digests of all buckets, 32 bytes each, in order: the leaves of the Merkle tree.
    Column("leaves", LargeBinary, nullable=False),
    Column("as_of", Integer, nullable=False),
    # The date of its records that name none, in days since 1970-01-01; bytes of a plain record.
    Column("date", Integer, nullable=False),
    Column("record_size", Integer, nullable=False),
    # How many of its entries are pads; a peer never learns it.
    Column("pads", Integer, nullable=False),
    Column("planted", Text, nullable=False),
    # Empty while an import prepares the version, and until peers are offered it: then it is not served.
    Column("published_at", UtcDateTime),
    Column("offered_at", UtcDateTime),
    UniqueConstraint("item", "origin", "epoch", "version"),
    Index("ix_partitions_cut_id", "cut_id"),
)

# A version of a partition has, for each number, the newest row that is not newer than the version itself.
buckets = Table(
    "buckets",
    metadata,
    Column("cut_id", ROW_ID, ForeignKey("cuts.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    # Oldest date in its labels, in days since 1970-01-01; 2^32 - 1 where all have the date of the partition.
    Column("oldest", BigInteger, nullable=False),
    Column("entries", LargeBinary, nullable=False),
    # Pointers to the tokens of its entries and their plain records: never served (ADR 17).
    Column("kept_sealed", LargeBinary, nullable=False),
    # Which entries are of one record: sealed, because peers must not learn a person's numbers. Mostly empty.
    Column("links_sealed", LargeBinary, nullable=False),
)

# Tokens of identities, computed once per class and epoch (ADR 17). A block holds those whose placing digests
# begin with its prefix (12 bits): digests and tokens by slot, to which entries point.
token_blocks = Table(
    "token_blocks",
    metadata,
    Column("class", String(16), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("prefix", Integer, primary_key=True, autoincrement=False),
    # Increases with every write: whoever writes names the version that was read.
    Column("version", BigInteger, nullable=False),
    # In a rotation: the version of the block of the epoch before that it was made from; else 0.
    Column("source_version", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

# What changed from one version of a partition to the next, for the mirrors of peers.
deltas = Table(
    "deltas",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("item", String(8), nullable=False),
    Column("origin", String(2), nullable=False),
    Column("epoch", Integer, nullable=False),
    # The version it leads to, and the version and Merkle root it begins from.
    Column("version", BigInteger, nullable=False),
    Column("from_version", BigInteger, nullable=False),
    Column("from_root", LargeBinary(32), nullable=False),
    # Bytes of its tags and entries.
    Column("size", BigInteger, nullable=False),
    UniqueConstraint("item", "origin", "epoch", "version"),
)

delta_buckets = Table(
    "delta_buckets",
    metadata,
    Column("delta_id", ROW_ID, ForeignKey("deltas.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    # Tags that leave, ascending; entries that are new or replace one with their tag, ascending.
    Column("removed", LargeBinary, nullable=False),
    Column("entries", LargeBinary, nullable=False),
)
