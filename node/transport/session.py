"""The token of a person's session, in the metadata of a call to the platform port (docs/users.md)."""

from collections.abc import Iterable
from typing import Final

from node.errors import InvalidRequestError

SESSION_HEADER: Final = "heqiao-session"
LONGEST_TOKEN: Final = 128


def read_session_token(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The token of a person's session in the metadata of a call; empty where there is none.

    Raises InvalidRequestError for more than one, or one that is too long.
    """
    sent = [value for name, value in metadata if name == SESSION_HEADER]
    if not sent:
        return ""
    token = sent[0]
    if len(sent) > 1 or not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
        raise InvalidRequestError("the session is not one token")
    return token
