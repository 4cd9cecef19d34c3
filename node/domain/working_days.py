"""Working days of China: public holidays, days that are worked instead, a province's own table (domain.md 2).

The State Council announces the holidays of a year late in the year before. A year is known where the own
table of the province has it, or else the library chinesecalendar. The days of any other year are estimated as
Monday to Friday: a date that was counted with such a day is marked, and never closes a case. Pure.
"""

import csv
import io
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

import chinese_calendar

from node.domain.days import china_day, china_time, is_monday_to_friday
from node.domain.job_progress import DaysLeft
from node.errors import ConfigError

FIRST_YEAR, LAST_YEAR = 2000, 2199  # of a table: what is outside is a slip of the pen
_OFF, _WORK = "off", "work"
_COLUMNS: Final = ("day", "kind")
_KEYS: Final = frozenset({"years", _OFF, _WORK})
_MOST_FAULTS: Final = 10  # told at once
_HINT: Final = "docs/deadlines.md has the form of the table of days"


@dataclass(frozen=True, slots=True)
class DayTable:
    """A province's own days: the years that it is complete for, days off, days worked though at a weekend."""

    years: frozenset[int] = frozenset()
    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Due:
    """An instant that was counted in working days; `estimated`: a day of a year without a table was
    counted.
    """

    at: datetime
    estimated: bool


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Counts working days by the own table first, then by the holidays that the library knows."""

    own: DayTable = field(default_factory=DayTable)

    def knows(self, year: int) -> bool:
        """Whether the holidays of a year are known."""
        return year in self.own.years or _is_published(year)

    def is_working(self, day: date) -> bool:
        """Whether offices work on a day; in a year that is not known, Monday to Friday."""
        if day.year in self.own.years:
            return day in self.own.work or (is_monday_to_friday(day) and day not in self.own.off)
        if _is_published(day.year):
            return _is_workday(day)
        return is_monday_to_friday(day)

    def add(self, start: datetime, days: int) -> Due:
        """The same time of day `days` working days of China later, in UTC.

        The day of the start does not count. Raises ValueError for a time without a zone.
        """
        moment, estimated, left = china_time(start), False, days
        while left > 0:
            moment += timedelta(days=1)
            day = china_day(moment)
            estimated = estimated or not self.knows(day.year)
            left -= self.is_working(day)
        return Due(moment.astimezone(UTC), estimated)

    def left(self, now: datetime, due: datetime) -> DaysLeft:
        """Working days of China after today until the day of `due`; of what is overdue, those since then.

        Raises ValueError for a time without a zone.
        """
        today, last, overdue = china_day(now), china_day(due), due < now
        first, end = (last, today) if overdue else (today, last)
        days = [date.fromordinal(one) for one in range(first.toordinal() + 1, end.toordinal() + 1)]
        estimated = any(not self.knows(year) for year in {one.year for one in days})
        return DaysLeft(sum(map(self.is_working, days)), overdue, estimated)

    def missing_year(self, now: datetime) -> int | None:
        """The year whose table is missing: this one, or from December on the next; None where all is
        known.
        """
        today = china_day(now)
        years = (today.year, today.year + 1) if today.month == 12 else (today.year,)
        return next((year for year in years if not self.knows(year)), None)


@lru_cache(maxsize=4096)  # each job counts some sixty days
def _is_workday(day: date) -> bool:
    return bool(chinese_calendar.is_workday(day))


@lru_cache(maxsize=256)
def _is_published(year: int) -> bool:
    """Whether the library has the holidays of a year."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except (NotImplementedError, ValueError):
        return False
    return True


def read_toml(text: str, source: str) -> DayTable:
    """A table of days as TOML: `years`, `off` and `work`, lists of years and dates.

    Raises ConfigError that names every fault with its place.
    """
    try:
        plain = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{source}: is not TOML: {error}", _HINT) from None
    faults = [f"{key}: unknown key; allowed are years, off, work" for key in sorted(plain.keys() - _KEYS)]
    lists: dict[str, list[object]] = {}
    for key in sorted(_KEYS):
        found = plain.get(key, [])
        if not isinstance(found, list):
            faults.append(f"{key}: is not a list")
            found = []
        lists[key] = found
    years = {year for year in lists["years"] if type(year) is int}
    faults += [
        f"years {place}: is not a year in digits"
        for place, year in enumerate(lists["years"], 1)
        if type(year) is not int
    ]
    rows = [
        (f"{kind} {place}", kind, day) for kind in (_OFF, _WORK) for place, day in enumerate(lists[kind], 1)
    ]
    return _table(years, rows, faults, source)


def read_csv(text: str, source: str) -> DayTable:
    """A table of days as CSV with the columns day (2026-10-01) and kind (off or work).

    It is complete for every year of its days. Raises ConfigError that names every fault with its row.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        lines = [[cell.strip() for cell in row] for row in reader]
    except csv.Error as error:
        raise ConfigError(f"{source}: is not CSV: {error}", _HINT) from None
    if not lines or tuple(lines[0]) != _COLUMNS:
        raise ConfigError(f"{source}: row 1: the columns are not {', '.join(_COLUMNS)}", _HINT)
    rows, faults = list[tuple[str, str, object]](), list[str]()
    for number, row in enumerate(lines[1:], 2):
        if not any(row):
            continue
        if len(row) != len(_COLUMNS):
            faults.append(f"row {number}: has {len(row)} cells, not 2")
            continue
        rows.append((f"row {number}", row[1], _day(row[0])))
    years = {day.year for _, _, day in rows if isinstance(day, date)}
    return _table(years, rows, faults, source)


def _day(text: str) -> object:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _table(
    years: Iterable[int], rows: Sequence[tuple[str, str, object]], faults: list[str], source: str
) -> DayTable:
    known, kinds = frozenset(years), dict[date, str]()
    if not known and not faults and not rows:
        faults.append("years: names no year")
    faults += [
        f"years: {year} is not from {FIRST_YEAR} to {LAST_YEAR}"
        for year in sorted(known)
        if not FIRST_YEAR <= year <= LAST_YEAR
    ]
    for place, kind, day in rows:
        wrong = _fault(kind, day, known, kinds)
        if wrong:
            faults.append(f"{place}: {wrong}")
        elif isinstance(day, date):
            kinds[day] = kind
    if faults:
        more = f" (and {len(faults) - _MOST_FAULTS} more)" if len(faults) > _MOST_FAULTS else ""
        raise ConfigError(f"{source}: {'; '.join(faults[:_MOST_FAULTS])}{more}", _HINT)
    off, work = (frozenset(day for day, kind in kinds.items() if kind == one) for one in (_OFF, _WORK))
    return DayTable(known, off, work)


def _fault(kind: str, day: object, years: frozenset[int], known: Mapping[date, str]) -> str:
    """What is wrong with a row of a table; empty for a good one."""
    if kind not in (_OFF, _WORK):
        return "kind is not off or work"
    if not isinstance(day, date) or isinstance(day, datetime):
        return "is not a date written as 2026-10-01"
    if day.year not in years:
        return f"{day} is of a year that the table is not for"
    if day in known:
        return f"{day} is there twice"
    if kind == _WORK and is_monday_to_friday(day):
        return f"{day} is worked anyway: it is no Saturday or Sunday"
    return ""
