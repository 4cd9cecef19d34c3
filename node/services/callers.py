"""Who calls the platform port, and what of whose jobs it may see."""

from node.context import Node
from node.domain.job_access import NODE_ACCESS, JobAccess, platform_access
from node.transport.interceptors import Call


def access_of(node: Node, call: Call) -> JobAccess:
    """The rights of a caller: the node's own certificate has all, a platform those over its own jobs."""
    if call.caller.role == "node":
        return NODE_ACCESS
    return platform_access(call.caller.name, node.config.platform.readers)
