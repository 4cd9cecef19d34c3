"""The machine's time zone, which no day depends on, and the oracle for days of China."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = ("America/New_York", "UTC", "Asia/Shanghai", "Pacific/Kiritimati")
SECOND = timedelta(seconds=1)


@contextmanager
def machine_zone(zone: str) -> Iterator[None]:
    """TZ of this process and of those that it starts."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def next_midnight(now: datetime) -> datetime:
    """The next instant, in UTC, at which a day begins in China."""
    tomorrow = now.astimezone(SHANGHAI).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=SHANGHAI).astimezone(UTC)
