"""A person's session in the metadata of a call to the platform port (docs/users.md)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from node.errors import InvalidRequestError

SESSION_HEADER: Final = "heqiao-session"
REFRESH_HEADER: Final = "heqiao-refresh"
LONGEST_TOKEN: Final = 128


@dataclass(frozen=True, slots=True)
class SentSession:
    """The token of a session, empty where there is none.

    `is_use`: the call is a person's, and keeps the session; a page that loads itself again is not, else
    nobody's session would end before a screen that shows progress.
    """

    token: str = field(default="", repr=False)
    is_use: bool = True


def read_session(metadata: Iterable[tuple[str, str | bytes]]) -> SentSession:
    """The session that a call is made under.

    Raises InvalidRequestError for more than one token, or one that is too long.
    """
    sent: dict[str, list[str | bytes]] = {SESSION_HEADER: [], REFRESH_HEADER: []}
    for name, value in metadata:
        if name in sent:
            sent[name].append(value)
    tokens, is_use = sent[SESSION_HEADER], not sent[REFRESH_HEADER]
    if not tokens:
        return SentSession(is_use=is_use)
    token = tokens[0]
    if len(tokens) > 1 or not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
        raise InvalidRequestError("the session is not one token")
    return SentSession(token, is_use)


def session_metadata(token: str, *, is_use: bool) -> tuple[tuple[str, str], ...]:
    """The metadata of a call under a session; none without a token."""
    if not token:
        return ()
    session = (SESSION_HEADER, token)
    return (session,) if is_use else (session, (REFRESH_HEADER, "1"))
