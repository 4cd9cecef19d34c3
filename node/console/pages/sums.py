"""A sum (汇总): prepared by one person with a list of people, sent to others only after an approval."""

from typing import Final

from starlette.responses import Response

from node.client.drafts import Draft, Drafts
from node.console.pages.prepared import (
    CLOSED,
    Head,
    Problem,
    choices,
    pack,
    read_file,
    send_prepared,
    typed,
    unpack,
)
from node.console.render import show
from node.console.visits import Visit
from node.domain.jobs import SUM
from node.domain.new_ids import new_id
from node.domain.summation import Summation, in_cohort
from node.errors import InputError
from node.reports.wording import sum_outcome_lines
from node.tabular.person_lists import read_cohort

_BASIS: Final = "GD-2025-20"
_FEN: Final = 100


def begin(visit: Visit) -> Response:
    """A new draft."""
    draft = Drafts(visit.node).save(pack(Head(legal_basis=_BASIS)), kind=SUM)
    return visit.go(f"/sums/{draft.draft_id}")


def show_sum(visit: Visit) -> Response:
    """One that is prepared; one that waits or was sent is in the list of drafts."""
    found = Drafts(visit.node).get(visit.request.path_params["draft"])
    if found.draft.kind != SUM or found.draft.state in CLOSED:
        return visit.go("/checks")
    return _page(visit, found.draft, unpack(found.form), found.reason)


def send(visit: Visit) -> Response:
    """Hand it to an approver, with the people of the file."""
    found = Drafts(visit.node).get(visit.request.path_params["draft"])
    head = typed(visit)

    def hand(drafts: Drafts, draft: Draft) -> None:
        people = read_file(visit, "list", read_cohort, "请选择名单文件")
        if not people:
            raise InputError("名单中没有人员")
        asked = Summation(head.items, head.peers, head.legal_basis, in_cohort(people))
        drafts.send(draft.draft_id, draft.version, new_id("s"), asked, SUM)

    draft, problem = send_prepared(visit, found.draft, head, hand)
    if problem is None:
        return visit.go("/checks?state=waiting")
    return _page(visit, draft, head, found.reason, problem)


def show_report(visit: Visit, job: str) -> Response:
    """The answer of each province for each item, or why there is none."""
    report = visit.node.sum_report(job)
    items = {one.code: one for one in visit.node.catalogue().items}
    names = {code: one.name_en if visit.lang == "en" else one.name_zh for code, one in items.items()}

    def amount(item: str, value: int | None) -> str:
        if value is None:
            return ""
        if item in items and items[item].value_kind == "money":
            return f"{value / _FEN:,.2f}"
        return f"{value:,}"

    rows = [
        {
            "item": names.get(one.item, one.item),
            "peer": one.peer,
            "words": "" if one.count is not None else " ".join(sum_outcome_lines(one, visit.lang)),
            "count": one.count,
            "total": amount(one.item, one.total),
            "mean": amount(one.item, one.mean),
            "noise": one.mode == "dp",
        }
        for one in report.findings
    ]
    return show(visit, "sum_report.html", {"report": report, "rows": rows})


def _page(visit: Visit, draft: Draft, head: Head, reason: str, problem: Problem | None = None) -> Response:
    found = problem or Problem()
    values = {
        **choices(visit, summed=True),
        "draft": draft,
        "head": head,
        "reason": reason,
        "problem": found.words,
        "wrong_rows": found.rows,
    }
    return show(visit, "sum.html", values, status=422 if problem else 200)
