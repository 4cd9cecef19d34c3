"""The rows of a query that have changed, by a column that grows with every change: the watermark.

A watermark is a number, a date or a moment, and is written into the query as it is: it is checked each time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from re import ASCII
from re import compile as pattern

from node.errors import InputError

Quote = Callable[[str], str]  # writes a name as the database wants it
# What a watermark may be: a number, a date, a moment. Not 15 or 18 digits, which an identity number has.
_NUMBER = pattern(r"-?[0-9]{1,19}", ASCII)
_PERSON = pattern(r"[0-9]{15}|[0-9]{18}", ASCII)
_MOMENT = pattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:[+-][0-9]{2}:[0-9]{2}|Z)?)?",
    ASCII,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """Which rows of a query are read: all rows of the people with one whose `watermark` is at least `since`.

    `person` and `watermark` are columns of the query. `since` is a number, a date or a moment as text.
    """

    person: str
    watermark: str
    since: str


def check_watermark(text: str) -> str:
    """A watermark as it is kept. Raises InputError for a text that is no number, date or moment."""
    number = _NUMBER.fullmatch(text) and not _PERSON.fullmatch(text)
    if not number and not _MOMENT.fullmatch(text):
        raise InputError(
            "the watermark column holds values that are neither a number, a date nor a time",
            "name a column such as updated_at; a watermark is kept in clear, so it must be no text",
        )
    return text


def move_back(since: str, minutes: int) -> str:
    """A moment some minutes earlier, for rows that were committed late; a number or date is left as it is."""
    if _NUMBER.fullmatch(since) or len(since) <= len("2026-06-30"):
        return since
    moved = datetime.fromisoformat(since) - timedelta(minutes=minutes)
    return moved.isoformat(
        sep="T" if "T" in since else " ", timespec="microseconds" if "." in since else "auto"
    )


def newest_value(query: str, watermark: str, quote: Quote) -> str:
    """A query for the greatest value of a column."""
    return f"SELECT max({quote(watermark)}) FROM ({_inner(query)}) heqiao_rows"


def changed_rows(query: str, changes: Changes, quote: Quote) -> str:
    """A query for all rows of the people with a row that has changed."""
    since = check_watermark(changes.since)
    value = since if _NUMBER.fullmatch(since) else f"'{since}'"
    person, inner = quote(changes.person), _inner(query)
    return (
        f"SELECT * FROM ({inner}) heqiao_rows WHERE {person} IN (SELECT {person} FROM ({inner}) "
        f"heqiao_changed WHERE {quote(changes.watermark)} >= {value})"
    )


def _inner(query: str) -> str:
    return query.strip().rstrip(";")
