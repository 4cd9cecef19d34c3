"""Times of day that recur each day, each Monday or each first of a month, by clocks in China."""

from datetime import UTC, datetime, time

import pytest

from node.domain.days import latest_planned

NIGHT = datetime(2026, 7, 1, 19, 31, tzinfo=UTC)  # 2026-07-02 03:31 in China, a Thursday


@pytest.mark.parametrize(
    ("at", "every", "expected"),
    [
        ("03:30", "day", datetime(2026, 7, 1, 19, 30, tzinfo=UTC)),
        ("03:32", "day", datetime(2026, 6, 30, 19, 32, tzinfo=UTC)),
        ("03:30", "week", datetime(2026, 6, 28, 19, 30, tzinfo=UTC)),
        ("03:30", "month", datetime(2026, 6, 30, 19, 30, tzinfo=UTC)),
        ("00:00", "day", datetime(2026, 7, 1, 16, tzinfo=UTC)),
    ],
)
def test_times_are_of_china(at, every, expected):
    assert latest_planned(NIGHT, time.fromisoformat(at), every) == expected
