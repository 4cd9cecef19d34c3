"""Pages of the list of jobs: which ones a caller asks for, and where the next page begins."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from heqiao.platform.v1 import platform_pb2 as pb

from node.domain.jobs import JobRow
from node.domain.units import check_unit
from node.errors import InvalidRequestError
from node.wire.common import require
from node.wire.platform import STATE_NAMES

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# When the last job of a page was created, in microseconds since 1970 (until 5138), and its id.
_MARK: Final = re.compile(r"([0-9]{1,17})\.([A-Za-z0-9._-]{1,64})")


@dataclass(frozen=True, slots=True)
class JobChoice:
    """Which jobs; what is empty does not choose. `after` is when a job was created, and its id."""

    limit: int = 0
    after: tuple[datetime, str] | None = None
    states: tuple[str, ...] = ()
    unit: str = ""


def read_choice(request: pb.ListJobsRequest) -> JobChoice:
    """What is asked for. Raises InvalidRequestError."""
    require(len(request.states) <= len(STATE_NAMES), "a state is named twice")
    require(all(state in STATE_NAMES for state in request.states), "there is no such state")
    if request.unit:
        try:
            check_unit(request.unit)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None
    states = tuple(STATE_NAMES[state] for state in request.states)
    return JobChoice(request.limit, _read_mark(request.after), states, request.unit)


def mark_of(row: JobRow) -> str:
    """Where the page after a job begins."""
    return f"{(row.created_at - _EPOCH) // _MICROSECOND}.{row.id}"


def _read_mark(text: str) -> tuple[datetime, str] | None:
    if not text:
        return None
    found = _MARK.fullmatch(text)
    if found is None:
        raise InvalidRequestError("`after` is not the `next` of a page")
    return _EPOCH + int(found[1]) * _MICROSECOND, found[2]
