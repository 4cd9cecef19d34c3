"""Days of China at their borders, in any zone of the machine, and working days."""

from datetime import UTC, date, datetime, time

import pytest

from node.domain import days
from tests.support.zones import ZONES, machine_zone


@pytest.fixture(params=ZONES, autouse=True)
def zone(request):
    with machine_zone(request.param):
        yield request.param


def at(text):
    return datetime.fromisoformat(text)


BORDERS = [
    ("2026-06-30T15:59:59.999999+00:00", date(2026, 6, 30)),
    ("2026-06-30T16:00:00+00:00", date(2026, 7, 1)),
    ("2026-06-30T23:52:00+00:00", date(2026, 7, 1)),  # 07:52 in China
    ("2026-07-01T00:00:00+00:00", date(2026, 7, 1)),
    ("2026-12-31T16:00:00+00:00", date(2027, 1, 1)),
    ("2028-02-28T16:30:00+00:00", date(2028, 2, 29)),
    ("2026-06-30T12:00:00-04:00", date(2026, 7, 1)),
    ("2026-06-30T11:59:59-04:00", date(2026, 6, 30)),
    ("2026-07-01T00:30:00+08:00", date(2026, 7, 1)),
    ("1988-07-01T15:30:00+00:00", date(1988, 7, 1)),  # China had summer time then: no day here knows it
]


@pytest.mark.parametrize(("text", "day"), BORDERS)
def test_the_day_of_an_instant(text, day):
    assert days.china_day(at(text)) == day
    assert days.written_day(at(text)) == day


@pytest.mark.parametrize("hour", range(24))
def test_a_date_with_time_and_no_zone_has_the_day_that_is_written(hour):
    assert days.written_day(datetime(2026, 6, 30, hour, 59)) == date(2026, 6, 30)  # noqa: DTZ001


@pytest.mark.parametrize("say", [days.china_time, days.china_day, days.china_minute])
def test_a_time_without_zone_is_no_instant(say):
    with pytest.raises(ValueError, match="zone"):
        say(datetime(2026, 6, 30, 12))  # noqa: DTZ001


def test_a_minute_for_people():
    assert days.china_minute(at("2026-06-30T23:52:59+00:00")) == "2026-07-01 07:52+08:00"


def test_where_days_and_periods_begin():
    assert days.day_start(date(2026, 7, 1)) == at("2026-06-30T16:00:00+00:00")
    assert days.day_start(date(2026, 7, 1)).tzinfo is UTC
    for now in ("2026-06-30T16:00:00+00:00", "2026-07-01T15:59:59+00:00"):
        assert days.period_start(at(now), 1) == at("2026-06-30T16:00:00+00:00")
        assert days.period_start(at(now), 30) == at("2026-06-01T16:00:00+00:00")


@pytest.mark.parametrize(
    ("now", "clock", "latest"),
    [
        ("2026-06-30T18:59:59+00:00", time(3), "2026-06-29T19:00:00+00:00"),  # 02:59:59 in China
        ("2026-06-30T19:00:00+00:00", time(3), "2026-06-30T19:00:00+00:00"),
        ("2026-07-01T03:00:00+08:00", time(3), "2026-06-30T19:00:00+00:00"),
        ("2026-07-01T15:59:59+00:00", time(0), "2026-06-30T16:00:00+00:00"),
        ("2026-07-01T16:00:00+00:00", time(0), "2026-07-01T16:00:00+00:00"),
        ("2026-07-01T15:58:00+00:00", time(23, 59), "2026-06-30T15:59:00+00:00"),
        ("2026-12-31T20:00:00-04:00", time(8), "2027-01-01T00:00:00+00:00"),
    ],
)
def test_the_latest_time_of_day_in_china(now, clock, latest):
    assert days.latest_at(at(now), clock) == at(latest)
    assert days.latest_at(at(now), clock).tzinfo is UTC


def test_a_time_of_day_needs_an_instant():
    with pytest.raises(ValueError, match="without a zone"):
        days.latest_at(at("2026-07-01T03:00:00"), time(3))
