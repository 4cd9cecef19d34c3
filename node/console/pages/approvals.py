"""What other people have prepared (待复核): checks, sums, watch lists, approved or returned as shown."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from node.client.drafts import Drafts
from node.console.pages.checks import PURPOSES
from node.console.pages.prepared import KIND_WORDS
from node.console.pages.reference import LEVELS
from node.console.pages.request_content import SUMS, content_values
from node.console.pages.sign_in import problem_of
from node.console.render import show
from node.console.visits import Visit
from node.domain.jobs import WATCH
from node.errors import InvalidRequestError, JobConflictError, SignInError

_PAGE: Final = 50
_BEGINS: Final = {"verification": "同意并发出查询", "sum": "同意并发出汇总", "watch": "同意并登记名单"}


def show_waiting(visit: Visit) -> Response:
    """A page of the drafts that wait for an approval: first those that wait longest."""
    after = visit.request.query_params.get("after", "")
    found = Drafts(visit.node).list("waiting", limit=_PAGE, after=after)
    values = {
        "drafts": found.drafts,
        "purposes": PURPOSES | SUMS,
        "kinds": KIND_WORDS,
        "after": after,
        "next": f"/approvals?{urlencode({'after': found.next})}" if found.next else "",
    }
    return show(visit, "approvals.html", values)


def show_approval(visit: Visit) -> Response:
    """What waits, as the node will ask it, and the form to approve or return it."""
    return _approval(visit)


def decide(visit: Visit) -> Response:
    """Approve with password and code, or return with a reason."""
    drafts, draft = Drafts(visit.node), visit.request.path_params["draft"]
    version = visit.number("version")
    try:
        if visit.field("action", 16) == "return":
            drafts.give_back(draft, version, visit.field("reason"))
            return visit.go("/approvals")
        sent = drafts.approve(
            draft,
            version,
            visit.octets("digest"),
            visit.field("password", 200),
            visit.field("code", 16).replace(" ", ""),
        )
    except (SignInError, InvalidRequestError, JobConflictError) as error:
        return _approval(visit, problem=problem_of(visit, error), status=422)
    return visit.go("/alerts" if sent.kind == WATCH else f"/jobs/{sent.job_id}")


def _approval(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    drafts = Drafts(visit.node)
    draft = drafts.get(visit.request.path_params["draft"]).draft
    if draft.state != "waiting":
        return visit.go("/approvals")
    values = {
        "draft": draft,
        **content_values(visit, drafts.content(draft.draft_id)),
        "kind": KIND_WORDS.get(draft.kind, draft.kind),
        "begins": _BEGINS.get(draft.kind, "同意"),
        "levels": LEVELS,
        "own": draft.preparer == visit.person.account,
        "problem": problem,
    }
    return show(visit, "approval.html", values, status=status)
