"""The number of one call chain, by which its lines are found in the logs of both provinces.

The calling side draws it: one for each part of a job and for each call of a platform.
"""

import re
import secrets
from collections.abc import Iterable
from typing import Final

from node.errors import InvalidRequestError

HEADER: Final = "heqiao-request-id"  # metadata of a gRPC call
_FORM: Final = re.compile(r"[0-9a-f]{16}")


def new_request_id() -> str:
    """16 lower-case hex digits, drawn at random."""
    return secrets.token_hex(8)


def request_metadata(request_id: str) -> tuple[tuple[str, str], ...]:
    """The metadata that carries a request id."""
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
