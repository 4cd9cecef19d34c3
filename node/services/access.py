"""What a caller of the platform port may see and change."""

from node.context import Node
from node.domain.job_access import NODE_ACCESS, JobAccess, platform_access
from node.transport.interceptors import Call


def access_of(node: Node, call: Call) -> JobAccess:
    """The node's own certificate sees and changes everything, a platform what it owns and may read."""
    if call.caller.role == "node":
        return NODE_ACCESS
    return platform_access(call.caller.name, node.config.platform.readers)
