"""Where the next page of a list begins: the time and the id of the last row, opaque to who asks."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from node.errors import InvalidRequestError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# Microseconds since 1970 (until 5138), and an id.
_MARK: Final = re.compile(r"([0-9]{1,17})\.([A-Za-z0-9._-]{1,64})")


def make_mark(at: datetime, name: str) -> str:
    """Where the page after a row of a time and an id begins."""
    return f"{(at - _EPOCH) // _MICROSECOND}.{name}"


def read_mark(text: str) -> tuple[datetime, str] | None:
    """The opposite of `make_mark`, None for the first page. Raises InvalidRequestError."""
    if not text:
        return None
    found = _MARK.fullmatch(text)
    if found is None:
        raise InvalidRequestError("`after` is not the `next` of a page")
    return _EPOCH + int(found[1]) * _MICROSECOND, found[2]
