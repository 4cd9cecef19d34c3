"""Watch lists and alerts (监测预警): a person has looked, and notes it; nothing is decided here."""

from typing import Final

from starlette.responses import Response

from node.client.watches import Watches
from node.console.pages.reference import item_names
from node.console.render import show
from node.console.visits import Visit
from node.domain.alerts import MOST_NOTE, Alert
from node.domain.thresholds import Said
from node.reports.wording import outcome_text

_MOST: Final = 1_000


def show_alerts(visit: Visit) -> Response:
    """Lists, and their alerts: those nobody has acknowledged, or all."""
    return _alerts(visit)


def acknowledge(visit: Visit) -> Response:
    """Note that the person has looked at some."""
    chosen = visit.fields("alerts", 64)
    note = visit.field("note", MOST_NOTE)
    if not chosen or not note:
        return _alerts(visit, problem=visit.say("请勾选预警并填写处置说明"), status=422)
    count = Watches(visit.node).acknowledge(chosen, note)
    return _alerts(visit, done=visit.say("已登记{count}条预警的处置说明。", count=count))


def _alerts(visit: Visit, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    watches, every = Watches(visit.node), visit.request.query_params.get("all", "") == "1"
    found = watches.alerts(limit=_MOST, open_only=not every)
    names = item_names(visit)
    values = {
        "watches": watches.list(),
        "rows": [_row(visit, one, names) for one in reversed(found)],
        "every": every,
        "problem": problem,
        "done": done,
    }
    return show(visit, "alerts.html", values, status=status)


def _row(visit: Visit, one: Alert, names: dict[str, str]) -> dict[str, object]:
    return {
        "id": one.id,
        "ref": one.ref,
        "item": names.get(one.item, one.item),
        "peer": one.peer,
        "at": one.at,
        "why": one.en if visit.lang == "en" else one.zh,
        "before": _said(visit, one.before),
        "now": _said(visit, one.now),
        "acknowledged_at": one.acknowledged_at,
        "acknowledged_by": one.acknowledged_by,
        "note": one.note,
    }


def _said(visit: Visit, said: Said) -> str:
    words = outcome_text(said.outcome, visit.lang)
    return words if said.value is None else f"{words} {said.value}"
