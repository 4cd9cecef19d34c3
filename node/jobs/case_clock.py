"""The clocks of objections and corrections (domain.md section 2): one place that counts their days."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from node.context import Node
from node.database import corrections, objections
from node.domain.working_days import Due
from node.jobs.calendar import working_days
from node.jobs.deadlines import Write
from node.reports.notes import OBJECTION_DAYS

MOST_MOVED: Final = 10_000  # of a kind, in one run


def due_after(node: Node, start: datetime, days: int) -> Due:
    """The instant `days` working days after one, in UTC; by the province's own table where it has one."""
    return working_days(node).add(start, days)


def count_anew(node: Node, write: Write | None = None) -> int:
    """Count estimated times of open cases anew, where a table of days is there by now; how many changed.

    That of a request which another province has taken is its own, and stays as it said. Raises ConfigError
    without the table of days, and as `write` does.
    """
    write = write or node.store.retry_write
    with node.store.transaction("list open cases") as tx:
        opened = objections.list_(tx, None, waiting=True, limit=MOST_MOVED)
        received = corrections.list_received(tx, waiting=True, limit=MOST_MOVED)
        sent = corrections.list_sent(tx, waiting=True, limit=MOST_MOVED)
    settings, moved = node.config.deadlines, 0
    for case in opened:
        due = due_after(node, case.created_at, settings.recheck_days)
        if case.due_estimated and due != Due(case.due_at, estimated=True):
            moved += write("count objection", partial(objections.move, objection=case.id, due=due))
    for asked in received:
        due = due_after(node, asked.received_at, settings.correction_days)
        if asked.due_estimated and due != Due(asked.due_at, estimated=True):
            moved += write("count request", partial(corrections.move_received, number=asked.number, due=due))
    for one in sent:
        due = due_after(node, one.created_at, settings.correction_days)
        if one.received_at is None and one.due_estimated and due != Due(one.due_at, estimated=True):
            moved += write("count correction", partial(corrections.move_sent, correction=one.id, due=due))
    return moved


def last_day(received: date) -> date:
    """The last day on which an objection is in time: so many days after the report was received."""
    return received + timedelta(days=OBJECTION_DAYS)
