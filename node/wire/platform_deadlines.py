"""Messages of the job service: deadlines of parts, and how long peers take to answer."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from heqiao.platform.v1 import jobs_pb2 as pb

from node.domain.answer_times import AnswerTimes
from node.domain.job_progress import DaysLeft, Deadline
from node.domain.jobs import PartRow
from node.errors import InvalidRequestError
from node.wire.common import require
from node.wire.platform import clock_message
from node.wire.platform_jobs import read_clock, read_time

MOST_TIMES = 1_000
FARTHEST = timedelta(days=3_653)
STAGES: Mapping[str, pb.DeadlineStage] = {
    "open": pb.DEADLINE_STAGE_OPEN,
    "warned": pb.DEADLINE_STAGE_WARNED,
    "due": pb.DEADLINE_STAGE_DUE,
    "held": pb.DEADLINE_STAGE_HELD,
}
STAGE_NAMES: Mapping[int, str] = {number: name for name, number in STAGES.items()}


def deadlines_message(
    found: Iterable[tuple[str, PartRow, str]], names: Mapping[str, str], missing_year: int | None
) -> pb.ListDeadlinesResponse:
    """Parts that have no answer: owner, part, stage; and the year whose working days are not known."""
    return pb.ListDeadlinesResponse(
        deadlines=[
            pb.Deadline(
                job_id=part.job,
                owner=owner,
                peer=part.peer,
                name=names.get(part.peer, part.peer),
                state=part.state,
                reason=part.reason,
                clock=clock_message(part),
                stage=STAGES[stage],
            )
            for owner, part, stage in found
        ],
        missing_year=missing_year or 0,
    )


def read_deadlines(message: pb.ListDeadlinesResponse) -> tuple[Sequence[Deadline], int | None]:
    """Parts that have no answer, and the year whose working days are not known."""
    return tuple(map(_deadline, message.deadlines)), message.missing_year or None


def read_due_times(request: pb.CountDaysLeftRequest, now: datetime) -> tuple[datetime, ...]:
    """The times of a request. Raises InvalidRequestError."""
    require(len(request.due_at) <= MOST_TIMES, f"a call counts at most {MOST_TIMES:,} times")
    try:
        found = tuple(one.ToDatetime(tzinfo=UTC) for one in request.due_at)
    except (ValueError, OverflowError):
        raise InvalidRequestError("a time is malformed") from None
    require(all(abs(one - now) <= FARTHEST for one in found), "a time is more than ten years away")
    return found


def days_left_message(found: Iterable[DaysLeft]) -> pb.CountDaysLeftResponse:
    """Working days until some times."""
    left = [pb.DaysLeft(days=one.days, overdue=one.overdue, estimated=one.estimated) for one in found]
    return pb.CountDaysLeftResponse(left=left)


def read_days_left(message: pb.CountDaysLeftResponse) -> tuple[DaysLeft, ...]:
    """What `days_left_message` made."""
    return tuple(DaysLeft(one.days, one.overdue, one.estimated) for one in message.left)


def times_message(found: AnswerTimes) -> pb.GetPeerTimesResponse:
    """How long a peer takes."""
    return pb.GetPeerTimesResponse(
        attempts=found.attempts,
        answered=found.answered,
        overdue=found.overdue,
        within_days=found.within,
        median_s=found.median_s,
        most_s=found.most_s,
        days=found.days,
    )


def read_times(message: pb.GetPeerTimesResponse) -> AnswerTimes:
    """How long a peer takes."""
    return AnswerTimes(
        attempts=message.attempts,
        answered=message.answered,
        overdue=message.overdue,
        within=message.within_days,
        days=message.days,
        median_s=message.median_s if message.HasField("median_s") else None,
        most_s=message.most_s if message.HasField("most_s") else None,
    )


def _deadline(message: pb.Deadline) -> Deadline:
    warned_at = message.clock.warned_at if message.clock.HasField("warned_at") else None
    return Deadline(
        job_id=message.job_id,
        owner=message.owner,
        peer=message.peer,
        name=message.name,
        state=message.state,
        reason=message.reason,
        stage=STAGE_NAMES.get(message.stage, "open"),
        clock=read_clock(message.clock),
        warned_at=None if warned_at is None else read_time(warned_at),
    )
