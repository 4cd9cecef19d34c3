"""Days of China, and days as numbers (design.md section 4).

A day that a person writes or reads is a day of China: UTC+8 without summer time, whatever the zone of the
machine. Instants are kept in UTC. Only this module makes a day of an instant. Pure.
"""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

# A fixed offset: China has had no summer time since 1991, and a machine may lack the table of zones.
CHINA: Final = timezone(timedelta(hours=8))
FIRST_DAY: Final = date(1970, 1, 1)  # days that are stored and sent as numbers are counted from it
DAY_ZERO: Final = FIRST_DAY.toordinal()


def china_time(moment: datetime) -> datetime:
    """The same instant as a clock in China shows it.

    Raises ValueError for a time without a zone: it would be taken for one of the machine's zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is no instant")
    return moment.astimezone(CHINA)


def china_day(moment: datetime) -> date:
    """The day in China at an instant. Raises ValueError for a time without a zone."""
    return china_time(moment).date()


def china_minute(moment: datetime) -> str:
    """An instant for people, to the minute, with its offset: `2026-06-30 07:52+08:00`."""
    return china_time(moment).isoformat(sep=" ", timespec="minutes")


def month_number(day: date) -> int:
    """The month of a day, as 202611."""
    return 100 * day.year + day.month


def is_monday_to_friday(day: date) -> bool:
    """Whether a day is no Saturday or Sunday; holidays are those of `node.domain.working_days`."""
    return day.weekday() < 5


def written_day(stamp: datetime) -> date:
    """The day of a date with time as a person or a database wrote it.

    With a zone it is an instant, and so the day in China; without one it is the day as it is written.
    """
    return stamp.date() if stamp.tzinfo is None else china_day(stamp)


def day_start(day: date) -> datetime:
    """The instant at which a day begins in China, in UTC."""
    return datetime.combine(day, time(), CHINA).astimezone(UTC)


def latest_at(now: datetime, clock: time) -> datetime:
    """The latest instant, in UTC, not after `now`, at which clocks in China showed this time of day.

    Raises ValueError for a time without a zone.
    """
    today = datetime.combine(china_day(now), clock, CHINA)
    return (today if today <= now else today - timedelta(days=1)).astimezone(UTC)


def latest_planned(now: datetime, clock: time, every: str) -> datetime:
    """As `latest_at`, on each day, each Monday or each first of a month in China: `day`, `week`, `month`."""
    found = latest_at(now, clock)
    day = china_day(found)
    back = {"week": day.weekday(), "month": day.day - 1}.get(every, 0)
    return found - timedelta(days=back)


def period_start(now: datetime, days: int) -> datetime:
    """The instant, in UTC, at which a period of `days` days of China began that has today as its last day.

    Raises ValueError for a time without a zone.
    """
    return day_start(china_day(now) - timedelta(days=days - 1))
