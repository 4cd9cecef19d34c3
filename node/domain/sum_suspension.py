"""When a peer's sums are suspended: three alerts within a year, until an administrator lifts them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

SUSPENDED: Final = "sums_suspended"  # the rule that refuses a peer
MOST_ALERTS: Final = 3  # a false one comes once in 300,000 sums
WITHIN: Final = timedelta(days=365)


def is_suspended(alerts: Iterable[datetime]) -> bool:
    """Whether so many alerts, at these times, came within a year. It does not pass by itself."""
    times = sorted(alerts)
    return any(last - first <= WITHIN for first, last in zip(times, times[MOST_ALERTS - 1 :], strict=False))
