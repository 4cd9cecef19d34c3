"""Accounts as a node keeps them: name and secrets sealed; opening and sealing them, and finding one.

Every change of an account is an audited event that names the account, never the person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from blake3 import blake3

from keys.store.vault import Vault
from node.config.users import UsersSection
from node.database import Connection, Store
from node.database import users as rows
from node.database.users import UserRow
from node.domain import sealed_names
from node.domain.days import china_day
from node.domain.users import Person, Role, User, ending, first_need
from node.errors import NotFoundError, SessionEndedError

_FAILURES_CONTEXT = "heqiao v1 sign-in failures"


@dataclass(frozen=True, slots=True)
class People:
    """Where the accounts of a node are: its database, its keys and what node.toml says of people."""

    store: Store
    vault: Vault = field(repr=False)
    digest_key: bytes = field(repr=False)
    settings: UsersSection

    def failures_of(self, account: str, session: bytes = b"") -> bytes:
        """32 bytes under which failed attempts of an account are counted, whether there is one or not: those
        to sign in, or those within a session, by the digest of its token.
        """
        key = blake3(self.digest_key, derive_key_context=_FAILURES_CONTEXT).digest()
        return blake3(account.encode("utf-8", "surrogatepass") + b"\0" + session, key=key).digest()


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Of an account: PHC string of the password (empty: none yet) and base32 secrets of the second factor.

    `pending` is a secret that was shown and whose first code is still missing.
    """

    password: str = ""
    totp: str = ""
    pending: str = ""


def seal_name(people: People, account: str, name: str) -> bytes:
    """The name of a person, sealed for an account."""
    return people.vault.seal(sealed_names.of_user(account, "name"), name.encode())


def seal_secrets(people: People, account: str, new: Secrets) -> bytes:
    """The secrets of an account, sealed."""
    plain = {"password": new.password, "totp": new.totp, "pending": new.pending}
    return people.vault.seal(sealed_names.of_user(account, "secrets"), json.dumps(plain).encode())


def open_secrets(people: People, row: UserRow) -> Secrets:
    """The secrets of an account."""
    plain = people.vault.unseal(sealed_names.of_user(row.account, "secrets"), row.secrets_sealed)
    return Secrets(**json.loads(plain))


def open_user(people: People, row: UserRow) -> User:
    """An account with the person's name."""
    name = people.vault.unseal(sealed_names.of_user(row.account, "name"), row.name_sealed).decode()
    return User(
        account=row.account,
        name=name,
        unit=row.unit,
        roles=row.roles,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        disabled_at=row.disabled_at,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        last_sign_in=row.last_sign_in,
        password_set=row.password_set,
        has_totp=row.has_totp,
        record_version=row.record_version,
        record_signed_at=row.record_signed_at,
    )


def person_of(people: People, row: UserRow, now: datetime) -> Person | None:
    """Who acts with this account; None where it has ended."""
    user = open_user(people, row)
    if ending(user, china_day(now), now) is not None:
        return None
    need = first_need(user, people.settings.record_version, now)
    return Person(row.account, row.unit, row.roles, need)


def require_row(tx: Connection, account: str) -> UserRow:
    """An account, which nobody else changes before the transaction ends. Raises NotFoundError."""
    row = rows.find_user(tx, account, lock=True)
    if row is None:
        raise NotFoundError("there is no such account", "see `heqiao users list`")
    return row


def require_acting(tx: Connection, people: People, by: Person, role: Role, now: datetime) -> None:
    """Judge a person again where a change is written, who stays as they are until the transaction ends.

    Raises SessionEndedError for one who has left, or who has another unit or no longer the role.
    """
    row = rows.find_user(tx, by.account, lock=True)
    current = None if row is None else person_of(people, row, now)
    if current is None or current.unit != by.unit or role not in current.roles:
        raise SessionEndedError("the session has ended", "sign in again", {"rule": "session"})


def event_details(row: UserRow) -> Mapping[str, str]:
    """What audit events say of an account."""
    return {"account": row.account, "unit": row.unit, "roles": " ".join(sorted(row.roles))}
