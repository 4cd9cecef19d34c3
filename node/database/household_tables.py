"""Tables of households, mandates and offices, and of who was asked about when (docs/data-model.md).

Where a row is found by a number of a person or of a form, the column holds a digest of it under the lookup
key of the node's key store: nobody finds out from the database alone whose it is.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from node.database.column_types import UtcDateTime
from node.database.index_tables import metadata

DIGEST = 32  # bytes of a digest of a number of a household or mandate
PERSON = 16  # bytes of a digest of an identity number

households = Table(
    "households",
    metadata,
    # Who recorded it: "node" or "platform/" and a name.
    Column("owner", String(220), primary_key=True),
    Column("digest", LargeBinary(DIGEST), primary_key=True),
    Column("office", String(12), nullable=False),
    Column("people", Integer, nullable=False),
    # Rises with each change.
    Column("version", BigInteger, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_households_office", "owner", "office"),
)

mandates = Table(
    "mandates",
    metadata,
    Column("owner", String(220), primary_key=True),
    Column("digest", LargeBinary(DIGEST), primary_key=True),
    # Digest of the household's number, empty for none.
    Column("household", LargeBinary(DIGEST), nullable=False),
    # Number of the certificate of the office that signed it, empty for none.
    Column("certificate", String(16), nullable=False),
    # Days since 1970-01-01: the last day, where the form names one.
    Column("valid_to", Integer),
    Column("added_at", UtcDateTime, nullable=False),
    # When and why it ended before that: one of stored_mandates.END_REASONS.
    Column("ended_at", UtcDateTime),
    Column("ended", String(24), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    # The scanned form; empty where there is none.
    Column("form_sealed", LargeBinary),
    Index("ix_mandates_household", "owner", "household"),
)

# People of households and mandates, by digests of their numbers.
record_people = Table(
    "record_people",
    metadata,
    Column("owner", String(220), primary_key=True),
    Column("kind", String(12), primary_key=True),  # household or mandate
    Column("digest", LargeBinary(DIGEST), primary_key=True),
    Column("person", LargeBinary(PERSON), primary_key=True),
    Index("ix_record_people_person", "person"),
)

# The CA's word for this node's office keys, by their epoch; public.
office_authorities = Table(
    "office_authorities",
    metadata,
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)

# Certificates of offices that this node issued; public.
offices = Table(
    "offices",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("code", String(12), nullable=False),
    Column("name", String(200), nullable=False),
    Column("key", LargeBinary(32), nullable=False),
    Column("document", Text, nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("not_after", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Index("ix_offices_code", "code"),
)

# People of urgent checks who were asked about before their mandate.
urgent_checks = Table(
    "urgent_checks",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("place", Integer, primary_key=True),  # of the person in the job
    Column("owner", String(220), nullable=False),
    Column("person", LargeBinary(PERSON), nullable=False),
    # Days since 1970-01-01: until when the mandate must follow.
    Column("due_on", Integer, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    # The reference of the person in the job.
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_urgent_checks_person", "owner", "person"),
)

# What was asked, kept longer than the job itself: a person may ask for it.
asked_jobs = Table(
    "asked_jobs",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("owner", String(220), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("legal_basis", String(64), nullable=False),
    Column("matter", String(2), nullable=False),
    Column("items", Text, nullable=False),  # JSON
    Column("peers", Text, nullable=False),  # JSON
    Column("people", Integer, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Index("ix_asked_jobs_asked_at", "asked_at"),
)

asked_people = Table(
    "asked_people",
    metadata,
    Column("job", String(64), ForeignKey("asked_jobs.job", ondelete="CASCADE"), primary_key=True),
    # First byte of the digests, so that one person is looked for in a small part of a long list.
    Column("prefix", Integer, primary_key=True, autoincrement=False),
    # Of the identity numbers: 16 bytes each, ascending.
    Column("digests", LargeBinary, nullable=False),
    Index("ix_asked_people_prefix", "prefix"),
)

TABLES = (
    households,
    mandates,
    record_people,
    office_authorities,
    offices,
    urgent_checks,
    asked_jobs,
    asked_people,
)
