"""Who acts, judged again where a change is written: between a call and its write a person can leave."""

from node.context import Node
from node.database import Connection
from node.domain.users import Person, Role
from node.governance.accounts import People, require_acting


def people_of(node: Node) -> People:
    """The accounts of a node."""
    return People(node.store, node.keys.vault, node.keys.digest_key, node.config.users)


def require_still(tx: Connection, node: Node, by: Person, role: Role) -> None:
    """`require_acting` for a node. Raises SessionEndedError."""
    require_acting(tx, people_of(node), by, role, node.clock())
