"""When peers are offered what upserts and deletes changed: at once, or once a day (design.md 3.3).

Changes of a day become current as they come, so the next import builds on them, and wait as served versions:
nothing but sealed entries waits. Until they are offered, manifests and fetches are of the version before.
"""

from node.context import Node
from node.database import Connection, partition_versions
from node.database import audit_log as audit_rows
from node.domain.days import latest_at


def gathers(node: Node) -> bool:
    """Whether changes wait for a time of day."""
    return node.config.index.publish_time is not None


def offer_due(node: Node, tx: Connection) -> int:
    """Offer the changes from before the last time of day at which they are due; all, where none wait.

    Returns how many partitions. They are one audit event (`changes_offered`).
    """
    now, clock = node.clock(), node.config.index.publish_time
    offered = partition_versions.offer(tx, now, before=None if clock is None else latest_at(now, clock))
    if offered:
        audit_rows.append(tx, "changes_offered", {"partitions": offered}, now)
    return offered
