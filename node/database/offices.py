"""Certificates of offices that this node issued, and the CA's authority for its office keys; all public."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.database.household_tables import office_authorities, offices
from node.domain.offices import OfficeRow

# Built once, as every report reads them.
_NAMES = select(offices.c.code, offices.c.name).order_by(offices.c.issued_at, offices.c.number)


def put_authority(tx: Connection, epoch: int, document: str, now: datetime) -> None:
    """Store the CA's authority for an office key, in the place of an earlier one."""
    values = {"document": document, "added_at": now}
    if tx.execute(
        update(office_authorities).where(office_authorities.c.epoch == epoch).values(**values)
    ).rowcount:
        return
    tx.execute(insert(office_authorities).values(epoch=epoch, **values))


def newest_authority(tx: Connection) -> tuple[int, str] | None:
    """Epoch and document of the newest authority; None before the first."""
    asked = select(office_authorities.c.epoch, office_authorities.c.document)
    row = tx.execute(asked.order_by(office_authorities.c.epoch.desc()).limit(1)).one_or_none()
    return None if row is None else (row.epoch, row.document)


def add_office(tx: Connection, row: OfficeRow) -> None:
    """Store a new certificate."""
    tx.execute(insert(offices).values(**{name: getattr(row, name) for name in row.__slots__}))


def list_offices(tx: Connection) -> list[OfficeRow]:
    """All certificates by code, the newest first."""
    asked = select(offices).order_by(offices.c.code, offices.c.issued_at.desc(), offices.c.number)
    return list(map(_office, tx.execute(asked)))


def office_names(tx: Connection) -> dict[str, str]:
    """The name of each office by its code, from its newest certificate."""
    return {row.code: row.name for row in tx.execute(_NAMES)}


def find_office(tx: Connection, number: str) -> OfficeRow | None:
    """A certificate by its number."""
    row = tx.execute(select(offices).where(offices.c.number == number)).one_or_none()
    return None if row is None else _office(row)


def revoke_office(tx: Connection, number: str, now: datetime) -> bool:
    """Revoke a certificate; False where it was revoked before, or there is none."""
    place = (offices.c.number == number, offices.c.revoked_at.is_(None))
    return tx.execute(update(offices).where(*place).values(revoked_at=now)).rowcount == 1


def revoked_numbers(tx: Connection) -> frozenset[str]:
    """The numbers of all revoked certificates."""
    asked = select(offices.c.number).where(offices.c.revoked_at.is_not(None))
    return frozenset(row.number for row in tx.execute(asked))


def _office(row: Row[Any]) -> OfficeRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    return OfficeRow(**{**values, "key": bytes(values["key"])})
