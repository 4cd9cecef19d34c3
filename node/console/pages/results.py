"""The results of a check on the screen (核对结果): how far provinces answered, then every answer in words."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from node.console.pages.reference import known_items
from node.console.render import show
from node.console.visits import Visit
from node.domain.catalogue import Item
from node.domain.findings import NAME_CONVERTED, Finding, Findings, Outcome, Report
from node.reports.coverage import ItemSummary, summarise
from node.reports.wording import answer_text, item_text, outcome_text, reason_text, state_text, value_text

_PAGE: Final = 500
_MOST_DIGITS: Final = 9


def show_results(visit: Visit, job: str) -> Response:
    """A page of the answers, by person, item and province; the coverage is that of the whole report."""
    report, items = visit.node.report(job), known_items(visit)
    findings, summary = Findings.of(report.findings), summarise(report)
    offset = _offset(visit, len(findings))
    shown = findings[offset : offset + _PAGE]
    full = [
        peer.peer
        for peer in report.peers
        if all(line.coverage[peer.peer].state == "answered" for line in summary.items)
    ]
    values = {
        "report": report,
        "rows": [_row(visit, one, items) for one in shown],
        "refs": list(dict.fromkeys(one.subject for one in shown)),
        "total": len(findings),
        "offset": offset,
        "limit": _PAGE,
        "full": len(full),
        "summary": summary,
        "lines": [_line(visit, report, one, items) for one in summary.items],
    }
    return show(visit, "report.html", values)


def _offset(visit: Visit, total: int) -> int:
    """Where the page begins; the first one where there is no such page."""
    text = visit.request.query_params.get("offset", "")
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0
    return wanted - wanted % _PAGE if wanted < total else 0


def _line(visit: Visit, report: Report, line: ItemSummary, items: Mapping[str, Item]) -> Mapping[str, object]:
    """How far provinces answered about one item; of each that did not in full, why."""
    gaps = [
        (f"{peer.peer} {peer.name}".rstrip(), state_text(line.coverage[peer.peer].state, visit.lang))
        for peer in report.peers
        if line.coverage[peer.peer].state != "answered"
    ]
    return {
        "item": item_text(items.get(line.item), line.item, visit.lang),
        "answered": len(report.peers) - len(gaps),
        "asked": len(report.peers),
        "gaps": gaps,
        "people": line.people,
    }


def _row(visit: Visit, one: Finding, items: Mapping[str, Item]) -> Mapping[str, object]:
    item = items.get(one.item)
    value = value_text(item, one.value, visit.lang)
    # A reason of a name that differs is in the words of the answer.
    reason = reason_text(one.reason, visit.lang) if one.reason not in ("", NAME_CONVERTED) else ""
    return {
        "subject": one.subject,
        "item": item_text(item, one.item, visit.lang),
        "peer": one.peer,
        "outcome": one.outcome.value,
        "words": answer_text(one, visit.lang),
        "reason": reason,
        "value": "" if value == outcome_text(Outcome.FOUND, visit.lang) else value,
        "as_of": one.as_of,
    }
