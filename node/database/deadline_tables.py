"""Tables of how peers were asked: earlier attempts of parts, peers left out, whose answers may be used
again.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table

from node.database.column_types import UtcDateTime
from node.database.index_tables import metadata

# How earlier attempts of a part ended; the newest one is the part itself.
attempts = Table(
    "attempts",
    metadata,
    Column("job", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("peer", String(2), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
)

# Peers that a job considered and does not ask, and why.
left_out = Table(
    "left_out",
    metadata,
    Column("job", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("peer", String(2), primary_key=True),
    Column("reason", String(64), nullable=False),
)

# Keyed digests (16 bytes) of the people of a verification, in the order of its list.
answered_people = Table(
    "answered_people",
    metadata,
    Column("job", String(64), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("digests", LargeBinary, nullable=False),
)
TABLES = (attempts, left_out, answered_people)
