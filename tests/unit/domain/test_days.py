"""Working days."""

from datetime import UTC, datetime, timedelta

from node.domain.days import add_working_days


def test_working_days() -> None:
    friday = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert add_working_days(friday, 1) == friday + timedelta(days=3)
    assert add_working_days(friday, 5) == friday + timedelta(days=7)
    assert add_working_days(friday + timedelta(days=1), 1) == friday + timedelta(days=3)
