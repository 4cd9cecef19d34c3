"""Dual control by people who have signed in: the node signs in the name of each (docs/adr/0042).

An account has an Ed25519 key that derives from a secret of the node that never rotates, so rows that somebody
else wrote into the database are no requests and no approvals. Who has the home's keys can make every one of
them: a key of one's own (docs/adr/0011) holds against that too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from keys.pki.administrators import derive_key, public_of
from node.database import Connection, users
from node.database.approvals import AdminRow
from node.database.users import UserRow
from node.domain.audit_chain import Detail
from node.domain.rights import is_whole
from node.domain.users import ADMINISTRATORS, Role
from node.errors import RefusedError
from node.governance.accounts import People, person_of
from node.governance.administrators import ACCOUNT
from node.governance.approvals import Acting, Who

_FEW: Final = "`heqiao users add` adds another administrator of the whole province, before dual control is on"


def by_account(people: People, account: str, now: datetime) -> Who:
    """An administrator of the whole province, by the account. Raises RefusedError for any other account."""

    def read(tx: Connection) -> Acting:
        users.find_user(tx, account, lock=True)  # nobody ends this account before the transaction ends
        known = {row.account: row for row in users.list_users(tx) if _may_approve(people, row, now)}
        if account not in known:
            raise RefusedError(
                "this account is no administrator's of the whole province", "", {"rule": "right"}
            )
        keys = {name: derive_key(people.digest_key, name) for name in sorted(known)}
        rows = [AdminRow(ACCOUNT + name, public_of(key), now) for name, key in keys.items()]
        return Acting(ACCOUNT + account, keys[account], rows, _FEW)

    return read


def guarded_account(account: str, unit: str, roles: frozenset[Role]) -> Mapping[str, Detail] | None:
    """What is asked where an account could approve with these roles, None where it could not.

    Else a security administrator would make a second one, or reset another's, and approve as that person.
    """
    if not (roles & ADMINISTRATORS and is_whole(unit)):
        return None
    return {"account": account, "unit": unit, "roles": " ".join(sorted(roles))}


def _may_approve(people: People, row: UserRow, now: datetime) -> bool:
    person = person_of(people, row, now)
    return person is not None and bool(person.roles & ADMINISTRATORS) and is_whole(person.unit)
