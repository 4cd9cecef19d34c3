"""When a source is imported next."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from node.registers.source_file import ScheduleSection
from node.registers.source_states import next_run

# 11:00 in China on Wednesday, 1 July 2026.
NOW = datetime(2026, 7, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "every", "comes"),
    [
        ("11:01", "day", "2026-07-01T03:01:00+00:00"),
        ("11:00", "day", "2026-07-02T03:00:00+00:00"),
        ("10:59", "day", "2026-07-02T02:59:00+00:00"),
        ("03:30", "week", "2026-07-05T19:30:00+00:00"),
        ("10:00", "month", "2026-08-01T02:00:00+00:00"),
        ("12:00", "month", "2026-07-01T04:00:00+00:00"),
    ],
)
def test_the_next_run(at, every, comes):
    file = SimpleNamespace(schedule=ScheduleSection(at=at, every=every))
    assert next_run(file, NOW).isoformat() == comes


def test_none_by_hand():
    assert next_run(SimpleNamespace(schedule=None), NOW) is None
