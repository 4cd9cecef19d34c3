"""Tables of households, mandates, offices and asked people in the first schema
(versions/0001_first_schema.py).
"""

import sqlalchemy as sa
from alembic import op


def create_tables() -> None:
    """Create them."""
    _create_records()
    _create_offices()
    _create_asked()


def _create_records() -> None:
    op.create_table(
        "households",
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("office", sa.String(length=12), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "digest", name=op.f("pk_households")),
    )
    op.create_index("ix_households_office", "households", ["owner", "office"], unique=False)
    op.create_table(
        "mandates",
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("household", sa.LargeBinary(length=32), nullable=False),
        sa.Column("certificate", sa.String(length=16), nullable=False),
        sa.Column("valid_to", sa.Integer(), nullable=True),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("ended", sa.String(length=24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("form_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("owner", "digest", name=op.f("pk_mandates")),
    )
    op.create_index("ix_mandates_household", "mandates", ["owner", "household"], unique=False)
    op.create_table(
        "record_people",
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("owner", "kind", "digest", "person", name=op.f("pk_record_people")),
    )
    op.create_index("ix_record_people_person", "record_people", ["person"], unique=False)


def _create_offices() -> None:
    op.create_table(
        "office_authorities",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_office_authorities")),
    )
    op.create_table(
        "offices",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(), nullable=False),
        sa.Column("not_after", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_offices")),
    )
    op.create_index("ix_offices_code", "offices", ["code"], unique=False)


def _create_asked() -> None:
    op.create_table(
        "urgent_checks",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("person", sa.LargeBinary(length=16), nullable=False),
        sa.Column("due_on", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job", "place", name=op.f("pk_urgent_checks")),
    )
    op.create_index("ix_urgent_checks_person", "urgent_checks", ["owner", "person"], unique=False)
    op.create_table(
        "asked_jobs",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=220), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("legal_basis", sa.String(length=64), nullable=False),
        sa.Column("matter", sa.String(length=2), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("peers", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_asked_jobs")),
    )
    op.create_index("ix_asked_jobs_asked_at", "asked_jobs", ["asked_at"], unique=False)
    op.create_table(
        "asked_people",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job"], ["asked_jobs.job"], name=op.f("fk_asked_people_job"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job", "prefix", name=op.f("pk_asked_people")),
    )
    op.create_index("ix_asked_people_prefix", "asked_people", ["prefix"], unique=False)


def drop_tables() -> None:
    """Remove them."""
    op.drop_index("ix_asked_people_prefix", table_name="asked_people")
    op.drop_table("asked_people")
    op.drop_index("ix_asked_jobs_asked_at", table_name="asked_jobs")
    op.drop_table("asked_jobs")
    op.drop_index("ix_urgent_checks_person", table_name="urgent_checks")
    op.drop_table("urgent_checks")
    op.drop_index("ix_offices_code", table_name="offices")
    op.drop_table("offices")
    op.drop_table("office_authorities")
    op.drop_index("ix_record_people_person", table_name="record_people")
    op.drop_table("record_people")
    op.drop_index("ix_mandates_household", table_name="mandates")
    op.drop_table("mandates")
    op.drop_index("ix_households_office", table_name="households")
    op.drop_table("households")
