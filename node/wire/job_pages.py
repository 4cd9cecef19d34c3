"""Pages of the list of jobs: which ones a caller asks for, and where the next page begins."""

from dataclasses import dataclass
from datetime import datetime

from heqiao.platform.v1 import platform_pb2 as pb

from node.domain.jobs import JobRow
from node.domain.units import check_unit
from node.errors import InvalidRequestError
from node.wire.common import require
from node.wire.page_marks import make_mark, read_mark
from node.wire.platform import STATE_NAMES


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
    return JobChoice(request.limit, read_mark(request.after), states, request.unit)


def mark_of(row: JobRow) -> str:
    """Where the page after a job begins."""
    return make_mark(row.created_at, row.id)
