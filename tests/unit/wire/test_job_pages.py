"""What a caller may ask of the list of jobs."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from heqiao.platform.v1 import platform_pb2 as pb

from node.domain.jobs import JobRow
from node.errors import InvalidRequestError
from node.wire.job_pages import JobChoice, mark_of, read_choice

AT = datetime(2026, 7, 1, 8, 0, 0, 123456, tzinfo=UTC)
ROW = JobRow("v-01.x_Y", "done", b"", 1, ("C21",), "review", "", AT, AT, None, False, "")


def test_a_page_goes_on_after_the_last_job_of_the_one_before() -> None:
    for row in (ROW, replace(ROW, created_at=datetime(1970, 1, 1, tzinfo=UTC))):
        assert read_choice(pb.ListJobsRequest(after=mark_of(row))).after == (row.created_at, row.id)


def test_states_and_unit() -> None:
    asked = pb.ListJobsRequest(limit=7, states=[pb.JOB_STATE_DONE], unit="450124000000")
    assert read_choice(asked) == JobChoice(7, None, ("done",), "450124000000")
    assert read_choice(pb.ListJobsRequest()) == JobChoice()


@pytest.mark.parametrize(
    "wrong",
    [
        {"after": "1"},
        {"after": "1.a b"},
        {"after": "-1.a"},
        {"after": "999999999999999999.a"},
        {"after": f"1.{'a' * 65}"},
        {"after": "1.a\n"},
        {"states": [99]},
        {"states": [0]},
        {"states": [1] * 9},
        {"unit": "45"},
        {"unit": "450124000001"},
        {"unit": "449999190001010034"},
    ],
)
def test_anything_else_is_refused(wrong: dict) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_choice(pb.ListJobsRequest(**wrong))
    assert "449999" not in str(caught.value)
