"""Watch lists and alerts (监测预警): a person has looked, and notes it; nothing is decided here."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from node.client.watches import Watches
from node.console.pages.jobs import reason_words
from node.console.pages.reference import known_items
from node.console.problems import SHOWN, words_of
from node.console.render import show
from node.console.rights import may
from node.console.visits import Visit
from node.domain.alerts import MOST_NOTE, Alert
from node.domain.catalogue import Item
from node.domain.thresholds import Said
from node.domain.watches import LookRow, Watch
from node.reports.wording import item_text, outcome_text, value_text

_PAGE: Final = 100
_MOST_DIGITS: Final = 18
_PLANS: Final = {"home": "在本省镜像中比对", "asked": "询问对方"}


def show_alerts(visit: Visit) -> Response:
    """Lists, and their alerts, the newest first: all or those nobody has acknowledged, of one list or all."""
    return _alerts(visit)


def acknowledge(visit: Visit) -> Response:
    """Note that the person has looked at some."""
    chosen = visit.fields("alerts", 64)
    note = visit.field("note", MOST_NOTE)
    if not chosen or not note:
        return _alerts(visit, problem=visit.say("请勾选预警并填写处置说明"), status=422)
    count = Watches(visit.node).acknowledge(chosen, note)
    return _alerts(visit, done=visit.say("已登记{count}条预警的处置说明。", count=count))


def look_again(visit: Visit) -> Response:
    """Look at the people of a list now, not at the next time that is due."""
    try:
        job = Watches(visit.node).run(visit.field("watch", 64))
    except SHOWN as error:
        return _alerts(visit, problem=words_of(visit, error), status=422)
    return visit.go(f"/jobs/{job}")


def _alerts(visit: Visit, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    watches, asked = Watches(visit.node), visit.request.query_params
    found, every = watches.overview(), asked.get("all", "") == "1"
    chosen = next((one.row.id for one in found.watches if one.row.id == asked.get("list", "")), "")
    before = _number(asked.get("before", ""))
    # One more than is shown says whether there are older ones.
    alerts = watches.newest_alerts(chosen, before, _PAGE + 1, open_only=not every)
    items, shown = known_items(visit), alerts[:_PAGE]
    kept = {"all": "1" if every else "", "list": chosen}
    values = {
        "overview": found,
        "rows": [_row(visit, one, items) for one in shown],
        "looks": [one for watch in found.watches for one in _looks(visit, watch)],
        "every": every,
        "chosen": chosen,
        "choices": [("", visit.say("全部")), *((one.row.id, one.row.id) for one in found.watches)],
        "newest": f"/alerts?{urlencode(kept)}" if before else "",
        "older": f"/alerts?{urlencode({**kept, 'before': shown[-1].seq})}" if len(alerts) > _PAGE else "",
        "names": {code: item_text(one, code, visit.lang) for code, one in items.items()},
        "may_look": may(visit.person, "WatchService/RunWatch", "platform"),
        "problem": problem,
        "done": done,
    }
    return show(visit, "alerts.html", values, status=status)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def _looks(visit: Visit, watch: Watch) -> Sequence[Mapping[str, object]]:
    """The last look of a list at each of its provinces, and why one did not end well."""
    known = {one.peer: one for one in watch.looks}
    return [
        _look(visit, watch.row.id, known.get(peer, LookRow(watch.row.id, peer))) for peer in watch.row.peers
    ]


def _look(visit: Visit, watch: str, one: LookRow) -> Mapping[str, object]:
    state = "failed" if one.reason else "done" if one.look else "queued"
    return {
        "watch": watch,
        "peer": one.peer,
        "count": one.look,
        "at": one.looked_at,
        "how": visit.say(_PLANS[one.plan]) if one.plan in _PLANS else one.plan,
        "state": state,
        "reason": reason_words(visit, one.reason),
    }


def _row(visit: Visit, one: Alert, items: Mapping[str, Item]) -> dict[str, object]:
    item = items.get(one.item)
    return {
        "id": one.id,
        "watch": one.watch,
        "ref": one.ref,
        "item": item_text(item, one.item, visit.lang),
        "peer": one.peer,
        "at": one.at,
        "why": one.en if visit.lang == "en" else one.zh,
        "thresholds": one.thresholds,
        "before": _said(visit, one.before, item),
        "now": _said(visit, one.now, item),
        "acknowledged_at": one.acknowledged_at,
        "acknowledged_by": one.acknowledged_by,
        "note": one.note,
    }


def _said(visit: Visit, said: Said, item: Item | None) -> str:
    """An answer in words, with its value as reports print it."""
    words = outcome_text(said.outcome, visit.lang)
    value = value_text(item, said.value, visit.lang)
    return words if value in ("", words) else f"{words} {value}"
