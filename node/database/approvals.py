"""Administrators, their requests and approvals. node/governance/approvals.py checks the signatures."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, and_, delete, insert, select, update

from node.database.tables import admins, approvals


@dataclass(frozen=True, slots=True)
class AdminRow:
    """An administrator."""

    name: str
    public_key: bytes
    added_at: datetime


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A request, and its approval if there is one. `details` is JSON, `digest` covers action and details.

    `account` is the account in whose name it was made, also where a command made it with a key.
    """

    id: str
    action: str
    details: str
    digest: str
    requester: str
    requested_at: datetime
    expires_at: str
    asked_signature: bytes = field(repr=False)
    approver: str | None = None
    approved_at: datetime | None = None
    given_signature: bytes | None = field(default=None, repr=False)
    used_at: datetime | None = None
    account: str = ""


def list_admins(tx: Connection) -> list[AdminRow]:
    """All administrators by name."""
    rows = tx.execute(select(admins).order_by(admins.c.name))
    return [AdminRow(row.name, bytes(row.public_key), row.added_at) for row in rows]


def add_admin(tx: Connection, row: AdminRow) -> None:
    """Raises ConflictError (at the end of the transaction) for a name or key that exists already."""
    tx.execute(insert(admins).values(name=row.name, public_key=row.public_key, added_at=row.added_at))


def remove_admin(tx: Connection, name: str) -> bool:
    """Remove an administrator; return whether it existed."""
    return tx.execute(delete(admins).where(admins.c.name == name)).rowcount > 0


def list_approvals(tx: Connection) -> list[ApprovalRow]:
    """All requests, newest first."""
    rows = tx.execute(select(approvals).order_by(approvals.c.requested_at.desc(), approvals.c.id))
    return [ApprovalRow(**row._mapping) for row in rows]  # noqa: SLF001


def add_request(tx: Connection, row: ApprovalRow) -> None:
    """Add a request that waits for approval."""
    tx.execute(
        insert(approvals).values(
            id=row.id,
            action=row.action,
            details=row.details,
            digest=row.digest,
            requester=row.requester,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            asked_signature=row.asked_signature,
            account=row.account,
        )
    )


def approve(tx: Connection, wanted: str, approver: str, signature: bytes, now: datetime) -> bool:
    """Approve a request; return whether it was still waiting."""
    waits = and_(approvals.c.id == wanted, approvals.c.approver.is_(None), approvals.c.used_at.is_(None))
    values = {"approver": approver, "approved_at": now, "given_signature": signature}
    return tx.execute(update(approvals).where(waits).values(**values)).rowcount == 1


def withdraw(tx: Connection, wanted: str) -> bool:
    """Forget a request; return whether it was there and not used yet."""
    unused = and_(approvals.c.id == wanted, approvals.c.used_at.is_(None))
    return tx.execute(delete(approvals).where(unused)).rowcount == 1


def use(tx: Connection, wanted: str, now: datetime) -> bool:
    """Use up an approval; return whether it was approved and not used yet."""
    good = and_(approvals.c.id == wanted, approvals.c.approver.is_not(None), approvals.c.used_at.is_(None))
    return tx.execute(update(approvals).where(good).values(used_at=now)).rowcount == 1
