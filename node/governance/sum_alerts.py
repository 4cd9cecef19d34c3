"""Alerts about the sums of peers, and the end of a suspension."""

from collections import defaultdict
from datetime import datetime

from node.config import Config
from node.database import audit_log, database_url, open_store
from node.database import sum_alerts as rows
from node.database.sum_alerts import AlertRow
from node.domain.sum_suspension import is_suspended
from node.errors import NotFoundError


def list_alerts(config: Config) -> tuple[list[AlertRow], list[str]]:
    """All alerts, oldest first, and the peers whose sums are suspended."""
    with open_store(database_url(config)).transaction("list alerts") as tx:
        found = rows.list_alerts(tx)
    times: dict[str, list[datetime]] = defaultdict(list)
    for one in found:
        if one.lifted_at is None:
            times[one.peer].append(one.at)
    return found, sorted(peer for peer, some in times.items() if is_suspended(some))


def resume_sums(config: Config, peer: str, now: datetime) -> int:
    """Let no alert about a peer count any more; how many did. Raises NotFoundError where none did."""
    with open_store(database_url(config)).transaction("resume sums", write=True) as tx:
        lifted = rows.lift_alerts(tx, peer, now)
        if not lifted:
            raise NotFoundError(f"no alert about sums of {peer} counts", "see `heqiao peers alerts`")
        audit_log.append(tx, "sums_resumed", {"peer": peer, "alerts": lifted}, now)
    return lifted
