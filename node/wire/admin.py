"""What administrators send to heqiao.admin.v1; bounded and checked here."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from node.domain.days import day_start
from node.domain.quotas import Measure, Window
from node.errors import InvalidRequestError
from node.wire.common import MAX_TEXT, require

DEFAULT_LIST: Final = 50
MAX_LIST: Final = 500
MAX_OFFSET: Final = 10_000_000
MAX_GRANTS: Final = 1_000
MAX_QUOTA: Final = 10**15
_PEER: Final = re.compile(r"[0-9]{2}")
_WORD: Final = re.compile(r"[a-z0-9_.-]{0,64}")


def read_page(request: Any) -> tuple[int, int]:
    """`limit` and `offset` of a list. Raises InvalidRequestError."""
    require(request.offset <= MAX_OFFSET, "the offset is too large")
    return min(request.limit or DEFAULT_LIST, MAX_LIST), request.offset


def read_peer(code: str) -> str:
    """A province code. Raises InvalidRequestError."""
    require(_PEER.fullmatch(code) is not None, "a peer is a province code of two digits")
    return code


def read_peer_or_all(code: str) -> str:
    """A province code, or empty for all. Raises InvalidRequestError."""
    return read_peer(code) if code else ""


def read_quota(name: str) -> tuple[Measure, Window]:
    """`points.hour`. Raises InvalidRequestError."""
    measure, _, window = name.partition(".")
    try:
        return Measure(measure), Window(window)
    except ValueError:
        raise InvalidRequestError("a quota is a measure and a window, such as points.hour") from None


def read_measure(name: str) -> Measure:
    """Raises InvalidRequestError."""
    try:
        return Measure(name)
    except ValueError:
        raise InvalidRequestError(f"measures are {', '.join(Measure)}") from None


def read_amount(request: Any) -> int | None:
    """The amount of a quota, None for that of node.toml. Raises InvalidRequestError."""
    if not request.HasField("amount"):
        return None
    require(request.amount <= MAX_QUOTA, "the quota is too large")
    return int(request.amount)


def read_grant_texts(texts: Sequence[str]) -> tuple[str, ...]:
    """Grants as they are written, not judged yet. Raises InvalidRequestError."""
    require(len(texts) <= MAX_GRANTS, f"at most {MAX_GRANTS:,} grants")
    require(all(len(text) <= MAX_TEXT for text in texts), "a grant is too long")
    return tuple(texts)


def read_word(text: str) -> str:
    """A name of an event or an account, or empty. Raises InvalidRequestError."""
    require(_WORD.fullmatch(text) is not None, "a name has small letters, digits, dots, hyphens, underscores")
    return text


def read_days(first: str, last: str) -> tuple[datetime | None, datetime | None]:
    """From the beginning of a day in China to the end of another; empty: open. Raises InvalidRequestError."""
    try:
        since = day_start(date.fromisoformat(first)) if first else None
        until = day_start(date.fromisoformat(last) + timedelta(days=1)) if last else None
    except (ValueError, OverflowError):
        raise InvalidRequestError("a day is written YYYY-MM-DD") from None
    return since, until
