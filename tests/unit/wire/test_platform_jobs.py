"""A job as the node sends it and as its platform reads it."""

from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from heqiao.platform.v1 import platform_pb2 as pb

from node.domain.job_progress import JobProgress, PartProgress
from node.domain.jobs import SUM, VERIFICATION, JobRow, PartRow
from node.wire.platform import JOB_STATES, job_message
from node.wire.platform_jobs import read_job

NOW = datetime(2026, 11, 29, 8, 0, 0, 123_456, tzinfo=UTC)
PART = PartRow("one", "44", "done", "grant", 5, 9, 3, 60, 1 << 40, 999, 1.25, "buckets", "few subjects", NOW)


def row(state="running", kind=VERIFICATION, finished_at=None):
    items = ("C21", "C22")
    return JobRow(
        "one", state, b"", 7, items, "review", "", NOW, NOW, finished_at, False, "why", kind, "platform/a"
    )


def test_a_job_crosses():
    message = job_message(row(), [PART, PartRow("one", "33")], {"44": "广东"})
    read = read_job(pb.Job.FromString(message.SerializeToString()))
    shared = {key: value for key, value in asdict(read.parts[0]).items() if key != "name"}
    assert {"job": "one", **shared} == asdict(PART)
    assert [part.name for part in read.parts] == ["广东", "33"]
    parts = (read.parts[0], PartProgress("33", "33", "pending"))
    assert read == JobProgress(
        "one", "running", NOW, NOW, None, 7, ("C21", "C22"), parts, "why", VERIFICATION, "platform/a"
    )


@pytest.mark.parametrize("state", JOB_STATES)
@pytest.mark.parametrize("kind", [VERIFICATION, SUM])
def test_every_kind_and_state_crosses(state, kind):
    read = read_job(job_message(row(state, kind, NOW), [], {}))
    assert (read.kind, read.state, read.finished_at) == (kind, state, NOW)
