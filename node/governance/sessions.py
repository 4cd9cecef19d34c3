"""Sessions of one account: until when they last, and ending them; each end is on record."""

from datetime import datetime, timedelta

from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import users as rows
from node.database.users import SessionRow
from node.errors import NotFoundError
from node.governance.accounts import People


def session_until(people: People, session: SessionRow) -> datetime:
    """When a session ends unless there is another call."""
    return min(session.used_at + timedelta(minutes=people.settings.idle_minutes), session.expires_at)


def end_one(people: People, account: str, digest: bytes, now: datetime) -> None:
    """End a session of an account. Raises NotFoundError for one of somebody else, or one that has ended."""

    def write(tx: Connection) -> None:
        session = rows.find_session(tx, digest)
        if session is None or session.account != account or not rows.end_session(tx, digest):
            raise NotFoundError("no such session", "it has ended already")
        audit_rows.append(tx, "sessions_ended", {"account": account, "count": 1}, now)

    people.store.retry_write("end a session", write)


def end_others(people: People, account: str, own: bytes, now: datetime) -> int:
    """End all sessions of an account but the own one; how many."""

    def write(tx: Connection) -> int:
        ended = rows.end_sessions(tx, account, own)
        if ended:
            audit_rows.append(tx, "sessions_ended", {"account": account, "count": ended}, now)
        return ended

    return people.store.retry_write("end sessions", write)
