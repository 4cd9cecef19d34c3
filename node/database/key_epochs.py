"""States of keys by epoch (design.md section 6). The secrets themselves are in the key store."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, and_, insert, select, update

from keys.types import EpochKey, KeyState
from node.database import audit_log as audit_rows
from node.database.tables import key_epochs
from node.errors import ConflictError


def read_epochs(tx: Connection) -> tuple[EpochKey, ...]:
    """All keys that have a row, by purpose and epoch."""
    rows = tx.execute(select(key_epochs).order_by(key_epochs.c.purpose, key_epochs.c.epoch))
    return tuple(EpochKey(**{**row._mapping, "state": KeyState(row.state)}) for row in rows)  # noqa: SLF001


def pending_epochs(tx: Connection, purpose: str) -> list[int]:
    """Epochs that a rotation prepares from stored data: their unpublished versions must not be swept."""
    return [epoch for epoch, salted in _pending(tx, purpose) if not salted]


def awaiting_epochs(tx: Connection, purpose: str) -> list[int]:
    """Epochs under the next salt, which imports fill (node/rotation/salt.py)."""
    return [epoch for epoch, salted in _pending(tx, purpose) if salted]


def _pending(tx: Connection, purpose: str) -> list[tuple[int, bool]]:
    """Pending epochs, and whether they are under another salt than the active one."""
    known = [key for key in read_epochs(tx) if key.purpose == purpose]
    used = {key.salt_version for key in known if key.state is KeyState.ACTIVE}
    return [(key.epoch, key.salt_version not in used) for key in known if key.state is KeyState.PENDING]


def add_epoch(tx: Connection, key: EpochKey, now: datetime) -> None:
    """Add a key that has no row, with its audit event. Raises ConflictError where it has one meanwhile."""
    tx.execute(insert(key_epochs).values(**{**asdict(key), "state": key.state.value}))
    _audit(tx, key, now)


def name_salt(tx: Connection, purposes: Sequence[str], version: int) -> None:
    """Store the salt that the keys of some purposes began with, before there is a second one."""
    unnamed = and_(key_epochs.c.purpose.in_(purposes), key_epochs.c.salt_version == 0)
    tx.execute(update(key_epochs).where(unnamed).values(salt_version=version))


def move_epochs(tx: Connection, before: Iterable[EpochKey], after: Iterable[EpochKey], now: datetime) -> None:
    """Write new states, each with its audit event. Raises ConflictError when one has changed since."""
    states = {(key.purpose, key.epoch): key.state for key in before}
    for key in after:
        place = and_(
            key_epochs.c.purpose == key.purpose,
            key_epochs.c.epoch == key.epoch,
            key_epochs.c.state == states[key.purpose, key.epoch].value,
        )
        moved = tx.execute(
            update(key_epochs).where(place).values(**{**asdict(key), "state": key.state.value})
        )
        if moved.rowcount != 1:
            raise ConflictError(
                f"another administrator moved the key {key.purpose}.{key.epoch}",
                "look at `heqiao keys status`, then try again",
            )
        _audit(tx, key, now)


def require_active(tx: Connection, purpose: str, epoch: int) -> None:
    """Raises ConflictError when the active key is another one (without a row it is the first epoch)."""
    wanted = and_(key_epochs.c.purpose == purpose, key_epochs.c.state == KeyState.ACTIVE.value)
    found = tx.scalar(select(key_epochs.c.epoch).where(wanted))
    if found is not None and found != epoch:
        raise ConflictError(f"the key {purpose} was rotated meanwhile", "nothing was published; try again")


def _audit(tx: Connection, key: EpochKey, now: datetime) -> None:
    details: dict[str, str | int | list[str]] = {
        "purpose": key.purpose,
        "epoch": key.epoch,
        "state": key.state.value,
        "fingerprint": key.fingerprint,
    }
    audit_rows.append(tx, "key_state_changed", details, now)
