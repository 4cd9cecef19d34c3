"""Days of China against the time zone database."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from node.domain import days
from tests.support.zones import SHANGHAI, ZONES, machine_zone

# China's last summer time ended on 1991-09-15.
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1992, 1, 1), datetime(2200, 1, 1), timezones=offsets)  # noqa: DTZ001
zones = st.sampled_from(ZONES)


@given(moment=instants, zone=zones)
@example(moment=datetime(2026, 6, 30, 15, 59, 59, 999_999, tzinfo=UTC), zone="America/New_York")
@example(moment=datetime(2026, 6, 30, 16, tzinfo=UTC), zone="America/New_York")
def test_the_day_is_that_of_shanghai(moment, zone):
    with machine_zone(zone):
        expected = moment.astimezone(SHANGHAI)
        assert days.china_day(moment) == days.written_day(moment) == expected.date()
        assert days.china_minute(moment) == expected.isoformat(sep=" ", timespec="minutes")


# Begins after China's last summer time, however long the period.
@given(moment=instants.filter(lambda moment: moment.year > 2002), zone=zones, length=st.integers(1, 3660))
def test_a_period_is_whole_days_of_shanghai(moment, zone, length):
    with machine_zone(zone):
        start = days.period_start(moment, length).astimezone(SHANGHAI)
    assert (start.hour, start.minute, start.second, start.microsecond) == (0, 0, 0, 0)
    assert (moment.astimezone(SHANGHAI).date() - start.date()).days == length - 1
