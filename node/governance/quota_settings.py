"""Quotas of a home's peers as administrators see and set them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from node.clock import utc_now
from node.config import Config
from node.database import Connection, Store
from node.database import audit_log as audit_rows
from node.database import peers as peer_rows
from node.database import quotas as rows
from node.database import sum_alerts as sum_rows
from node.database.quotas import SetLimit
from node.domain.audit_chain import Detail
from node.domain.quotas import DAYS, SUSPENDED, Measure, Moment, Window, used_in
from node.errors import NotFoundError
from node.governance.quotas import limits_of, quota_name, suspend
from node.governance.stores import opened

BY_HAND: Final = "set by an administrator"


@dataclass(frozen=True, slots=True)
class QuotaState:
    """One quota of a peer and its use now; `item` of sums. Where `window` is `suspended` nothing passes."""

    peer: str
    measure: str
    window: str
    item: str
    limit: int
    used: int
    is_set: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PeerAlert:
    """An alert of a peer: `percent` of a quota is used, or a sum broke a `rule`.

    The latter counts towards a suspension until `lifted_at`.
    """

    peer: str
    quota: str
    item: str
    at: datetime
    percent: int = 0
    rule: str = ""
    query_id: bytes = b""
    lifted_at: datetime | None = None


def read_states(config: Config, code: str | None = None, store: Store | None = None) -> list[QuotaState]:
    """The quotas of one peer, or of all. Raises NotFoundError."""
    now = Moment(utc_now())
    with opened(config, store).transaction("read quotas") as tx:
        if code is None:
            codes = [peer.code for peer in peer_rows.list_peers(tx)]
        else:
            _require_peer(tx, code)
            codes = [code]
        return [state for peer in codes for state in _states(tx, config, peer, now)]


def _states(tx: Connection, config: Config, peer: str, now: Moment) -> Iterator[QuotaState]:
    changed = rows.read_limits(tx, peer)
    limits = limits_of(config.quotas, changed)
    by_hand = {(one.measure, one.window) for one in changed}
    uses = rows.read_uses(tx, peer, list(Measure), None, now.day - DAYS + 1)
    for measure, window in limits:
        items = sorted(item for of, item in uses if of is measure) or [""]
        for item in items:
            used = used_in(window, uses.get((measure, item), ()), now)
            is_set = (measure, window) in by_hand
            yield QuotaState(peer, measure, window, item, limits[measure, window], used, is_set)
    for one in changed:
        if one.window == SUSPENDED:
            yield QuotaState(peer, one.measure, SUSPENDED, "", 0, 0, is_set=True, reason=one.reason)


def effective_limit(
    config: Config, peer: str, measure: Measure, window: Window, store: Store | None = None
) -> int:
    """The quota that applies to a peer now. Raises NotFoundError."""
    with opened(config, store).transaction("read quotas") as tx:
        _require_peer(tx, peer)
        return limits_of(config.quotas, rows.read_limits(tx, peer))[measure, window]


def default_limit(config: Config, measure: Measure, window: Window) -> int:
    """The quota of node.toml."""
    return limits_of(config.quotas, ())[measure, window]


def set_limit(
    config: Config,
    peer: str,
    measure: Measure,
    window: Window,
    amount: int | None,
    store: Store | None = None,
) -> None:
    """Set a quota of a peer; None: that of node.toml applies again. Raises NotFoundError."""
    now = utc_now()
    with opened(config, store).transaction("set a quota", write=True) as tx:
        _require_known(peer_rows.lock_peer(tx, peer), peer)
        if amount is None:
            rows.remove_limit(tx, peer, measure, window)
        else:
            rows.put_limit(tx, SetLimit(peer, measure, window, amount, BY_HAND, now))
        told = "default" if amount is None else amount
        details = {"peer": peer, "quota": f"{measure}.{window}", "amount": told}
        audit_rows.append(tx, "quota_set", details, now)


def suspend_by_hand(config: Config, peer: str, measure: Measure, store: Store | None = None) -> None:
    """Refuse a peer a measure until `lift`. Raises NotFoundError."""
    with opened(config, store).transaction("suspend a peer", write=True) as tx:
        _require_known(peer_rows.lock_peer(tx, peer), peer)
        suspend(tx, peer, measure, BY_HAND, utc_now())


def lift(config: Config, peer: str, measure: Measure, store: Store | None = None) -> None:
    """End the suspension of a peer; of sums, no alert so far counts any more.

    Raises NotFoundError where there is none.
    """
    now, details = utc_now(), dict[str, Detail](peer=peer, measure=measure)
    with opened(config, store).transaction("lift a suspension", write=True) as tx:
        peer_rows.lock_peer(tx, peer)  # one that was removed stays suspended, and has nothing under way
        if not rows.remove_limit(tx, peer, measure, SUSPENDED):
            raise NotFoundError(f"{measure} of peer {peer} are not suspended", "see `heqiao quotas show`")
        if measure is Measure.SUMS:
            details["alerts"] = sum_rows.lift_alerts(tx, peer, now)
        audit_rows.append(tx, "quota_lifted", details, now)


def list_alerts(config: Config, peer: str | None, limit: int, store: Store | None = None) -> list[PeerAlert]:
    """Alerts about quotas and about sums, newest first, of one peer or all."""
    with opened(config, store).transaction("list alerts") as tx:
        quotas, sums = rows.list_alerts(tx, peer, limit), sum_rows.list_alerts(tx, peer)
    found = [
        PeerAlert(one.peer, quota_name(one.alert), one.alert.item, one.at, percent=one.alert.level)
        for one in quotas
    ]
    found += [
        PeerAlert(one.peer, Measure.SUMS, one.item, one.at, 0, one.rule, one.query_id, one.lifted_at)
        for one in sums
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def _require_peer(tx: Connection, code: str) -> None:
    _require_known(peer_rows.find_peer(tx, code) is not None, code)


def _require_known(known: bool, code: str) -> None:
    if not known:
        raise NotFoundError(f"there is no peer {code}", "see `heqiao peers list`")
