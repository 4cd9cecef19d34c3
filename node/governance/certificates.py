"""Certificates that this node took from its CA, on record."""

from datetime import datetime
from typing import Final

from keys.pki.enrolment import Membership
from node.config import Config
from node.database import Connection, Store, audit_log
from node.domain.audit_chain import Detail
from node.governance.stores import opened

EVENT: Final = "certificate_taken"


def record_taken(config: Config, member: Membership, now: datetime, store: Store | None = None) -> None:
    """Note that a bundle of the CA is in use. Raises UnavailableError, PreconditionError (database)."""
    until = member.identity.not_after.isoformat()
    details: dict[str, Detail] = {"until": until, "salt_version": member.salt_version}

    def write(tx: Connection) -> None:
        audit_log.append(tx, EVENT, details, now)

    used = opened(config, store)
    used.retry_write("note a certificate", write)
    if store is None:
        used.dispose()
