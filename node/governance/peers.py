"""The provinces that a home asks and answers, and what they are granted."""

from datetime import datetime

from node.clock import utc_now
from node.config import Config
from node.database import audit_log, database_url, open_store
from node.database import peers as rows
from node.domain.audit_chain import Detail
from node.domain.peers import PeerRow
from node.errors import NotFoundError


def put_peer(config: Config, peer: PeerRow, now: datetime) -> PeerRow | None:
    """Add a peer, or replace it; what was known of it before, None for a new one."""
    details: dict[str, Detail] = {
        "peer": peer.code,
        "grants": list(peer.grants),
        "platforms": int(peer.allow_platforms),
    }
    with open_store(database_url(config)).transaction("add peer", write=True) as tx:
        known = rows.find_peer(tx, peer.code)
        rows.put_peer(tx, peer, now)
        audit_log.append(tx, "peer_added", details, now)
    return known


def list_peers(config: Config) -> list[PeerRow]:
    """All peers by code."""
    with open_store(database_url(config)).transaction("list peers") as tx:
        return rows.list_peers(tx)


def remove_peer(config: Config, code: str) -> None:
    """Forget a peer: it is refused from now on. Raises NotFoundError."""
    with open_store(database_url(config)).transaction("remove peer", write=True) as tx:
        if not rows.remove_peer(tx, code):
            raise NotFoundError(f"there is no peer {code}", "see `heqiao peers list`")
        audit_log.append(tx, "peer_removed", {"peer": code}, utc_now())
