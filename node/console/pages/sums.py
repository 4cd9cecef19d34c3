"""A sum (汇总): prepared by one person with a list of people, sent to others only after an approval."""

from typing import Final

from starlette.responses import Response

from node.client.drafts import Draft, Drafts
from node.console.pages.prepared import (
    Head,
    choices,
    find_open,
    pack,
    read_rows,
    send_prepared,
    show_prepared,
    typed,
    unpack,
)
from node.console.pages.reference import item_names
from node.console.render import show
from node.console.visits import Visit
from node.domain.jobs import SUM
from node.domain.new_ids import new_id
from node.domain.summation import Summation, in_cohort
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
    found = find_open(visit, SUM)
    if found is None:
        return visit.go("/checks")
    return show_prepared(visit, found.draft, unpack(found.form), found.reason, choices(visit, summed=True))


def send(visit: Visit) -> Response:
    """Hand it to an approver, with the people of the file."""
    found = find_open(visit, SUM)
    if found is None:
        return visit.go("/checks")
    head = typed(visit)

    def hand(drafts: Drafts, draft: Draft) -> None:
        people = in_cohort(read_rows(visit, "list", read_cohort))
        asked = Summation(head.items, head.peers, head.legal_basis, people)
        drafts.send(draft.draft_id, draft.version, new_id("s"), asked, SUM)

    draft, problem = send_prepared(visit, found.draft, head, hand)
    if problem is None:
        return visit.go("/checks?state=waiting")
    return show_prepared(visit, draft, head, found.reason, choices(visit, summed=True), problem)


def show_report(visit: Visit, job: str) -> Response:
    """The answer of each province for each item, or why there is none."""
    report = visit.node.sum_report(job)
    catalogue = visit.node.catalogue()
    names, money = (
        item_names(visit, catalogue),
        {one.code for one in catalogue.items if one.value_kind == "money"},
    )

    def amount(item: str, value: int | None) -> str:
        if value is None:
            return ""
        if item in money:
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
