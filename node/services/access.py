"""Who a caller of the platform port is: the node itself, a platform or a person, and what each may see."""

from node.context import Node
from node.database.users import list_units
from node.domain.job_access import NODE_ACCESS, JobAccess, person_access, platform_access
from node.errors import RefusedError
from node.transport.interceptors import Call


def access_of(node: Node, call: Call) -> JobAccess:
    """What jobs the caller may see and change."""
    if call.person is not None:
        with node.store.transaction("read units") as tx:
            return person_access(call.person, list_units(tx))
    if call.caller.role == "node":
        return NODE_ACCESS
    return platform_access(call.caller.name, node.config.platform.readers)


def require_approval(node: Node, call: Call) -> None:
    """Where node.toml says so, a person alone asks nobody. Raises RefusedError (rule `approval`)."""
    if call.person is not None and node.config.users.approval:
        raise RefusedError(
            "another person approves what you prepare", "send a draft for approval", {"rule": "approval"}
        )
