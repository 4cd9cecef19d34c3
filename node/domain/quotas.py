"""Quotas: how much a peer may ask in a clock hour, a day of China, and that day with the 29 before.

Pure judgement (design.md section 7). A refusal names the quota and when to come back, never how much is left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from node.domain.days import DAY_ZERO, china_day, china_time, day_start

DAYS: Final = 30  # of the longest window, today among them
LEVELS: Final = (100, 80, 50)  # percent at which an alert is raised
SUSPENDED: Final = "suspended"  # in place of a window: nothing of a measure is allowed
_SOONEST: Final = timedelta(seconds=1)


class Measure(StrEnum):
    """What is counted. Sums and their points are counted for each item."""

    POINTS = "points"
    SENSITIVE_POINTS = "sensitive_points"
    SUMS = "sums"
    SUM_POINTS = "sum_points"
    BYTES = "bytes"


class Window(StrEnum):
    """For how long."""

    HOUR = "hour"
    DAY = "day"
    DAYS_30 = "30_days"


Limits = Mapping[tuple[Measure, Window], int]


@dataclass(frozen=True, slots=True)
class DayUse:
    """What was used in a day (days since 1970-01-01, in China), and in `hour`, its last one with any use."""

    day: int
    amount: int
    hour: int
    in_hour: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as windows see it: the day of China, and its hour."""

    at: datetime

    @property
    def day(self) -> int:
        """Days since 1970-01-01."""
        return china_day(self.at).toordinal() - DAY_ZERO

    @property
    def hour(self) -> int:
        """0 to 23."""
        return china_time(self.at).hour

    def until_day(self, day: int) -> timedelta:
        """How long until a day begins."""
        return max(day_start(date.fromordinal(day + DAY_ZERO)) - self.at, _SOONEST)

    def until_next_hour(self) -> timedelta:
        """How long until the next hour begins."""
        clock = china_time(self.at)
        return max(clock.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) - clock, _SOONEST)

    def number(self, window: Window) -> int:
        """The number of the window of a kind: of the hour, or of the day (the last one of 30)."""
        return 24 * self.day + self.hour if window is Window.HOUR else self.day

    def first_number(self, window: Window) -> int:
        """The first window whose alerts are also those of this one: windows of 30 days overlap."""
        return self.number(window) - (DAYS - 1 if window is Window.DAYS_30 else 0)


@dataclass(frozen=True, slots=True)
class Alert:
    """A quota of which a share (50, 80 or 100 percent) is used, or more was asked for than it allows."""

    measure: Measure
    window: Window
    level: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A quota that does not allow an amount. `retry_after` is None where it never will."""

    measure: Measure
    window: Window
    retry_after: timedelta | None

    @property
    def rule(self) -> str:
        """Its name for the peer."""
        return f"quota.{self.measure}.{self.window}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an amount is allowed, and the levels that it reaches."""

    refusal: Refusal | None
    alerts: tuple[Alert, ...]


def used_in(window: Window, uses: Iterable[DayUse], now: Moment) -> int:
    """What was used in the window of a kind that holds a moment."""
    if window is Window.DAYS_30:
        return sum(use.amount for use in uses if use.day > now.day - DAYS)
    today = next((use for use in uses if use.day == now.day), None)
    if today is None:
        return 0
    if window is Window.DAY:
        return today.amount
    # A later hour: the clock of another process is ahead. Its hour counts until this one's comes.
    return today.in_hour if today.hour >= now.hour else 0


def judge(measure: Measure, amount: int, limits: Limits, uses: Sequence[DayUse], at: datetime) -> Verdict:
    """Whether an amount is allowed now, by all windows of a measure. `uses` are those of the last 30 days."""
    now, refusals, alerts = Moment(at), list[Refusal](), list[Alert]()
    for window in Window:
        limit = limits.get((measure, window))
        if limit is None:
            continue
        total = used_in(window, uses, now) + amount
        if total > limit:
            refusals.append(Refusal(measure, window, _retry(window, amount, limit, uses, now)))
            alerts.append(Alert(measure, window, LEVELS[0]))
        else:
            level = next((level for level in LEVELS if total * 100 >= level * limit), 0)
            alerts += [Alert(measure, window, level)] if level else []
    if not refusals:
        return Verdict(None, tuple(alerts))
    # The longest wait: whoever came back after a shorter one would be refused by the other window.
    last = max(refusals, key=lambda one: one.retry_after or timedelta.max)
    over = {one.window for one in refusals}
    return Verdict(last, tuple(alert for alert in alerts if alert.window in over))


def add_use(uses: Iterable[DayUse], amount: int, at: datetime) -> DayUse:
    """Today's use after an amount; `uses` has what it was before, if there was any."""
    now = Moment(at)
    before = next((use for use in uses if use.day == now.day), DayUse(now.day, 0, now.hour, 0))
    hour = max(before.hour, now.hour)
    in_hour = before.in_hour if hour == before.hour else 0
    return DayUse(now.day, before.amount + amount, hour, in_hour + amount)


def _retry(window: Window, amount: int, limit: int, uses: Iterable[DayUse], now: Moment) -> timedelta | None:
    """When the window allows the amount, if nothing else is used until then."""
    if amount > limit:
        return None
    if window is Window.HOUR:
        return now.until_next_hour()
    if window is Window.DAY:
        return now.until_day(now.day + 1)
    left = used_in(window, uses, now)
    for use in sorted(uses, key=lambda use: use.day):
        if use.day > now.day - DAYS:
            left -= use.amount
            if left + amount <= limit:
                return now.until_day(use.day + DAYS)
    return now.until_day(now.day + DAYS)
