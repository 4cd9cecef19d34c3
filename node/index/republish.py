"""Publishes all partitions anew under higher versions, after a database was restored from a backup.

Peers have seen later versions than a restored database holds, and refuse a manifest that goes back.
"""

from node.context import Node
from node.database import Connection, partition_versions
from node.database import audit_log as audit_rows
from node.index.update_lock import open_workspace


def republish(node: Node, *, wait: bool = False) -> int:
    """Give every current partition a new version with the same bytes; return how many there are.

    Raises ConflictError while an import or rotation runs, unless it is to `wait`; UnavailableError.
    """
    now = node.clock()

    def write(tx: Connection) -> int:
        count = partition_versions.raise_versions(tx, now)
        audit_rows.append(tx, "partitions_republished", {"partitions": count}, now)
        return count

    with open_workspace(node, wait=wait):
        return node.store.retry_write("republish", write)
