"""The id of one chain of calls, with which its lines are found in the logs of both provinces.

The calling side draws it: one for each part of a job, and one for each call of a platform. The gRPC call
carries it as metadata.
"""

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from node.errors import InvalidRequestError

HEADER: Final = "heqiao-request-id"
_FORM: Final = re.compile(r"[0-9a-f]{16}")
_CURRENT: Final = ContextVar("request", default="")


def new_request_id() -> str:
    """16 lower-case hex digits, drawn at random."""
    return secrets.token_hex(8)


@contextmanager
def in_request(request_id: str) -> Iterator[None]:
    """Add a request id to the log lines of this thread, and to its calls to peers, inside the block."""
    before = _CURRENT.set(request_id)
    try:
        yield
    finally:
        _CURRENT.reset(before)


@contextmanager
def in_new_request() -> Iterator[None]:
    """`in_request` with a new id; as a decorator, one for each call of the function."""
    with in_request(new_request_id()):
        yield


def current_request() -> str:
    """The id of the request this thread works on; empty outside `in_request`."""
    return _CURRENT.get()


def request_metadata(request_id: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call that carries a request id."""
    return ((HEADER, request_id),)


def read_request_id(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The request id in the metadata of a call; empty where there is none.

    Raises InvalidRequestError for more than one, and for anything else than 16 lower-case hex digits.
    """
    sent = [value for name, value in metadata if name == HEADER]
    if not sent:
        return ""
    request_id = sent[0]
    if len(sent) > 1 or not isinstance(request_id, str) or not _FORM.fullmatch(request_id):
        raise InvalidRequestError("the request id is not one of 16 lower-case hex digits")
    return request_id
