"""Bounds, heads and timestamps of all codecs; every byte from outside is checked before use."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from node.domain.days import FIRST_DAY
from node.errors import DishonestPeerError, InvalidRequestError

MAX_ITEMS = 64
MAX_TEXT = 64  # characters of a code between nodes
MAX_VERSION = 2**63 - 1  # the greatest integer of a database
QUERY_ID_SIZE = 16
DIGEST_SIZE = 32  # BLAKE3, wherever a message holds a digest or a root
MILLION = 1_000_000  # epsilon is sent in millionths


def require(holds: bool, message: str) -> None:
    """Raises InvalidRequestError with a constant message unless `holds`."""
    if not holds:
        raise InvalidRequestError(message)


def require_digest(data: bytes, name: str) -> None:
    """Raises InvalidRequestError unless the field `name` is as long as a digest."""
    require(len(data) == DIGEST_SIZE, f"{name} must be {DIGEST_SIZE} bytes")


def require_item_count(items: tuple[str, ...]) -> None:
    """Raises InvalidRequestError unless 1 to MAX_ITEMS items are named."""
    require(0 < len(items) <= MAX_ITEMS, f"items must name 1 to {MAX_ITEMS} items")


def require_short(*texts: str) -> None:
    """Raises InvalidRequestError for a code longer than MAX_TEXT."""
    require(all(len(text) <= MAX_TEXT for text in texts), f"a code is longer than {MAX_TEXT} characters")


def name_pair(names: Sequence[str]) -> tuple[str, str] | None:
    """A name in Chinese and English as a message has it; None where it has none."""
    return (names[0], names[1]) if len(names) == len(("zh", "en")) else None


def first_start(messages: Iterator[Any]) -> Any:
    """The start message of a stream. Raises InvalidRequestError for any other first message, or none."""
    message = next(messages, None)
    if message is None or message.WhichOneof("message") != "start":
        raise InvalidRequestError("the first message must be a start")
    return message.start


def require_chunk(message: Any) -> None:
    """Raises InvalidRequestError for a message that is not a chunk."""
    require(message.WhichOneof("message") == "chunk", "after the start only chunks may follow")


def malformed(message: str, check: str) -> DishonestPeerError:
    """The error for a malformed answer; `check` is a stable word."""
    return DishonestPeerError(
        message, "ask the peer's administrator which version the node runs", {"check": check}
    )


def timestamp(moment: datetime) -> Timestamp:
    """A time as a message field."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def day_of(days: int) -> date:
    """The date of days since 1970-01-01, the form of dates in messages."""
    return FIRST_DAY + timedelta(days=days)


def days_of(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - FIRST_DAY).days
