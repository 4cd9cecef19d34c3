"""The clocks of objections and corrections (domain.md section 2): one place that counts their days."""

from datetime import date, datetime, timedelta
from typing import Final

from node.context import Node
from node.jobs.calendar import working_days
from node.reports.notes import OBJECTION_DAYS

RECHECK_DAYS: Final = 10  # working days from the evidence to the result of a re-check


def due_after(node: Node, start: datetime, days: int) -> datetime:
    """The instant `days` working days after one, in UTC; by the province's own table where it has one."""
    return working_days(node).add(start, days).at


def last_day(received: date) -> date:
    """The last day on which an objection is in time: so many days after the report was received."""
    return received + timedelta(days=OBJECTION_DAYS)
