"""Charges peers for what they ask, before the work; suspensions and alerts (design.md section 7).

A charge is a part of the transaction that opens what it pays for, under the lock of the peer's row. That
transaction commits also when the charge is refused, because the alert is kept; then `settle` raises the
refusal. What administrators see and set is in node/governance/quota_settings.py.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from node.config.quotas import QuotasSection
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import quotas as rows
from node.database.quotas import SetLimit
from node.domain.audit_chain import Detail
from node.domain.quotas import (
    DAYS,
    SUSPENDED,
    Alert,
    Limits,
    Measure,
    Moment,
    Refusal,
    Window,
    add_use,
    judge,
)
from node.errors import LimitError
from node.telemetry import log

QUOTAS: Final = tuple(
    (measure, window)
    for measure in Measure
    for window in Window
    if f"{measure}_{window}" in QuotasSection.model_fields
)


@dataclass(frozen=True, slots=True)
class Charge:
    """What became of a charge: alerts that are new, and the refusal if it was refused."""

    peer: str
    alerts: tuple[Alert, ...] = ()
    refusal: LimitError | None = None


def charge(
    tx: Connection,
    section: QuotasSection,
    peer: str,
    amounts: Mapping[Measure, int],
    now: datetime,
    items: Collection[str] = ("",),
) -> Charge:
    """Charge a peer, whose row is locked, for all amounts or, if one is refused, for none.

    A sum is charged for each of its `items`. The caller writes nothing else where `refusal` is set, lets
    `audit` write last, commits, and then calls `settle`.
    """
    changed = rows.read_limits(tx, peer)
    refused = next(filter(None, (_suspension(changed, measure) for measure in amounts)), None)
    if refused is not None:
        return Charge(peer, (), refused)
    limits = limits_of(section, changed)
    found = rows.read_uses(tx, peer, amounts, items, Moment(now).day - DAYS + 1)
    uses = {(measure, item): found.get((measure, item), ()) for measure in amounts for item in items}
    verdicts = {of: judge(of[0], amounts[of[0]], limits, before, now) for of, before in uses.items()}
    refusals = [verdict.refusal for verdict in verdicts.values() if verdict.refusal is not None]
    for (measure, item), before in uses.items() if not refusals else ():
        rows.put_use(tx, peer, measure, item, add_use(before, amounts[measure], now))
    raised = [
        replace(alert, item=item)
        for (_, item), verdict in verdicts.items()
        if verdict.refusal is not None or not refusals
        for alert in verdict.alerts
    ]
    alerts = tuple(alert for alert in raised if _note(tx, peer, alert, now))
    return Charge(peer, alerts, _refusal(refusals))


def _refusal(refusals: Sequence[Refusal]) -> LimitError | None:
    """The one that lasts longest."""
    if not refusals:
        return None
    last = max(refusals, key=lambda one: one.retry_after or timedelta.max)
    return LimitError(
        "a quota of this peer is used up",
        "ask again later, or for less; the two administrators agree on another quota",
        {"rule": last.rule},
        retry_after=last.retry_after,
    )


def audit(tx: Connection, charged: Charge, now: datetime) -> None:
    """Write the new alerts to the audit chain, as the last rows of the transaction."""
    for alert in charged.alerts:
        details: dict[str, Detail] = {"peer": charged.peer, "quota": quota_name(alert)}
        details |= {"percent": alert.level}
        if alert.item:
            details["item"] = alert.item
        audit_rows.append(tx, "quota_alert", details, now)


def settle(charged: Charge) -> None:
    """Log the new alerts, after the commit. Raises LimitError where the charge was refused."""
    for alert in charged.alerts:
        log.get_logger().warning(
            "quota_alert", peer=charged.peer, quota=quota_name(alert), percent=alert.level, item=alert.item
        )
    if charged.refusal is not None:
        raise charged.refusal


def suspend(tx: Connection, peer: str, measure: Measure, reason: str, now: datetime) -> None:
    """Refuse a peer a measure until administrators lift that. Its audit row is the transaction's last."""
    rows.put_limit(tx, SetLimit(peer, measure, SUSPENDED, 0, reason, now))
    audit_rows.append(tx, "quota_suspended", {"peer": peer, "measure": measure, "reason": reason}, now)


def require_not_suspended(tx: Connection, peer: str, measure: Measure) -> None:
    """Raises LimitError while a measure is suspended for a peer."""
    refused = _suspension(rows.read_limits(tx, peer), measure)
    if refused is not None:
        raise refused


def limits_of(section: QuotasSection, changed: Iterable[SetLimit]) -> Limits:
    """The quotas of a peer: those of node.toml, and what is set for it."""
    limits = {(measure, window): getattr(section, f"{measure}_{window}") for measure, window in QUOTAS}
    for one in changed:
        if one.window != SUSPENDED:
            limits[Measure(one.measure), Window(one.window)] = one.amount
    return limits


def quota_name(of: Alert) -> str:
    """As in a refusal's rule: `points.hour`."""
    return f"{of.measure}.{of.window}"


def _note(tx: Connection, peer: str, alert: Alert, now: datetime) -> bool:
    moment = Moment(now)
    numbers = moment.first_number(alert.window), moment.number(alert.window)
    return rows.note_alert(tx, peer, alert, numbers, now)


def _suspension(changed: Iterable[SetLimit], measure: Measure) -> LimitError | None:
    """The refusal of a measure that is suspended."""
    if not any(one.window == SUSPENDED and one.measure == measure for one in changed):
        return None
    return LimitError(
        "this peer is suspended",
        "the administrators of both nodes find out why; two of this node's lift it",
        {"rule": f"quota.{measure}.{SUSPENDED}"},
    )
