"""Clocks of what provinces have not answered yet, the first due first."""

from typing import Final

from starlette.responses import Response

from node.console.pages.jobs import STATES
from node.console.render import show
from node.console.visits import Visit

OPEN: Final = "open"  # the stage in which nothing is late
STAGES: Final = {OPEN: "期限内", "warned": "已提醒", "due": "已逾期", "held": "逾期（日期为估算）"}
_MOST: Final = 1_000


def show_deadlines(visit: Visit) -> Response:
    """Parts without an answer, with what to do about them."""
    found, missing_year = visit.node.deadlines(_MOST)
    values = {"deadlines": found, "missing_year": missing_year, "stages": STAGES, "states": STATES}
    return show(visit, "deadlines.html", values)
