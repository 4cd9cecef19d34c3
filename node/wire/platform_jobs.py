"""Messages of the platform service about jobs, for clients."""

from dataclasses import fields
from datetime import UTC

from heqiao.platform.v1 import platform_pb2 as pb

from node.domain.job_progress import JobProgress, PartProgress
from node.wire.platform import JOB_KINDS, STATE_NAMES

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
    )


def _part(message: pb.Part) -> PartProgress:
    plain = {field.name: getattr(message, field.name) for field in fields(PartProgress)}
    retry_at = message.retry_at.ToDatetime(tzinfo=UTC) if message.HasField("retry_at") else None
    return PartProgress(**{**plain, "retry_at": retry_at})
