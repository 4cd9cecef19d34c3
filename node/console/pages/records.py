"""What is on record: queries of peers, audit events."""

import json
from typing import Final

from starlette.responses import Response

from node.client.administration import Records
from node.console.problems import SHOWN, words_of
from node.console.render import show
from node.console.rights import may, who_may
from node.console.visits import Visit

_SUSPEND: Final = "AccessService/Suspend"
LIMIT: Final = 50
_MOST_DIGITS: Final = 7
_FILTERS: Final = ("event", "user", "peer", "from_day", "to_day")
KINDS: Final = {"verification": "核对", "sum": "汇总"}
QUERY_STATES: Final = {"open": "进行中", "done": "已答复", "charged": "已受理", "opened": "已答复"}


def show_incoming(visit: Visit) -> Response:
    """Who asked this node, when, for what; no subject exists to show."""
    peer, offset = visit.request.query_params.get("peer", "")[:2], _offset(visit)
    found = Records(visit.node).incoming(peer, LIMIT, offset)
    values = {
        "queries": found.queries,
        "total": found.total,
        "peer": peer,
        "offset": offset,
        "limit": LIMIT,
        "can": may(visit.person, _SUSPEND),
        "who": who_may(_SUSPEND, visit.lang),
        "kinds": KINDS,
        "states": QUERY_STATES,
    }
    return show(visit, "incoming.html", values)


def show_audit(visit: Visit) -> Response:
    """The newest events."""
    return _audit(visit, dict.fromkeys(_FILTERS, ""), 0)


def filter_audit(visit: Visit) -> Response:
    """Events chosen by name, account, province and days: by a form, so that no address names an account."""
    typed = visit.field("offset", _MOST_DIGITS)
    offset = int(typed) if typed.isascii() and typed.isdigit() else 0
    return _audit(visit, _chosen(visit), offset)


def verify_audit(visit: Visit) -> Response:
    """Whether an event was changed or removed."""
    found = Records(visit.node).verify_chain()
    return _audit(visit, dict.fromkeys(_FILTERS, ""), 0, chain=found)


def export_audit(visit: Visit) -> Response:
    """The chosen events as a file of JSON lines, in order, as `heqiao audit list` prints them."""
    chosen = _chosen(visit)
    try:
        lines = [
            json.dumps(
                {
                    "seq": one.seq,
                    "at": one.at.ToJsonString(),
                    "event": one.event,
                    "details": json.loads(one.details),
                    "digest": one.digest.hex(),
                },
                ensure_ascii=False,
            )
            for one in Records(visit.node).export(**chosen)
        ]
    except SHOWN as error:
        return _audit(visit, dict.fromkeys(_FILTERS, ""), 0, problem=words_of(visit, error), status=422)
    headers = {"Content-Disposition": 'attachment; filename="audit-events.jsonl"'}
    return Response("\n".join([*lines, ""]), media_type="application/x-ndjson", headers=headers)


def _chosen(visit: Visit) -> dict[str, str]:
    return {name: visit.field(name, 64) for name in _FILTERS}


def _offset(visit: Visit) -> int:
    text = visit.request.query_params.get("offset", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def _audit(
    visit: Visit,
    chosen: dict[str, str],
    offset: int,
    *,
    chain: object = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    node = Records(visit.node)
    try:
        found = node.events(LIMIT, offset, **chosen)
    except SHOWN as error:
        problem, status = words_of(visit, error), 422
        found = node.events(LIMIT, 0)
    rows = [{"event": one, "details": json.loads(one.details)} for one in found.events]
    values = {
        "rows": rows,
        "total": found.total,
        "offset": offset,
        "limit": LIMIT,
        "chosen": chosen,
        "chain": chain,
        "problem": problem,
    }
    return show(visit, "audit.html", values, status=status)
