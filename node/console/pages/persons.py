"""One person of a list shown whole: by a form with a reason, for a minute; then the list is there again."""

from datetime import UTC
from typing import Final

from starlette.responses import Response

from node.client.drafts import Drafts
from node.client.persons import SOURCES, show_person
from node.clock import utc_now
from node.console import forms
from node.console.forms import Member
from node.console.problems import words_of
from node.console.render import show
from node.console.visits import Visit, local_path
from node.domain.days import china_time
from node.errors import InputError, InvalidRequestError, LimitError, NotFoundError

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
    visit.require_person()
    back, source = local_path(visit.field("back")), visit.field("source", 16)
    reason, ref = visit.field("reason", 32), visit.field("ref", 200)
    if source not in SOURCES:
        raise InvalidRequestError("no such list")
    if reason not in REASONS or not ref:
        return _page(visit, {"problem": visit.say("请选择人员和查看原因"), "back": back}, 422)
    record = visit.field("id", 64)
    typed = _typed(visit, record, ref) if source == "form" else None
    try:
        found = show_person(visit.node, source, record, ref, reason)
    except LimitError as error:
        return _page(visit, {"problem": words_of(visit, error), "back": back}, 429)
    if typed is not None:  # the node has noted it; what was typed is in the draft
        found.name = typed.name
        found.numbers.extend(one for one in (typed.id_no, typed.former) if one)
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


def _typed(visit: Visit, draft: str, no: str) -> Member:
    """A member of an unfinished draft. Raises NotFoundError."""
    kept = Drafts(visit.node).get(draft).form
    try:
        members = forms.unpack(kept).members
    except InputError:
        members = ()
    found = next((one for one in members if one.no == no), None)
    if found is None:
        raise NotFoundError("there is no such person in this draft")
    return found


def nothing(visit: Visit) -> Response:
    """A page that was shown by a form has no address of its own. Raises SessionEndedError."""
    visit.require_person()
    return visit.go("/")


def _page(visit: Visit, values: dict[str, object], status: int = 200) -> Response:
    return show(visit, "person.html", values, status=status)
