"""Items whose rows of sums are packed by another rule than that of the catalogue and this release.

Such rows are not offered to peers; a full import makes them anew, as does a rotation of the keys of sums.
"""

from node.context import Node
from node.database import sum_epoch_switch


def outdated_sums(node: Node) -> list[str]:
    """The codes of items with such rows in the active epoch of sums, in order."""
    if node.keys.sums is None:
        return []
    packings = {item.code: item.sum.packing for item in node.catalogue.items if item.sum is not None}
    with node.store.transaction("find groups of sums") as tx:
        groups = sum_epoch_switch.current_groups(tx, node.keys.sums.epoch, packings)
    return sorted({group.item for group in groups if group.packing != packings[group.item]})
