"""Signing in: password, then the code of a second factor; sessions and lock-out (domain.md section 9, R1).

An attempt is counted before it is judged, so that attempts at the same time are not tried for nothing. What
a wrong attempt is told does not depend on whether there is such an account.
"""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import pyotp
from blake3 import blake3
from pyotp.exceptions import OTPVerificationError

from keys.passwords import hash_password, is_current, is_password
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import users as rows
from node.database.users import Failures, SessionRow, UserRow
from node.domain.users import Person, check_password
from node.errors import InputError, PreconditionError, SessionEndedError, SignInError
from node.governance.accounts import (
    People,
    Secrets,
    event_details,
    open_secrets,
    person_of,
    require_row,
    seal_secrets,
)

_TOKEN_BYTES: Final = 32
_HALF_LIFE: Final = timedelta(minutes=10)  # to type a code, or to enrol a second factor
_INITIAL_LIFE: Final = timedelta(days=7)
_FAILURES_LIFE: Final = timedelta(days=1)
_NOTED_EVERY: Final = timedelta(seconds=30)  # a session's use is written down
_WINDOW: Final = 1  # time steps of 30 seconds that a clock may be off


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A token, which is shown once, and whose it is: None until the second factor was right."""

    token: str = field(repr=False)
    person: Person | None
    has_totp: bool


def begin(people: People, account: str, password: str, now: datetime) -> SignedIn:
    """Check a password; the token then waits for the second factor. Raises SignInError."""
    _take_attempt(people, account, now)
    with people.store.transaction("sign in") as tx:
        row = rows.find_user(tx, account)
    hashed = "" if row is None else open_secrets(people, row).password
    good = is_password(password, hashed)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session = SessionRow(digest_of(token), account, "half", now, now, now + _HALF_LIFE)

    def write(tx: Connection) -> UserRow | None:
        current = _with_password(tx, people, account, hashed, now)
        if current is not None:
            rows.add_session(tx, session)
        return current

    found = people.store.retry_write("sign in", write) if good else None
    if found is None:
        raise _refused(people, account, row, now)
    if not is_current(hashed):
        _rehash(people, account, hashed, password)
    _give_attempt_back(people, account, now)
    return SignedIn(token, None, found.has_totp)


def begin_totp(people: People, token: str, now: datetime) -> tuple[str, str]:
    """A new secret for the second factor of an account without one: in base32, and as an otpauth URI.

    Raises SessionEndedError, PreconditionError where there is a second factor already.
    """

    def write(tx: Connection) -> tuple[str, str]:
        row = _half(tx, token, now, lock=True)
        if row.has_totp:
            raise PreconditionError("this account has a second factor", "a security administrator resets it")
        fresh = pyotp.random_base32()
        kept = replace(open_secrets(people, row), pending=fresh)
        rows.change_user(tx, row.account, {"secrets_sealed": seal_secrets(people, row.account, kept)})
        return fresh, pyotp.TOTP(fresh).provisioning_uri(name=row.account, issuer_name="Heqiao")

    return people.store.retry_write("begin a second factor", write)


def finish(people: People, token: str, code: str, now: datetime) -> SignedIn:
    """Check the code of the second factor; the first right code enrols a new one. Returns another token.

    Raises SessionEndedError, SignInError.
    """
    with people.store.transaction("sign in") as tx:
        row = _half(tx, token, now)
    _take_attempt(people, row.account, now)
    full = secrets.token_urlsafe(_TOKEN_BYTES)

    def write(tx: Connection) -> Person | None:
        current = _half(tx, token, now, lock=True)
        if not _take_code(tx, people, current, code, now):
            return None
        person = _person(tx, people, current.account, now)
        if person is None:
            return None
        rows.end_session(tx, digest_of(token))
        ends = now + timedelta(hours=people.settings.session_hours)
        rows.add_session(tx, SessionRow(digest_of(full), current.account, "full", now, now, ends))
        rows.change_user(tx, current.account, {"last_sign_in": now})
        rows.clear_failures(tx, people.failures_of(current.account))
        _remove_old(tx, people, now)
        audit_rows.append(tx, "signed_in", event_details(current), now)
        return person

    person = people.store.retry_write("sign in", write)
    if person is None:
        raise _refused(people, row.account, row, now)
    return SignedIn(full, person, has_totp=True)


def read_session(people: People, token: str, now: datetime, *, is_use: bool = True) -> Person:
    """Who acts with a token; notes that the session is used, if it is. Raises SessionEndedError."""
    digest = digest_of(token)
    with people.store.transaction("read session") as tx:
        session = rows.find_session(tx, digest)
        row = None if session is None else rows.find_user(tx, session.account)
    if session is None or row is None or session.state != "full" or _has_ended(people, session, now):
        raise _ended()
    person = person_of(people, row, now)
    if person is None:
        raise _ended()
    if is_use and now - session.used_at > _NOTED_EVERY:
        people.store.retry_write("note session", lambda tx: rows.use_session(tx, digest, now))
    return person


def prove_again(
    people: People, account: str, password: str, code: str, now: datetime, token: str = ""
) -> Person:
    """Password and a fresh code in one step, for an approval or a command: who acts.

    Wrong ones of somebody who has signed in (`token`) are counted for that session, and end it: so nobody
    outside can keep a person from approving. Raises SignInError, also for an account without a second factor.
    """
    session = digest_of(token) if token else b""
    _take_attempt(people, account, now, session)
    with people.store.transaction("prove again") as tx:
        row = rows.find_user(tx, account)
    hashed = "" if row is None else open_secrets(people, row).password
    good = is_password(password, hashed)

    def write(tx: Connection) -> Person | None:
        current = _with_password(tx, people, account, hashed, now) if good else None
        if current is None or not current.has_totp:
            return None
        if not _take_code(tx, people, current, code, now):
            return None
        rows.clear_failures(tx, people.failures_of(account, session))
        return _person(tx, people, account, now)

    person = people.store.retry_write("prove again", write)
    if person is None:
        raise _refused(people, account, row, now, session)
    return person


def sign_out(people: People, token: str, now: datetime) -> None:
    """End a session; without one nothing happens."""

    def write(tx: Connection) -> None:
        session = rows.find_session(tx, digest_of(token))
        if session is not None and rows.end_session(tx, session.digest):
            audit_rows.append(tx, "signed_out", {"account": session.account}, now)

    people.store.retry_write("sign out", write)


def change_password(people: People, token: str, old: str, new: str, now: datetime) -> None:
    """Replace the own password; all other sessions end.

    Raises SessionEndedError, SignInError for a wrong old one, InputError for a new one that breaks a rule.
    """
    person = read_session(people, token, now)
    try:
        normal = check_password(new, person.account)
    except ValueError as error:
        raise InputError(str(error)) from None
    session = digest_of(token)
    _take_attempt(people, person.account, now, session)
    with people.store.transaction("change a password") as tx:
        row = require_row(tx, person.account)
    verified = open_secrets(people, row).password
    if not is_password(old, verified):
        raise _refused(people, person.account, row, now, session)
    if old == new:
        raise InputError("the new password is the old one")
    hashed = hash_password(normal)

    def write(tx: Connection) -> None:
        current = _with_password(tx, people, person.account, verified, now)
        if current is None or rows.find_session(tx, session) is None:
            raise _ended()
        kept = replace(open_secrets(people, current), password=hashed)
        values = {"secrets_sealed": seal_secrets(people, person.account, kept), "password_set": True}
        rows.change_user(tx, person.account, values)
        rows.end_sessions(tx, person.account, keep=session)
        rows.clear_failures(tx, people.failures_of(person.account, session))
        audit_rows.append(tx, "password_changed", event_details(current), now)

    people.store.retry_write("change a password", write)


def sign_record(people: People, person: Person, version: str, now: datetime) -> None:
    """Note that a person signed the confidentiality record (S19).

    Raises PreconditionError for another version.
    """
    if version != people.settings.record_version:
        raise PreconditionError("there is a newer confidentiality record", "read and sign that one")

    def write(tx: Connection) -> None:
        row = require_row(tx, person.account)
        rows.change_user(tx, person.account, {"record_version": version, "record_signed_at": now})
        audit_rows.append(tx, "record_signed", {**event_details(row), "version": version}, now)

    people.store.retry_write("sign the confidentiality record", write)


def digest_of(token: str) -> bytes:
    """32 bytes under which a session is kept; the token itself is kept nowhere."""
    return blake3(token.encode("utf-8", "surrogatepass"), derive_key_context="heqiao v1 session").digest()


def _may_sign_in(people: People, row: UserRow, now: datetime) -> bool:
    if not row.password_set and now - row.confirmed_at > _INITIAL_LIFE:
        return False
    return person_of(people, row, now) is not None


def _take_code(tx: Connection, people: People, row: UserRow, code: str, now: datetime) -> bool:
    """Whether a code is right and fresh; then it is used up, and a pending second factor enrolled."""
    found = open_secrets(people, row)
    secret = found.totp if row.has_totp else found.pending
    if not secret:
        return False
    try:
        step = pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=_WINDOW)
    except OTPVerificationError:
        return False
    if not rows.take_step(tx, row.account, step):
        return False
    if not row.has_totp:
        enrolled = Secrets(password=found.password, totp=secret)
        values = {"secrets_sealed": seal_secrets(people, row.account, enrolled), "has_totp": True}
        rows.change_user(tx, row.account, values)
        audit_rows.append(tx, "second_factor_enrolled", event_details(row), now)
    return True


def _person(tx: Connection, people: People, account: str, now: datetime) -> Person | None:
    return person_of(people, require_row(tx, account), now)


def _with_password(
    tx: Connection, people: People, account: str, hashed: str, now: datetime
) -> UserRow | None:
    """An account that may sign in and whose password is still the one that was right a moment ago.

    Checking a password takes a while, in which it may be replaced, reset or disabled.
    """
    row = rows.find_user(tx, account, lock=True)
    if row is None or open_secrets(people, row).password != hashed:
        return None
    return row if _may_sign_in(people, row, now) else None


def _half(tx: Connection, token: str, now: datetime, *, lock: bool = False) -> UserRow:
    digest = digest_of(token)
    session = rows.find_session(tx, digest)
    row = None if session is None else rows.find_user(tx, session.account, lock=lock)
    if lock:
        session = rows.find_session(tx, digest)  # it may have ended while this waited for the account
    if session is None or row is None or session.state != "half" or session.expires_at <= now:
        raise _ended()
    return row


def _has_ended(people: People, session: SessionRow, now: datetime) -> bool:
    idle = now - session.used_at > timedelta(minutes=people.settings.idle_minutes)
    return idle or session.expires_at <= now


def _ended() -> SessionEndedError:
    return SessionEndedError("the session has ended", "sign in again", {"rule": "session"})


def _take_attempt(people: People, account: str, now: datetime, session: bytes = b"") -> None:
    """Count an attempt. Raises SignInError while the account, or the session, is locked."""
    digest, settings = people.failures_of(account, session), people.settings

    def write(tx: Connection) -> bool:
        found = rows.read_failures(tx, digest, now)
        if found.locked_until is not None and now < found.locked_until:
            return False
        if found.locked_until is not None or now - found.first_at > _FAILURES_LIFE:
            found = Failures(0, now, None)
        if found.failures >= settings.failures:
            until = now + timedelta(minutes=settings.lock_minutes)
            rows.put_failures(tx, digest, replace(found, locked_until=until))
            return False
        rows.put_failures(tx, digest, replace(found, failures=found.failures + 1))
        return True

    if not people.store.retry_write("count an attempt", write):
        raise _error(0, settings.lock_minutes)


def _give_attempt_back(people: People, account: str, now: datetime) -> None:
    """A right password is no failure; the count of wrong ones before it stays until the code is right too."""
    digest = people.failures_of(account)

    def write(tx: Connection) -> None:
        found = rows.read_failures(tx, digest, now)
        rows.put_failures(tx, digest, replace(found, failures=max(0, found.failures - 1)))

    people.store.retry_write("count an attempt", write)


def _refused(
    people: People, account: str, row: UserRow | None, now: datetime, session: bytes = b""
) -> SignInError:
    """The error of a wrong attempt; where it was the last one, the account is locked from now on, or the
    session has ended.
    """
    digest, settings = people.failures_of(account, session), people.settings

    def write(tx: Connection) -> int:
        found = rows.read_failures(tx, digest, now)
        left = max(0, settings.failures - found.failures)
        if not left and found.locked_until is None:
            until = now + timedelta(minutes=settings.lock_minutes)
            rows.put_failures(tx, digest, replace(found, locked_until=until))
            if session:
                rows.end_session(tx, session)
        if row is not None:
            # What was typed as an unknown account may be anything, so only known ones are on record.
            audit_rows.append(tx, "sign_in_refused", {**event_details(row), "left": left}, now)
        return left

    return _error(people.store.retry_write("refuse a sign-in", write), settings.lock_minutes)


def _error(left: int, lock_minutes: int) -> SignInError:
    if not left:
        return SignInError(
            "account, password or code is wrong, or the account cannot be used",
            f"the account is locked for {lock_minutes} minutes; a security administrator can reset it",
            {"left": "0", "locked": "yes", "minutes": str(lock_minutes)},
        )
    return SignInError(
        "account, password or code is wrong, or the account cannot be used",
        f"attempts left: {left}",
        {"left": str(left)},
    )


def _rehash(people: People, account: str, old: str, password: str) -> None:
    hashed = hash_password(password)

    def write(tx: Connection) -> None:
        found = open_secrets(people, require_row(tx, account))
        if found.password == old:
            fresh = replace(found, password=hashed)
            rows.change_user(tx, account, {"secrets_sealed": seal_secrets(people, account, fresh)})

    people.store.retry_write("hash a password anew", write)


def _remove_old(tx: Connection, people: People, now: datetime) -> None:
    idle = now - timedelta(minutes=people.settings.idle_minutes)
    rows.remove_expired(tx, now, idle, now - _FAILURES_LIFE)
