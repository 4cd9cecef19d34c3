"""One person of a list shown whole: by a form with a reason, for a minute; then the list is there again."""

from datetime import UTC
from typing import Final

from starlette.responses import Response

from node.client.persons import SOURCES, show_person
from node.clock import utc_now
from node.console.problems import words_of
from node.console.render import show
from node.console.visits import Visit, local_path
from node.domain.days import china_time
from node.errors import InvalidRequestError, LimitError

PATH: Final = "/person"
REASONS: Final = {
    "identify": "核对身份",
    "correct": "更正录入",
    "contact": "联系当事人",
    "answer_citizen": "答复当事人",
}


def show_one(visit: Visit) -> Response:
    """Name and numbers; the browser goes back to the masked list by itself, with or without scripts.

    Raises SessionEndedError.
    """
    visit.person  # noqa: B018  asks the node
    back, source = local_path(visit.field("back")), visit.field("source", 16)
    reason, ref = visit.field("reason", 32), visit.field("ref", 200)
    if source not in SOURCES:
        raise InvalidRequestError("no such list")
    if reason not in REASONS or not ref:
        return _page(visit, {"problem": visit.say("请选择人员和查看原因"), "back": back}, 422)
    try:
        found = show_person(visit.node, source, visit.field("id", 64), ref, reason)
    except LimitError as error:
        return _page(visit, {"problem": words_of(visit, error), "back": back}, 429)
    until = found.until.ToDatetime(tzinfo=UTC)
    values = {
        "problem": "",
        "back": back,
        "ref": ref,
        "found": found,
        "reason": REASONS[reason],
        "until": f"{china_time(until):%H:%M:%S}",
    }
    answer = _page(visit, values)
    left = max(1, int((until - utc_now()).total_seconds()))
    answer.headers["Refresh"] = f"{left}; url={back}"
    return answer


def nothing(visit: Visit) -> Response:
    """A page that was shown by a form has no address of its own. Raises SessionEndedError."""
    visit.person  # noqa: B018  asks the node
    return visit.go("/")


def _page(visit: Visit, values: dict[str, object], status: int = 200) -> Response:
    return show(visit, "person.html", values, status=status)
