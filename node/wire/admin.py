"""What administrators send to heqiao.admin.v1; bounded and checked here."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from keys.errors import EnrolmentError
from keys.pki.enrolment import NodeCard, read_card
from keys.pki.fingerprints import read_fingerprint
from keys.pki.names import check_address
from node.domain.catalogue import CODE_PATTERN
from node.domain.days import day_start
from node.domain.quotas import Measure, Window
from node.errors import InvalidRequestError
from node.wire.common import MAX_TEXT, require

DEFAULT_LIST: Final = 50
MAX_LIST: Final = 500
MAX_OFFSET: Final = 10_000_000
MAX_CARD: Final = 65_536
MAX_GRANTS: Final = 1_000
MAX_QUOTA: Final = 10**15
MAX_FILES: Final = 100
MAX_FILE_NAME: Final = 200
_PEER: Final = re.compile(r"[0-9]{2}")
_WORD: Final = re.compile(r"[a-z0-9_.-]{0,64}")


def read_new_card(request: Any) -> NodeCard:
    """The card of a peer, where the fingerprint that a person typed is its own. Raises InvalidRequestError.

    Nothing is told of a card before that: its fingerprint could be copied.
    """
    require(len(request.card) <= MAX_CARD and len(request.fingerprint) <= MAX_TEXT, "a card is too large")
    try:
        typed = read_fingerprint(request.fingerprint)
    except ValueError:
        raise InvalidRequestError(
            "a fingerprint is 64 hex digits", "as the peer's administrator reads it", {"rule": "fingerprint"}
        ) from None
    try:
        card = read_card(request.card, "the card")
    except EnrolmentError:
        raise InvalidRequestError("this is no card of a node", "", {"rule": "card"}) from None
    if typed != card.fingerprint():
        raise InvalidRequestError(
            "the card has another fingerprint than the one typed",
            "do not use this card: ask its sender for it over another channel",
            {"rule": "fingerprint"},
        )
    return card


def read_address(text: str) -> str:
    """host:port, or empty. Raises InvalidRequestError."""
    try:
        return check_address(text) if text else ""
    except ValueError as error:
        raise InvalidRequestError(str(error), "", {"rule": "address"}) from None


def read_item(code: str) -> str:
    """A code of an item. Raises InvalidRequestError."""
    require(re.fullmatch(CODE_PATTERN, code) is not None, "an item is a code such as C23")
    return code


def read_file_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of files of [imports] folder, not judged yet. Raises InvalidRequestError."""
    require(0 < len(names) <= MAX_FILES, f"names are those of 1 to {MAX_FILES} files")
    require(all(0 < len(name) <= MAX_FILE_NAME for name in names), "a name of a file is too long, or empty")
    return tuple(names)


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
