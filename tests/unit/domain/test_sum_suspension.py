"""When the sums of a peer are suspended: three alerts within a year."""

from datetime import UTC, datetime, timedelta

import pytest

from node.domain.sum_suspension import is_suspended

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "suspended"),
    [
        ((), False),
        ((0, 1), False),
        ((0, 0, 0), True),
        ((0, 100, 365), True),
        ((0, 100, 366), False),
        ((365, 0, 100), True),  # in any order
        ((0, 300, 600, 700), False),
        ((0, 300, 600, 700, 710), True),
    ],
)
def test_three_within_a_year(days, suspended):
    assert is_suspended(START + timedelta(days=day) for day in days) is suspended
