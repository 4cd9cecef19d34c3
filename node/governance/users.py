"""Managing accounts: joiners, roles, leavers, yearly confirmation (domain.md section 9, R1, R2; S23).

An initial password is shown once, to the security administrator, who hands it over; the person replaces it at
the first sign-in, within a week.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from keys.passwords import hash_password
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import users as rows
from node.database.users import UserRow
from node.domain.units import MINISTRY, check_unit, covers
from node.domain.users import (
    ROLE_NAMES,
    NewUser,
    Person,
    Role,
    User,
    check_account,
    check_name,
    conflicts,
)
from node.errors import ConflictError, InputError, PreconditionError, RefusedError
from node.governance.accounts import (
    People,
    Secrets,
    event_details,
    open_user,
    person_of,
    require_acting,
    require_row,
    seal_name,
    seal_secrets,
)

_INITIAL_BYTES: Final = 12  # 16 characters


def add_first(people: People, new: NewUser, now: datetime) -> str:
    """Add the first account, a security administrator; returns its initial password.

    Raises PreconditionError where there are accounts already, and as `add`.
    """
    only = replace(new, roles=frozenset({Role.SECURITY}))

    def write(tx: Connection) -> str:
        rows.lock_accounts(tx)
        if rows.list_users(tx):
            raise PreconditionError(
                "this node has accounts already", "a security administrator adds others: `heqiao users add`"
            )
        return _add(tx, people, only, now)

    return people.store.retry_write("add the first user", write)


def add(people: People, new: NewUser, by: Person | None, now: datetime) -> str:
    """Add an account; returns its initial password, which is shown nowhere again.

    Raises InputError for values that cannot be used or roles that exclude each other, RefusedError for a unit
    that is not of the administrator's, ConflictError for a known account.
    """
    return people.store.retry_write("add a user", lambda tx: _add(tx, people, new, now, by))


def _add(tx: Connection, people: People, new: NewUser, now: datetime, by: Person | None = None) -> str:
    try:
        account, name, unit = check_account(new.account), check_name(new.name), check_unit(new.unit)
    except ValueError as error:
        raise InputError(str(error)) from None
    _require_roles(new.roles)
    _begin(tx, people, by, now)
    _require_over(by, unit)
    if new.valid_to is not None and new.valid_to < new.valid_from:
        raise InputError("the validity ends before it begins")
    if rows.find_user(tx, account) is not None:
        raise ConflictError(
            "this account exists already", "accounts of leavers are kept: choose another name"
        )
    initial = secrets.token_urlsafe(_INITIAL_BYTES)
    row = UserRow(
        account=account,
        name_sealed=seal_name(people, account, name),
        secrets_sealed=seal_secrets(people, account, Secrets(password=hash_password(initial))),
        unit=unit,
        roles=new.roles,
        valid_from=new.valid_from,
        valid_to=new.valid_to,
        disabled_at=None,
        created_at=now,
        confirmed_at=now,
        last_sign_in=None,
        password_set=False,
        has_totp=False,
        totp_step=0,
        record_version="",
        record_signed_at=None,
    )
    rows.add_user(tx, row)
    audit_rows.append(tx, "user_added", event_details(row), now)
    return initial


def set_roles(people: People, account: str, roles: frozenset[Role], by: Person | None, now: datetime) -> None:
    """Replace the roles of an account; its sessions end, so that no page shows the earlier ones.

    Raises NotFoundError, InputError, RefusedError for the own account or another unit's.
    """
    _require_roles(roles)

    def write(tx: Connection) -> None:
        _begin(tx, people, by, now)
        row = _require_other(tx, account, by)
        _require_security_left(tx, people, row, roles, now)
        rows.set_roles(tx, account, roles)
        rows.end_sessions(tx, account)
        changed = {
            **event_details(row),
            "roles": " ".join(sorted(roles)),
            "before": " ".join(sorted(row.roles)),
        }
        audit_rows.append(tx, "user_roles_set", changed, now)

    people.store.retry_write("set the roles of a user", write)


def disable(people: People, account: str, by: Person | None, now: datetime) -> None:
    """Disable an account at once: its sessions end with their next call, its streams with their next message.

    Raises NotFoundError, RefusedError for the own account or another unit's.
    """

    def write(tx: Connection) -> None:
        _begin(tx, people, by, now)
        row = _require_other(tx, account, by)
        _require_security_left(tx, people, row, frozenset(), now)
        rows.change_user(tx, account, {"disabled_at": row.disabled_at or now})
        rows.end_sessions(tx, account)
        audit_rows.append(tx, "user_disabled", event_details(row), now)

    people.store.retry_write("disable a user", write)


def reset(people: People, account: str, by: Person | None, now: datetime) -> str:
    """Take password and second factor from an account, and unlock it; returns a new initial password.

    Raises NotFoundError, RefusedError for the own account or another unit's, PreconditionError for a disabled
    one.
    """
    initial = secrets.token_urlsafe(_INITIAL_BYTES)

    def write(tx: Connection) -> None:
        _begin(tx, people, by, now)
        row = _require_other(tx, account, by)
        if row.disabled_at is not None:
            raise PreconditionError(
                "this account is disabled", "add another account: a leaver's is not used again"
            )
        fresh = Secrets(password=hash_password(initial))
        values = {"secrets_sealed": seal_secrets(people, account, fresh), "confirmed_at": now}
        rows.change_user(tx, account, {**values, "password_set": False, "has_totp": False})
        rows.end_sessions(tx, account)
        rows.clear_failures(tx, people.failures_of(account))
        audit_rows.append(tx, "user_reset", event_details(row), now)

    people.store.retry_write("reset a user", write)
    return initial


def confirm(people: People, accounts: Collection[str], by: Person | None, now: datetime) -> None:
    """Confirm for another year that these accounts are needed, with these roles; all or none.

    An initial password that nobody used does not become good again by this. Raises NotFoundError,
    RefusedError for the own account or another unit's.
    """

    def write(tx: Connection) -> None:
        _begin(tx, people, by, now)
        for account in accounts:
            row = _require_other(tx, account, by)
            if row.password_set:
                rows.change_user(tx, account, {"confirmed_at": now})
            audit_rows.append(tx, "user_confirmed", event_details(row), now)

    people.store.retry_write("confirm users", write)


def list_users(people: People, below: str = MINISTRY) -> Sequence[User]:
    """The accounts of a unit and of those below it, by name of the account."""
    with people.store.transaction("list users") as tx:
        found = rows.list_users(tx)
    return [open_user(people, row) for row in found if covers(below, row.unit)]


def is_password_own(people: People, account: str) -> bool:
    """Whether the person chose the password. Raises NotFoundError."""
    with people.store.transaction("read a user") as tx:
        return require_row(tx, account).password_set


def _require_roles(roles: frozenset[Role]) -> None:
    if not roles:
        raise InputError("an account has at least one role", f"roles: {', '.join(Role)}")
    found = conflicts(roles)
    if found:
        one, other = (ROLE_NAMES[role][1] for role in found[0])
        raise InputError(
            f"nobody may be {one} and {other}",
            "administrators exclude one another, and see no cases: make an account of another person",
            {"rule": "role_conflict"},
        )


def _require_over(by: Person | None, unit: str) -> None:
    if by is not None and not covers(by.unit, unit):
        raise RefusedError(
            "this unit is not yours or below yours",
            "its own security administrator does it",
            {"rule": "unit"},
        )


def _require_other(tx: Connection, account: str, by: Person | None) -> UserRow:
    row = require_row(tx, account)
    _require_over(by, row.unit)
    if by is not None and by.account == account:
        raise RefusedError(
            "nobody changes the own account",
            "another security administrator does it",
            {"rule": "own_account"},
        )
    return row


def _begin(tx: Connection, people: People, by: Person | None, now: datetime) -> None:
    """One change of accounts at a time, and by who still may: between the judgement of a call and its write
    an administrator can be disabled too.
    """
    rows.lock_accounts(tx)
    if by is not None:
        require_acting(tx, people, by, Role.SECURITY, now)


def _require_security_left(
    tx: Connection, people: People, row: UserRow, roles: frozenset[Role], now: datetime
) -> None:
    """Somebody must be left who can manage accounts: one whose account has ended cannot."""
    if Role.SECURITY not in row.roles or Role.SECURITY in roles:
        return
    others = [one for one in rows.list_users(tx) if one.account != row.account and Role.SECURITY in one.roles]
    if not any(person_of(people, one, now) for one in others):
        raise PreconditionError(
            "this is the last security administrator", "add another one first: `heqiao users add`"
        )
