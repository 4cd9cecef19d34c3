"""Days as numbers, and working days."""

from datetime import date, datetime, timedelta

from node.domain.records import FIRST_DAY

DAY_ZERO = FIRST_DAY.toordinal()


EPOCH_START = date(1970, 1, 1)


def add_working_days(start: datetime, days: int) -> datetime:
    """The same time of day `days` Mondays to Fridays later; the office adds public holidays itself."""
    moment = start
    while days > 0:
        moment += timedelta(days=1)
        days -= moment.weekday() < 5
    return moment
