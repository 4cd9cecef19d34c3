"""What this node's items are defined as, for a peer that compares catalogues (docs/catalogue.md)."""

from collections.abc import Sequence

from node.context import Node
from node.domain.catalogue_items import described


def describe_items(node: Node, items: Sequence[str]) -> list[bytes]:
    """The bytes that the definition digest of each item covers; empty for one that peers are not offered."""
    found = (node.catalogue.find(code) for code in items)
    return [described(item) if item is not None and item.is_shared else b"" for item in found]
