"""Dual control: one administrator requests an action, another approves it (docs/adr/0011).

A request is an action with its details; both administrators sign the digest of the two. Before the action,
the approval is used up in a transaction with an audit event that names both: it permits this action once.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from blake3 import blake3

from keys import KeyStore
from keys.pki.administrators import (
    AdminKey,
    ApprovalStatement,
    RequestStatement,
    check_approval,
    check_request,
    key_of,
    public_of,
    sign_approval,
    sign_request,
)
from node.acting import acting_person
from node.clock import utc_now
from node.config import Config
from node.database import Connection, Store, database_url, open_store
from node.database import approvals as rows
from node.database import audit_log as audit_rows
from node.database.approvals import AdminRow, ApprovalRow
from node.domain.audit_chain import Detail
from node.errors import ConflictError, NotFoundError, PreconditionError, RefusedError
from node.governance.administrators import NEEDED
from node.governance.stores import opened

_CONTEXT = "heqiao v1 approval digest"


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """An action that an administrator wants to do."""

    action: str
    details: Mapping[str, Detail]

    @property
    def text(self) -> str:
        """The details as one JSON text."""
        return json.dumps(dict(self.details), ensure_ascii=False, sort_keys=True)

    @property
    def digest(self) -> str:
        """Digest of action and details: 64 hex digits."""
        return _digest(self.action, self.text)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who asks or approves: the name on record, the key that signs for it, and all who count as
    administrators beside it; `hint` says how there are more of them.
    """

    name: str
    key: AdminKey = field(repr=False)
    known: Sequence[AdminRow]
    hint: str = "enrol another one: `heqiao admins add`"


# Read in the transaction that needs it: who counts may have changed.
Who = Callable[[Connection], Acting]


class ApprovalNeededError(PreconditionError):
    """The request is stored and waits for another administrator."""


def require(store: Store, ask: ApprovalRequest, who: Who, now: datetime, life: timedelta) -> None:
    """Return only with an approval, which is used up; else store the request.

    Raises ApprovalNeededError, RefusedError for a key of no administrator, PreconditionError while
    there are fewer than two, EnrolmentError for rows that the two did not sign.
    """

    def write(tx: Connection) -> ApprovalRow | None:
        me = who(tx)
        if len(me.known) < NEEDED:
            raise PreconditionError(
                "dual control needs two administrators, and this home has one",
                me.hint,
                {"rule": "one_administrator"},
            )
        mine = [
            row for row in rows.list_approvals(tx) if (row.digest, row.requester) == (ask.digest, me.name)
        ]
        for row in mine:
            if row.used_at is None and row.approver is not None and not _is_expired(row, now):
                _use(tx, row, ask, me.known, now)
                return None
        waiting = next((row for row in mine if row.approver is None and not _is_expired(row, now)), None)
        return waiting or _add_request(tx, ask, me, now, life)

    waiting = store.retry_write("ask for an approval", write)
    if waiting is not None:
        raise ApprovalNeededError(
            f"this needs a second administrator: request {waiting.id}, good until {waiting.expires_at}",
            f"the second one runs `heqiao approve {waiting.id}`; then run the same command again",
            {"rule": "approval_needed", "request": waiting.id},
        )


def approve(store: Store, wanted: str, who: Who, now: datetime, digest: str | None = None) -> ApprovalRow:
    """Approve another administrator's request; `digest` is that of what the approver was shown.

    Raises NotFoundError, RefusedError for the own request or somebody who is no administrator,
    PreconditionError for one that is expired, approved or used already, EnrolmentError for an altered one.
    """

    def write(tx: Connection) -> ApprovalRow:
        me = who(tx)
        row = next((one for one in rows.list_approvals(tx) if one.id == wanted), None)
        if row is None:
            raise NotFoundError(f"there is no request {wanted}", "see `heqiao approvals list`")
        _check_request(row, me.known)
        if digest not in (None, row.digest):
            raise _altered()
        if row.requester == me.name:
            raise RefusedError(
                "administrators cannot approve their own requests",
                "another administrator has to approve it",
                {"rule": "own_request"},
            )
        if _is_expired(row, now) or row.approver is not None or row.used_at is not None:
            raise PreconditionError(
                f"request {wanted} is {state_of(row, now)}",
                "run the first command again to make a new request",
                {"rule": "request_state"},
            )
        signature = sign_approval(me.key, _approval(row, me.name))
        if not rows.approve(tx, wanted, me.name, signature, now):
            raise ConflictError(
                "another administrator was first", "see `heqiao approvals list`", {"rule": "request_state"}
            )
        audit_rows.append(tx, "approval_given", _event_details(row, approver=me.name), now)
        return row

    return store.retry_write("approve", write)


def withdraw(store: Store, wanted: str, who: Who, now: datetime, account: str = "") -> None:
    """Forget a request of one's own that is not used yet; the audit keeps that it was made.

    One's own is what one's key signed, and what was made in the name of one's `account`. Raises NotFoundError
    for one that is not there or is another's, which is on record, PreconditionError for a used one.
    """

    def write(tx: Connection) -> bool:
        me = who(tx)
        row = next((one for one in rows.list_approvals(tx) if one.id == wanted), None)
        if row is None:
            return False
        if row.requester != me.name and not (account and row.account == account):
            audit_rows.append(tx, "withdrawal_refused", {**_event_details(row), "by": me.name}, now)
            return False
        if not rows.withdraw(tx, wanted):
            raise PreconditionError(
                f"request {wanted} is used", "what it permitted is done", {"rule": "request_state"}
            )
        audit_rows.append(tx, "approval_withdrawn", {**_event_details(row), "by": me.name}, now)
        return True

    if not store.retry_write("withdraw request", write):
        raise NotFoundError(f"you made no request {wanted}", "see `heqiao approvals list`")


def require_of(config: Config, ask: ApprovalRequest, admin: KeyStore) -> None:
    """`require` in the database of a home, for as long as its node.toml says."""
    store = open_store(database_url(config))
    require(store, ask, by_key(admin), utc_now(), timedelta(hours=config.approvals.hours))
    store.dispose()


def approve_in(config: Config, wanted: str, admin: KeyStore) -> ApprovalRow:
    """`approve` in the database of a home."""
    return approve(open_store(database_url(config)), wanted, by_key(admin), utc_now())


def withdraw_in(config: Config, wanted: str, admin: KeyStore, account: str = "") -> None:
    """`withdraw` in the database of a home."""
    store = open_store(database_url(config))
    withdraw(store, wanted, by_key(admin), utc_now(), account)
    store.dispose()


def list_states(config: Config, store: Store | None = None) -> list[tuple[ApprovalRow, str]]:
    """All requests of a home, newest first, each with its state now."""
    now = utc_now()
    with opened(config, store).transaction("list approvals") as tx:
        return [(row, state_of(row, now)) for row in rows.list_approvals(tx)]


def state_of(row: ApprovalRow, now: datetime) -> str:
    """`waiting`, `approved`, `used` or `expired`."""
    if row.used_at is not None:
        return "used"
    if _is_expired(row, now):
        return "expired"
    return "waiting" if row.approver is None else "approved"


def _add_request(
    tx: Connection, ask: ApprovalRequest, me: Acting, now: datetime, life: timedelta
) -> ApprovalRow:
    until = (now + life).isoformat(timespec="seconds")
    statement = RequestStatement(
        id=secrets.token_hex(8), digest=ask.digest, requester=me.name, expires_at=until
    )
    row = ApprovalRow(
        statement.id,
        ask.action,
        ask.text,
        ask.digest,
        me.name,
        now,
        until,
        sign_request(me.key, statement),
        account=acting_person().get("user", ""),
    )
    rows.add_request(tx, row)
    audit_rows.append(tx, "approval_asked", _event_details(row), now)
    return row


def _use(
    tx: Connection, row: ApprovalRow, ask: ApprovalRequest, known: Sequence[AdminRow], now: datetime
) -> None:
    _check_request(row, known)
    keys = {one.name: one.public_key for one in known}
    approver = row.approver or ""
    if approver not in keys or approver == row.requester:
        raise RefusedError(
            f"{approver}, who approved this, is no longer an administrator",
            "run the command again to make a new request",
            {"rule": "request_altered"},
        )
    check_approval(_approval(row, approver), keys[approver], row.given_signature or b"")
    if not rows.use(tx, row.id, now):
        raise ConflictError("this approval was used meanwhile", "see `heqiao approvals list`")
    details = {**_event_details(row, approver=approver), "digest": ask.digest}
    audit_rows.append(tx, "approval_used", details, now)


def _check_request(row: ApprovalRow, known: Sequence[AdminRow]) -> None:
    """Check that the row is the request that its requester signed, with its action and details."""
    keys = {one.name: one.public_key for one in known}
    if row.requester not in keys or row.digest != _digest(row.action, row.details):
        raise _altered()
    statement = RequestStatement(
        id=row.id, digest=row.digest, requester=row.requester, expires_at=row.expires_at
    )
    check_request(statement, keys[row.requester], row.asked_signature)


def _approval(row: ApprovalRow, approver: str) -> ApprovalStatement:
    return ApprovalStatement(id=row.id, digest=row.digest, requester=row.requester, approver=approver)


def by_key(admin: KeyStore) -> Who:
    """An administrator with a key of their own. Raises RefusedError for a key of nobody."""
    key = key_of(admin)
    mine = public_of(key)

    def read(tx: Connection) -> Acting:
        known = rows.list_admins(tx)
        found = next((one for one in known if one.public_key == mine), None)
        if found is None:
            raise RefusedError(
                "this key belongs to no administrator of this home", "see `heqiao admins list`"
            )
        return Acting(found.name, key, known)

    return read


def _altered() -> RefusedError:
    return RefusedError(
        "the request was altered, or its requester is no longer an administrator, or made it elsewhere",
        "requests of the console are approved there, those of commands by commands; or make a new request",
        {"rule": "request_altered"},
    )


def _is_expired(row: ApprovalRow, now: datetime) -> bool:
    return datetime.fromisoformat(row.expires_at) < now


def _digest(action: str, text: str) -> str:
    return blake3(json.dumps([action, text]).encode(), derive_key_context=_CONTEXT).hexdigest()


def _event_details(row: ApprovalRow, *, approver: str = "") -> dict[str, Detail]:
    details: dict[str, Detail] = {"id": row.id, "action": row.action, "requester": row.requester}
    return {**details, "approver": approver} if approver else details
