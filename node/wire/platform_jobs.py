"""Messages of the platform service about jobs, for clients."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from heqiao.platform.v1 import platform_pb2 as pb

from node.domain.job_progress import JobProgress, LeftOut, PartProgress
from node.domain.jobs import PartClock
from node.wire.platform import JOB_KINDS, STATE_NAMES, read_attempt

KIND_NAMES = {number: name for name, number in JOB_KINDS.items()}


def read_job(message: pb.Job) -> JobProgress:
    """Progress of a job."""
    return JobProgress(
        job_id=message.job_id,
        state=STATE_NAMES[message.state],
        created_at=message.created_at.ToDatetime(tzinfo=UTC),
        due_at=message.due_at.ToDatetime(tzinfo=UTC),
        finished_at=message.finished_at.ToDatetime(tzinfo=UTC) if message.HasField("finished_at") else None,
        subjects=message.subjects,
        items=tuple(message.items),
        parts=tuple(map(_part, message.parts)),
        error=message.error,
        kind=KIND_NAMES[message.kind],
        owner=message.owner,
        report_by=read_time(message.report_by) if message.HasField("report_by") else None,
        due_estimated=message.due_estimated,
        files_issued=message.files_issued,
        left_out=tuple(LeftOut(one.peer, one.name, one.reason) for one in message.left_out),
    )


def _part(message: pb.Part) -> PartProgress:
    clock = message.clock
    plain: dict[str, Any] = {field.name: getattr(message, field.name, None) for field in fields(PartProgress)}
    plain |= {
        "retry_at": read_time(message.retry_at) if message.HasField("retry_at") else None,
        "clock": read_clock(clock) if message.HasField("clock") else None,
        "warned_at": read_time(clock.warned_at) if clock.HasField("warned_at") else None,
        "attempts": tuple(map(read_attempt, message.attempts)),
        "answered_at": read_time(message.answered_at) if message.HasField("answered_at") else None,
    }
    return PartProgress(**plain)


def read_clock(message: pb.PartClock) -> PartClock:
    """The deadlines of a part."""
    asked_at, due_at, closes_at = map(read_time, (message.asked_at, message.due_at, message.closes_at))
    return PartClock(asked_at, due_at, closes_at, message.due_estimated, message.close_estimated)


def read_time(stamp: Timestamp) -> datetime:
    """An instant, in UTC."""
    return stamp.ToDatetime(tzinfo=UTC)
