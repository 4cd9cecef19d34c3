"""Keys and certificates read again on request."""

from keys import KeyringError
from node.context import Node
from node.errors import NodeError
from node.telemetry import log


def reload_keys(node: Node) -> None:
    """Read keys, certificates, trusted roots and revocations again. What cannot be read is logged, and the
    process keeps what it has.

    All of it is also read when its files change; the log file is followed by every line that is written.
    """
    try:
        node.ring.reload()
    except (NodeError, KeyringError) as error:
        log.get_logger().error("reload", status="failed", reason=str(error))
    else:
        log.get_logger().info("reload", status="done", epoch=node.keys.epoch)
    node.revocations.reload()
