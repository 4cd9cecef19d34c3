"""Working days against the holidays of 2026 as the State Council announced them (domain.md section 2)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from node.domain.job_progress import DaysLeft
from node.domain.working_days import DayTable, WorkingDays, read_csv, read_toml
from node.errors import ConfigError

OFF_2026 = (
    ("01-01", "01-03"), ("02-15", "02-23"), ("04-04", "04-06"), ("05-01", "05-05"), ("06-19", "06-21"),
    ("09-25", "09-27"), ("10-01", "10-07"),
)  # fmt: skip
WORKED_2026 = ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")
DAY = timedelta(days=1)
KNOWN = WorkingDays()
UNKNOWN = 2199  # no table will have it soon
NONE = WorkingDays(DayTable(frozenset({2026, 2027})))  # a table without holidays


def at(text):
    return datetime.fromisoformat(text)


def days_of(year):
    return [date(year, 1, 1) + DAY * n for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]


def of_2026(text):
    return date.fromisoformat(f"2026-{text}")


def test_every_day_of_2026():
    off = {of_2026(first) + DAY * n for first, last in OFF_2026
           for n in range((of_2026(last) - of_2026(first)).days + 1)}  # fmt: skip
    worked = set(map(of_2026, WORKED_2026))
    for day in days_of(2026):
        expected = day in worked or (day.weekday() < 5 and day not in off)
        assert KNOWN.is_working(day) == expected, day


SPRING = [  # the eve of the festival of 2026 is a Saturday that is worked
    ("2026-02-13T10:00:00+08:00", 1, "2026-02-14T10:00:00+08:00"),
    ("2026-02-13T10:00:00+08:00", 2, "2026-02-24T10:00:00+08:00"),
    ("2026-02-13T10:00:00+08:00", 5, "2026-02-27T10:00:00+08:00"),
    ("2026-02-13T10:00:00+08:00", 6, "2026-02-28T10:00:00+08:00"),
    ("2026-02-14T23:59:59+08:00", 1, "2026-02-24T23:59:59+08:00"),
    ("2026-02-15T00:00:00+08:00", 1, "2026-02-24T00:00:00+08:00"),
    ("2026-02-14T17:00:00+00:00", 1, "2026-02-24T01:00:00+08:00"),  # in China the 15th
    ("2026-09-30T09:00:00+08:00", 3, "2026-10-10T09:00:00+08:00"),
]


@pytest.mark.parametrize(("accepted", "count", "due"), SPRING)
def test_deadlines_around_holidays(accepted, count, due):
    found = KNOWN.add(at(accepted), count)
    assert (found.at, found.estimated) == (at(due), False)
    assert found.at.tzinfo is UTC


WORKING = [  # 2026-11-23 is a Monday
    ("2026-11-23T07:52:00+08:00", 5, "2026-11-30T07:52:00+08:00"),  # in UTC a Sunday, and due on a Saturday
    ("2026-11-20T23:59:59+08:00", 1, "2026-11-23T23:59:59+08:00"),  # Friday, a second before midnight
    ("2026-11-21T00:00:00+08:00", 1, "2026-11-23T00:00:00+08:00"),  # Saturday, in UTC still Friday
]


@pytest.mark.parametrize(("accepted", "count", "due"), WORKING)
def test_working_days_are_those_of_china(accepted, count, due):
    assert KNOWN.add(at(accepted).astimezone(UTC), count).at == at(due)
    with pytest.raises(ValueError, match="zone"):
        KNOWN.add(datetime(2026, 6, 30, 12), 1)  # noqa: DTZ001


def test_a_year_without_a_table_is_estimated():
    last = datetime(UNKNOWN - 1, 12, 31, 3, tzinfo=UTC)
    assert KNOWN.add(last, 5).estimated
    assert not KNOWN.knows(UNKNOWN)
    assert [KNOWN.is_working(day) for day in days_of(UNKNOWN)] == [d.weekday() < 5 for d in days_of(UNKNOWN)]
    end_of_2026 = WorkingDays(DayTable(frozenset({2026})))
    assert not end_of_2026.add(at("2026-12-28T09:00:00+08:00"), 3).estimated
    assert WorkingDays(DayTable(frozenset({2198}))).add(last, 1).estimated


@pytest.mark.parametrize(("now", "own", "missing"), [
    ("2198-11-30T15:59:59+00:00", {2198}, None),
    ("2198-11-30T16:00:00+00:00", {2198}, 2199),  # in China the first of December
    ("2198-12-15T00:00:00+00:00", {2198, 2199}, None),
    ("2199-06-01T00:00:00+00:00", {2198}, 2199),
])  # fmt: skip
def test_from_december_on_the_next_year_is_missed(now, own, missing):
    assert WorkingDays(DayTable(frozenset(own))).missing_year(at(now)) == missing


def test_the_own_table_wins():
    own = WorkingDays(read_toml("years = [2026]\noff = [2026-11-24]\nwork = [2026-11-28]\n", "x.toml"))
    assert [own.is_working(date(2026, 11, n)) for n in (23, 24, 28, 29)] == [True, False, True, False]
    assert own.is_working(date(2026, 10, 1))  # the table is complete for its year
    csv = WorkingDays(read_csv("\ufeffday,kind\r\n2026-11-24,off\r\n\r\n2026-11-28,work\r\n", "x.csv"))
    assert csv == own
    assert NONE.add(at("2026-12-31T09:00:00+08:00"), 1) == NONE.add(at("2026-12-31T09:00:00+08:00"), 1)
    assert NONE.add(at("2026-12-31T09:00:00+08:00"), 1).at == at("2027-01-01T09:00:00+08:00")


BAD_TOML = {
    "years = 2026": "x: years: is not a list",
    "years = [2026]\nofff = []": "offf: unknown key; allowed are years, off, work",
    "years = ['2026']": "years 1: is not a year in digits",
    "years = [true]": "years 1: is not a year in digits",
    "years = [1026]": "years: 1026 is not from 2000 to 2199",
    "years = [2026]\noff = ['2026-10-01']": "off 1: is not a date written as 2026-10-01",
    "years = [2026]\noff = [2026-10-01T00:00:00]": "off 1: is not a date written as 2026-10-01",
    "years = [2026]\noff = [2027-10-01]": "off 1: 2027-10-01 is of a year that the table is not for",
    "years = [2026]\noff = [2026-10-01, 2026-10-01]": "off 2: 2026-10-01 is there twice",
    "years = [2026]\nwork = [2026-10-09]": "work 1: 2026-10-09 is worked anyway: it is no Saturday or Sunday",
    "years = ": "x: is not TOML",
    "": "years: names no year",
}
BAD_CSV = {
    "": "row 1: the columns are not day, kind",
    "kind,day\n": "row 1: the columns are not day, kind",
    "day,kind\n2026-10-01\n2026-10-02,rest\n2026-13-01,off\n": "row 2: has 1 cells, not 2; row 3: kind "
    "is not off or work; row 4: is not a date written as 2026-10-01",
}


@pytest.mark.parametrize("text", BAD_TOML)
def test_faults_of_a_table(text):
    with pytest.raises(ConfigError) as wrong:
        read_toml(text, "x")
    assert BAD_TOML[text].removeprefix("x: ") in str(wrong.value)


@pytest.mark.parametrize("text", BAD_CSV)
def test_faults_of_a_csv_table(text):
    with pytest.raises(ConfigError) as wrong:
        read_csv(text, "x")
    assert BAD_CSV[text] in str(wrong.value)


def test_many_faults_are_cut_short():
    with pytest.raises(ConfigError, match=r"\(and 2 more\)"):
        read_csv("day,kind\n" + "x,off\n" * 12, "x")


@pytest.mark.parametrize(("now", "due", "days", "overdue", "estimated"), [
    # Monday to Friday of one week; the day of today does not count, the day when it is due does.
    ("2026-11-30T09:00:00+08:00", "2026-12-04T18:00:00+08:00", 4, False, False),
    ("2026-11-30T09:00:00+08:00", "2026-11-30T18:00:00+08:00", 0, False, False),
    ("2026-11-30T09:00:00+08:00", "2026-11-30T08:00:00+08:00", 0, True, False),
    ("2026-11-30T09:00:00+08:00", "2026-11-26T18:00:00+08:00", 2, True, False),
    # The notice of 2025-11-04: 1 to 7 October are off, 20 September and 10 October are worked.
    ("2026-09-30T09:00:00+08:00", "2026-10-10T09:00:00+08:00", 3, False, False),
    ("2026-09-18T09:00:00+08:00", "2026-09-20T09:00:00+08:00", 1, False, False),
    # In China it is a day later than in UTC.
    ("2026-11-30T15:59:00+00:00", "2026-11-30T16:01:00+00:00", 1, False, False),
    ("2198-12-31T09:00:00+08:00", "2199-01-02T09:00:00+08:00", 2, False, True),
])  # fmt: skip
def test_days_left(now, due, days, overdue, estimated):
    assert WorkingDays().left(at(now), at(due)) == DaysLeft(days, overdue, estimated)


@pytest.mark.parametrize("start", ["2026-01-30", "2026-02-11", "2026-04-30", "2026-09-24", "2026-11-30"])
@pytest.mark.parametrize("days", [1, 3, 5, 10])
def test_days_left_are_those_that_a_deadline_was_counted_with(start, days):
    now = at(f"{start}T10:00:00+08:00")
    due = WorkingDays().add(now, days)
    assert WorkingDays().left(now, due.at) == DaysLeft(days, False, due.estimated)
