"""Messages about people who sign in, and about accounts; what comes in is bounded here."""

from collections.abc import Iterable
from datetime import date, datetime

from heqiao.admin.v1 import users_pb2
from heqiao.platform.v1 import session_pb2

from node.domain.days import china_day
from node.domain.users import RECORD_FOR, NewUser, Role, User, ending, first_need
from node.errors import InvalidRequestError
from node.wire.common import require, timestamp

MAX_CONFIRMED = 1_000
_LONGEST = 200  # of a text before its own rule judges it


def person_message(user: User, record_version: str, now: datetime) -> session_pb2.Person:
    """Who is signed in, and what must be done first."""
    message = session_pb2.Person(
        account=user.account,
        name=user.name,
        unit=user.unit,
        roles=sorted(user.roles),
        need=first_need(user, record_version, now) or "",
        record_version=record_version,
    )
    if user.record_signed_at is not None and user.record_version == record_version:
        message.record_until.CopyFrom(timestamp(user.record_signed_at + RECORD_FOR))
    if user.last_sign_in is not None:
        message.last_sign_in.CopyFrom(timestamp(user.last_sign_in))
    return message


def user_message(user: User, now: datetime) -> users_pb2.User:
    """An account for a security administrator."""
    message = users_pb2.User(
        account=user.account,
        name=user.name,
        unit=user.unit,
        roles=sorted(user.roles),
        valid_from=user.valid_from.isoformat(),
        valid_to=user.valid_to.isoformat() if user.valid_to else "",
        state=ending(user, china_day(now), now) or "active",
        created_at=timestamp(user.created_at),
        confirmed_at=timestamp(user.confirmed_at),
        has_second_factor=user.has_totp,
    )
    if user.last_sign_in is not None:
        message.last_sign_in.CopyFrom(timestamp(user.last_sign_in))
    return message


def read_new_user(request: users_pb2.AddUserRequest, now: datetime) -> NewUser:
    """A new account, whose values its own rules still judge. Raises InvalidRequestError."""
    require_texts(request.account, request.name, request.unit)
    return NewUser(
        account=request.account,
        name=request.name,
        unit=request.unit,
        roles=read_roles(request.roles),
        valid_from=_day(request.valid_from) or china_day(now),
        valid_to=_day(request.valid_to),
    )


def read_roles(names: Iterable[str]) -> frozenset[Role]:
    """Roles by their names. Raises InvalidRequestError."""
    try:
        return frozenset(map(Role, names))
    except ValueError:
        raise InvalidRequestError(f"roles are {', '.join(Role)}") from None


def require_texts(*texts: str) -> None:
    """Raises InvalidRequestError for an empty text, or one that is longer than any rule allows."""
    require(all(0 < len(text) <= _LONGEST for text in texts), "a text is missing or too long")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidRequestError("a day is written YYYY-MM-DD") from None
