"""Clocks of what provinces have not answered yet, the first due first."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Final

from starlette.responses import Response

from node.console.pages.jobs import STATES, reason_words
from node.console.render import show
from node.console.visits import Visit
from node.domain.job_progress import DaysLeft

OPEN: Final = "open"  # the stage in which nothing is late
STAGES: Final = {OPEN: "期限内", "warned": "已提醒", "due": "已逾期", "held": "逾期（日期为估算）"}
_MOST: Final = 1_000


def show_deadlines(visit: Visit) -> Response:
    """Parts without an answer, with what to do about them."""
    found, missing_year = visit.node.deadlines(_MOST)
    values = {
        "deadlines": found,
        "missing_year": missing_year,
        "stages": STAGES,
        "states": STATES,
        "reason_words": partial(reason_words, visit),
        "left": left_words(visit, [one.clock.due_at for one in found]),
    }
    return show(visit, "deadlines.html", values)


def left_words(visit: Visit, due: Iterable[datetime | None]) -> dict[datetime, str]:
    """How many working days are left until each time, or since when it is overdue, in words: by one call."""
    times = list(dict.fromkeys(one for one in due if one is not None))
    return {one: _left(visit, found) for one, found in zip(times, visit.node.days_left(times), strict=True)}


def _left(visit: Visit, found: DaysLeft) -> str:
    if found.overdue:
        words = (
            visit.say("! 已逾期{days}个工作日", days=found.days) if found.days else visit.say("! 今日逾期")
        )
    else:
        words = visit.say("剩{days}个工作日", days=found.days) if found.days else visit.say("! 今日到期")
    return f"{words}{visit.say('（估算）')}" if found.estimated else words
