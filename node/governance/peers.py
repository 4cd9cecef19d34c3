"""The provinces that a home asks and answers, and what they are granted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from node.clock import utc_now
from node.config import Config
from node.database import Connection, Store, audit_log, database_url, open_store, signing_keys
from node.database import peers as rows
from node.domain.audit_chain import Detail
from node.domain.peers import Grant, PeerRow, Registration
from node.errors import NotFoundError
from node.governance.stores import opened


def put_peer(config: Config, peer: PeerRow, now: datetime, store: Store | None = None) -> PeerRow | None:
    """Add a peer, or replace it; what was known of it before, None for a new one."""
    details: dict[str, Detail] = {
        "peer": peer.code,
        "grants": peer.granted,
        "platforms": int(peer.allow_platforms),
        "monitoring": int(peer.allow_monitoring),
    }
    with opened(config, store).transaction("add peer", write=True) as tx:
        known = rows.find_peer(tx, peer.code)
        # A new card does not end a pause.
        rows.put_peer(tx, replace(peer, paused=known is not None and known.paused), now)
        audit_log.append(tx, "peer_added", details, now)
    return known


def set_grants(
    config: Config,
    code: str,
    granted: Sequence[Grant],
    now: datetime,
    allow_monitoring: bool | None = None,
    store: Store | None = None,
) -> PeerRow:
    """Replace what a peer is granted, and with `allow_monitoring` whether it may ask for monitoring.

    Returns the peer as it is known now. Raises NotFoundError.
    """
    details: dict[str, Detail] = {"peer": code, "grants": [str(grant) for grant in granted]}
    with opened(config, store).transaction("grant", write=True) as tx:
        known = rows.find_peer(tx, code)
        if known is None:
            raise _unknown(code)
        monitoring = known.allow_monitoring if allow_monitoring is None else allow_monitoring
        details["monitoring"] = int(monitoring)
        rows.set_grants(tx, code, granted, monitoring)
        audit_log.append(tx, "peer_granted", details, now)
    return replace(known, grants=tuple(granted), allow_monitoring=monitoring)


def list_peers(config: Config) -> list[PeerRow]:
    """All peers by code."""
    with open_store(database_url(config)).transaction("list peers") as tx:
        return rows.list_peers(tx)


def read_registrations(config: Config) -> dict[str, Registration]:
    """Since when each peer is known, and which certificate it showed, by code."""
    with open_store(database_url(config)).transaction("read certificates of peers") as tx:
        return rows.read_registrations(tx)


def known_keys(config: Config) -> dict[bytes, tuple[str, str]]:
    """Each signing key that is or was pinned for a peer: the peer's code, and its name in words.

    A key of an earlier time says so: what it signed then stays signed.
    """
    with open_store(database_url(config)).transaction("read signing keys of peers") as tx:
        return read_known_keys(tx)


def read_known_keys(tx: Connection) -> dict[bytes, tuple[str, str]]:
    """As `known_keys`, in a transaction of a running node."""
    found: dict[bytes, tuple[str, str]] = {}
    for peer in rows.list_peers(tx):
        pinned = signing_keys.read_pinned(tx, peer.code)
        for old in pinned.replaced if pinned else ():
            found[old] = (peer.code, f"{peer.name}, an earlier key")
        found[peer.signing_key] = (peer.code, peer.name)
    return found


def pause_peer(config: Config, code: str, *, paused: bool, store: Store | None = None) -> None:
    """Neither ask nor answer a peer from its next call on, or end that. Raises NotFoundError."""
    with opened(config, store).transaction("pause peer", write=True) as tx:
        if not rows.set_paused(tx, code, paused=paused):
            raise _unknown(code)
        audit_log.append(tx, "peer_paused" if paused else "peer_resumed", {"peer": code}, utc_now())


def remove_peer(config: Config, code: str, store: Store | None = None) -> None:
    """Forget a peer: it is refused from now on. Raises NotFoundError."""
    with opened(config, store).transaction("remove peer", write=True) as tx:
        if not rows.remove_peer(tx, code):
            raise _unknown(code)
        audit_log.append(tx, "peer_removed", {"peer": code}, utc_now())


def _unknown(code: str) -> NotFoundError:
    return NotFoundError(f"there is no peer {code}", "see `heqiao peers list`")
