"""The administrators of a home, who approve each other's requests (docs/adr/0011)."""

from keys.pki.administrators import AdminCard
from node.clock import utc_now
from node.config import Config
from node.database import approvals as rows
from node.database import audit_log, database_url, open_store
from node.database.approvals import AdminRow
from node.errors import ConflictError, InputError, NotFoundError

NEEDED = 2  # before anything can be approved
ACCOUNT = "account:"  # begins names of requesters and approvers who signed in (docs/adr/0042)


def list_administrators(config: Config) -> list[AdminRow]:
    """All administrators by name."""
    with open_store(database_url(config)).transaction("list administrators") as tx:
        return rows.list_admins(tx)


def has_enough(config: Config) -> bool:
    """Whether enough are enrolled for dual control."""
    return len(list_administrators(config)) >= NEEDED


def enrol(config: Config, card: AdminCard) -> None:
    """Add an administrator.

    Raises ConflictError for a name or key that is enrolled already, InputError for a name of an account.
    """
    if card.name.startswith(ACCOUNT):
        raise InputError("this name is of an account", "make a key with another name: `heqiao admins key`")
    now = utc_now()
    with open_store(database_url(config)).transaction("add an administrator", write=True) as tx:
        if any(card.name == one.name or card.key == one.public_key for one in rows.list_admins(tx)):
            raise ConflictError("this name or key is enrolled already", "see `heqiao admins list`")
        rows.add_admin(tx, AdminRow(card.name, card.key, now))
        audit_log.append(tx, "admin_added", {"name": card.name, "fingerprint": card.fingerprint()}, now)


def remove(config: Config, name: str) -> None:
    """Remove an administrator. Raises NotFoundError."""
    with open_store(database_url(config)).transaction("remove an administrator", write=True) as tx:
        if not rows.remove_admin(tx, name):
            raise NotFoundError(f"there is no administrator {name}", "see `heqiao admins list`")
        audit_log.append(tx, "admin_removed", {"name": name}, utc_now())
