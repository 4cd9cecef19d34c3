"""Accounts, sessions and failed attempts to sign in. Names and secrets come sealed."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from node.database.user_tables import sessions, sign_in_failures, users
from node.domain.users import Role

# Built once: it takes longer to build a statement than to run it, and every call of a person runs these.
_SESSION = select(sessions)
_USER = select(users)
_LOCK = text("SELECT pg_advisory_xact_lock(:number)")
_LOCK_NUMBER: Final = 0x687175736572  # "hquser": the same in every release


@dataclass(frozen=True, slots=True)
class UserRow:
    """An account as it is stored: name and secrets are sealed."""

    account: str
    name_sealed: bytes = field(repr=False)
    secrets_sealed: bytes = field(repr=False)
    unit: str
    roles: frozenset[Role]
    valid_from: date
    valid_to: date | None
    disabled_at: datetime | None
    created_at: datetime
    confirmed_at: datetime
    last_sign_in: datetime | None
    password_set: bool
    has_totp: bool
    totp_step: int
    record_version: str
    record_signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session; `state` is `half` until the second factor was right, then `full`."""

    digest: bytes = field(repr=False)
    account: str
    state: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed attempts of one account since the first of them."""

    failures: int
    first_at: datetime
    locked_until: datetime | None


def add_user(tx: Connection, row: UserRow) -> None:
    """Store a new account. A known one raises ConflictError."""
    values = {name: getattr(row, name) for name in users.c.keys()}  # noqa: SIM118  a collection of columns
    tx.execute(insert(users).values(**{**values, "roles": _roles_text(row.roles)}))


def lock_accounts(tx: Connection) -> None:
    """Nobody else changes which accounts there are and what they may, before this transaction ends.

    Writers of SQLite are alone anyway; signing in does not wait for this.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(_LOCK, {"number": _LOCK_NUMBER})


def find_user(tx: Connection, account: str, *, lock: bool = False) -> UserRow | None:
    """One account; with `lock` nobody else changes it before this transaction ends."""
    query = _USER.where(users.c.account == account)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _user(row)


def list_users(tx: Connection) -> list[UserRow]:
    """All accounts by name."""
    return [_user(row) for row in tx.execute(_USER.order_by(users.c.account))]


def list_units(tx: Connection) -> list[str]:
    """The units that have accounts, also disabled ones: their jobs are still there."""
    return list(tx.scalars(select(users.c.unit).distinct()))


def change_user(tx: Connection, account: str, values: Mapping[str, object]) -> None:
    """Change some columns of an account."""
    tx.execute(update(users).where(users.c.account == account).values(dict(values)))


def set_roles(tx: Connection, account: str, roles: frozenset[Role]) -> None:
    """Replace the roles of an account."""
    change_user(tx, account, {"roles": _roles_text(roles)})


def take_step(tx: Connection, account: str, step: int) -> bool:
    """Note the time step of a code that was right; False where that or a later one was taken before."""
    fresh = (users.c.account == account, users.c.totp_step < step)
    return tx.execute(update(users).where(*fresh).values(totp_step=step)).rowcount == 1


def add_session(tx: Connection, row: SessionRow) -> None:
    """Store a new session."""
    tx.execute(insert(sessions).values({name: getattr(row, name) for name in sessions.c.keys()}))  # noqa: SIM118


def find_session(tx: Connection, digest: bytes) -> SessionRow | None:
    """A session by the digest of its token."""
    row = tx.execute(_SESSION.where(sessions.c.digest == digest)).one_or_none()
    return None if row is None else _session(row)


def list_sessions(tx: Connection, account: str, now: datetime) -> list[SessionRow]:
    """The full sessions of an account that have not expired, newest first."""
    mine = (sessions.c.account == account, sessions.c.state == "full", sessions.c.expires_at > now)
    return [_session(row) for row in tx.execute(_SESSION.where(*mine).order_by(sessions.c.created_at.desc()))]


def use_session(tx: Connection, digest: bytes, now: datetime) -> None:
    """Note that a session was used."""
    tx.execute(update(sessions).where(sessions.c.digest == digest).values(used_at=now))


def end_session(tx: Connection, digest: bytes) -> bool:
    """End a session; whether there was one."""
    return tx.execute(delete(sessions).where(sessions.c.digest == digest)).rowcount > 0


def end_sessions(tx: Connection, account: str, keep: bytes = b"") -> int:
    """End all sessions of an account but one; returns how many."""
    mine = (sessions.c.account == account, sessions.c.digest != keep)
    return int(tx.execute(delete(sessions).where(*mine)).rowcount)


def remove_expired(tx: Connection, now: datetime, idle_before: datetime, failed_before: datetime) -> None:
    """Delete sessions that have ended, and failures from before a time whose lock is over."""
    idle = and_(sessions.c.state == "full", sessions.c.used_at < idle_before)
    tx.execute(delete(sessions).where(or_(sessions.c.expires_at <= now, idle)))
    unlocked = or_(sign_in_failures.c.locked_until.is_(None), sign_in_failures.c.locked_until <= now)
    tx.execute(delete(sign_in_failures).where(sign_in_failures.c.first_at < failed_before, unlocked))


def read_failures(tx: Connection, digest: bytes, now: datetime) -> Failures:
    """The failed attempts of an account, which nobody else counts before this transaction ends."""
    query = select(sign_in_failures).where(sign_in_failures.c.digest == digest).with_for_update()
    row = tx.execute(query).one_or_none()
    if row is None:
        first = {"digest": digest, "failures": 0, "first_at": now, "locked_until": None}
        with suppress(IntegrityError), tx.begin_nested():  # somebody else was first: wait for that
            tx.execute(insert(sign_in_failures).values(first))
        row = tx.execute(query).one()
    return Failures(row.failures, row.first_at, row.locked_until)


def put_failures(tx: Connection, digest: bytes, found: Failures) -> None:
    """Write them in place of earlier ones, which were read in this transaction."""
    values = {"failures": found.failures, "first_at": found.first_at, "locked_until": found.locked_until}
    tx.execute(update(sign_in_failures).where(sign_in_failures.c.digest == digest).values(values))


def clear_failures(tx: Connection, digest: bytes) -> None:
    """Forget the failed attempts of an account."""
    tx.execute(delete(sign_in_failures).where(sign_in_failures.c.digest == digest))


def _roles_text(roles: frozenset[Role]) -> str:
    return json.dumps(sorted(roles))


def _user(row: Row[tuple[object, ...]]) -> UserRow:
    values = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's documented name
    values["roles"] = frozenset(map(Role, json.loads(str(values["roles"]))))
    values["name_sealed"], values["secrets_sealed"] = bytes(row.name_sealed), bytes(row.secrets_sealed)
    return UserRow(**values)


def _session(row: Row[tuple[object, ...]]) -> SessionRow:
    return SessionRow(bytes(row.digest), row.account, row.state, row.created_at, row.used_at, row.expires_at)
