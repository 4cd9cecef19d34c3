"""Who a caller of the platform port is: the node itself, or a platform with its own jobs and records."""

from node.context import Node
from node.domain.job_access import NODE_ACCESS, JobAccess, platform_access
from node.transport.interceptors import Call


def access_of(node: Node, call: Call) -> JobAccess:
    """What the caller owns and may see."""
    if call.caller.role == "node":
        return NODE_ACCESS
    return platform_access(call.caller.name, node.config.platform.readers)
