"""A node whose imports give other bytes for the same facts, where a test needs a new version."""

from dataclasses import replace

from node.context import Node
from node.credentials.keyring import KeyRing


def renumbered(node: Node, number: int) -> Node:
    """The same node with another record key: the same answers, other record numbers."""
    return replace(node, ring=KeyRing.fixed(replace(node.keys, record=bytes([number]) * 32)))
