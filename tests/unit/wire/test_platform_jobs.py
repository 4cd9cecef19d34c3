"""A job as the node sends it and as its platform reads it."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from heqiao.platform.v1 import platform_pb2 as pb

from node.domain.job_progress import JobProgress, LeftOut, PartProgress
from node.domain.jobs import SUM, VERIFICATION, Attempt, JobRow, PartClock, PartRow
from node.wire.platform import JOB_STATES, job_message
from node.wire.platform_jobs import read_job

NOW = datetime(2026, 11, 29, 8, 0, 0, 123_456, tzinfo=UTC)
DAY = timedelta(days=1)
CLOCK = PartClock(NOW, NOW + DAY, NOW + 2 * DAY, False, True)
PART = PartRow(
    "one", "44", "done", "grant", 5, 9, 3, 60, 1 << 40, 999, 1.25, "buckets", "few subjects", NOW,
    **asdict(CLOCK), warned_at=NOW,
)  # fmt: skip
TRIED = (Attempt(NOW, NOW + DAY, "overdue", "due_date_passed", 3), Attempt(NOW, NOW, "refused"))


def row(state="running", kind=VERIFICATION, finished_at=None):
    items = ("C21", "C22")
    return JobRow(
        "one", state, b"", 7, items, "review", "", NOW, NOW, finished_at, False, "why", kind, "platform/a"
    )


def test_a_job_crosses():
    late = replace(row(), report_by=NOW + DAY, due_estimated=True, files_issued=3)
    names, tried = {"44": "广东", "51": "四川"}, {("one", "44"): TRIED}
    message = job_message(late, [PART, PartRow("one", "33")], names, tried, {"51": "not_offered"})
    read = read_job(pb.Job.FromString(message.SerializeToString()))
    shared = {key: value for key, value in asdict(read.parts[0]).items() if key != "name"}
    same = shared.keys() & asdict(PART).keys()
    assert {key: shared[key] for key in same} == {key: asdict(PART)[key] for key in same}
    assert len(same) == 14
    assert (read.parts[0].clock, read.parts[0].attempts) == (CLOCK, TRIED)
    assert [part.name for part in read.parts] == ["广东", "33"]
    parts = (read.parts[0], PartProgress("33", "33", "pending"))
    assert read == JobProgress(
        "one", "running", NOW, NOW, None, 7, ("C21", "C22"), parts, "why", VERIFICATION, "platform/a",
        NOW + DAY, True, (LeftOut("51", "四川", "not_offered"),), 3,
    )  # fmt: skip


def test_when_an_answer_came_crosses_and_the_end_without_one_does_not():
    parts = [PartRow("one", "44", "done", ended_at=NOW), PartRow("one", "33", "overdue", ended_at=NOW)]
    read = read_job(pb.Job.FromString(job_message(row(), parts, {}).SerializeToString()))
    assert [part.answered_at for part in read.parts] == [NOW, None]


@pytest.mark.parametrize("state", JOB_STATES)
@pytest.mark.parametrize("kind", [VERIFICATION, SUM])
def test_every_kind_and_state_crosses(state, kind):
    read = read_job(job_message(row(state, kind, NOW), [], {}))
    assert (read.kind, read.state, read.finished_at) == (kind, state, NOW)
