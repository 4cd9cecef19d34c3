"""Counts of jobs by month and province: small ones are not exact, months are China's."""

from datetime import UTC, datetime

import pytest

from node.console.pages.statistics import by_month, by_peer, shown
from node.domain.job_progress import JobProgress, PartProgress


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (1, "<10"), (9, "<10"), (10, "10"), (60_000, "60,000")]
)
def test_small_counts_are_not_exact(number: int, text: str) -> None:
    assert shown(number) == text


def job(at: datetime, state: str = "done", people: int = 5, **peers: str) -> JobProgress:
    """A job; `peers` are the states of its parts by p and the code of a province."""
    parts = tuple(PartProgress(name[1:], "", state) for name, state in peers.items())
    return JobProgress("v-1", state, at, at, at, people, ("C21",), parts, "", "verification", "unit/45")


def test_months_begin_at_midnight_in_china() -> None:
    last = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)
    first = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
    jobs = [*[job(last)] * 12, *[job(first, "failed")] * 3]
    assert by_month(jobs) == [("2026-07", "<10", "15", "0"), ("2026-06", "12", "60", "12")]


def test_parts_by_province() -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    jobs = [*[job(at, p44="done", p33="overdue")] * 10, job(at, p44="refused")]
    assert by_peer(jobs) == [("33", "10", "0", "0", "10"), ("44", "11", "10", "<10", "0")]
