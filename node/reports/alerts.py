"""Alerts and watch lists as JSON and as rows of tables. A person is named by the list's reference only."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from node.domain.alerts import Alert
from node.domain.days import FIRST_DAY, china_time
from node.domain.thresholds import Said
from node.domain.watches import LookRow, Watch

ALERT_COLUMNS = ("no.", "alert", "person", "item", "province", "before", "now", "cause", "thresholds", "seen")
WATCH_COLUMNS = (
    "list",
    "owner",
    "people",
    "items",
    "peer",
    "looks",
    "last look (China)",
    "how",
    "tokens until",
)


def plain_alert(one: Alert) -> dict[str, object]:
    """An alert for programs."""
    return {
        "seq": one.seq,
        "alert": one.id,
        "watch": one.watch,
        "owner": one.owner,
        "person": one.ref,
        "item": one.item,
        "peer": one.peer,
        "change": one.when.value,
        "before": _plain_said(one.before),
        "now": _plain_said(one.now),
        "cause": {"zh": one.zh, "en": one.en},
        "thresholds": one.thresholds,
        "at": one.at.isoformat(),
        "acknowledged_at": _moment(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by,
        "note": one.note,
    }


def alert_row(one: Alert, lang: str) -> tuple[str, ...]:
    """An alert as a row of `ALERT_COLUMNS`."""
    cause = one.zh if lang == "zh" else one.en
    seen = "" if one.acknowledged_at is None else f"{china_time(one.acknowledged_at):%Y-%m-%d}"
    return (
        str(one.seq),
        one.id,
        one.ref,
        one.item,
        one.peer,
        _text(one.before),
        _text(one.now),
        cause,
        one.thresholds,
        seen,
    )


def plain_watch(one: Watch) -> dict[str, object]:
    """A watch list for programs."""
    row = one.row
    return {
        "watch": row.id,
        "owner": row.owner,
        "items": row.items,
        "peers": row.peers,
        "legal_basis": row.legal_basis,
        "people": row.people,
        "added_at": row.added_at.isoformat(),
        "open_alerts": one.open_alerts,
        "looks": [_plain_look(one, look) for look in one.looks],
    }


def watch_rows(one: Watch) -> list[tuple[str, ...]]:
    """A watch list as rows of `WATCH_COLUMNS`, one for each peer."""
    row = one.row
    found: list[tuple[str, ...]] = []
    for look in one.looks:
        until = ", ".join(
            f"{name} {day.isoformat()}" for peer, name, _, day, _ in one.tokens if peer == look.peer
        )
        seen = "" if look.looked_at is None else f"{china_time(look.looked_at):%Y-%m-%d %H:%M}"
        how = f"failed: {look.reason}" if look.reason else look.plan
        found.append(
            (
                row.id,
                row.owner,
                str(row.people),
                ",".join(row.items),
                look.peer,
                str(look.look),
                seen,
                how,
                until,
            )
        )
    return found


def _plain_look(one: Watch, look: LookRow) -> Mapping[str, object]:
    tokens = [
        {"class": name, "epoch": epoch, "until": day.isoformat(), "people": people}
        for peer, name, epoch, day, people in one.tokens
        if peer == look.peer
    ]
    return {
        "peer": look.peer,
        "looks": look.look,
        "epoch": look.epoch,
        "manifest_issued_at": _moment(look.issued_at),
        "looked_at": _moment(look.looked_at),
        "plan": look.plan,
        "reason": look.reason,
        "tokens": tokens,
    }


def _plain_said(said: Said) -> Mapping[str, object]:
    return {"outcome": said.outcome.value, "value": said.value, "as_of": _day(said)}


def _text(said: Said) -> str:
    value = "" if said.value is None else f" {said.value}"
    day = _day(said)
    return f"{said.outcome.value}{value}" + (f" ({day})" if day else "")


def _day(said: Said) -> str | None:
    return None if said.as_of is None else (FIRST_DAY + timedelta(days=said.as_of)).isoformat()


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
