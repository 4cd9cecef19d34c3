"""Tables of the people who use a node: accounts, their sessions, failed attempts, drafts of queries."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, String, Table, Text

from node.database.column_types import UtcDateTime
from node.database.index_tables import metadata

users = Table(
    "users",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("name_sealed", LargeBinary, nullable=False),
    # Hash of the password, secret of the second factor: JSON.
    Column("secrets_sealed", LargeBinary, nullable=False),
    Column("unit", String(12), nullable=False),
    Column("roles", Text, nullable=False),  # JSON
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("disabled_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime, nullable=False),
    Column("last_sign_in", UtcDateTime),
    # Whether the person chose the password, and whether a second factor is enrolled.
    Column("password_set", Boolean, nullable=False),
    Column("has_totp", Boolean, nullable=False),
    # The last time step whose code was taken: no code is taken twice.
    Column("totp_step", BigInteger, nullable=False),
    # The confidentiality record that the person signed last.
    Column("record_version", String(64), nullable=False),
    Column("record_signed_at", UtcDateTime),
)

sessions = Table(
    "sessions",
    metadata,
    # BLAKE3 of the token, which only the person's browser or command has.
    Column("digest", LargeBinary(32), primary_key=True),
    Column("account", String(32), nullable=False),
    # half: the password was right, the second factor is missing; full
    Column("state", String(8), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_sessions_account", "account"),
)

# Failed attempts by keyed digest of the account that was typed, whether there is one or not.
sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("locked_until", UtcDateTime),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("unit", String(12), nullable=False),
    Column("preparer", String(32), nullable=False),
    # verification, sum, watch
    Column("kind", String(16), nullable=False),
    # draft, waiting, returned, sent
    Column("state", String(8), nullable=False),
    # Rises with every change: who saves or approves names the version that was looked at.
    Column("version", Integer, nullable=False),
    # What the person typed, as the console keeps it.
    Column("form_sealed", LargeBinary),
    # The request that waits for approval: people are in it.
    Column("request_sealed", LargeBinary),
    Column("request_digest", LargeBinary(32)),
    Column("items", Text, nullable=False),  # JSON
    Column("peers", Text, nullable=False),  # JSON
    Column("purpose", String(32), nullable=False),
    Column("subjects", BigInteger, nullable=False),
    # Why it was returned.
    Column("reason_sealed", LargeBinary),
    Column("approver", String(32), nullable=False),
    Column("job", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_drafts_unit", "unit", "state"),
)

TABLES = (users, sessions, sign_in_failures, drafts)
