"""How many identities a node holds tokens of, and how many tokens."""

import numpy as np

from matcher.types import TokenClass
from node.context import Node
from node.database import partitions as index_rows
from node.database.token_blocks import prefix_ranges
from node.index.token_blocks import unpack
from node.index.token_store import TokenStore


def count_tokens(node: Node, epoch: int) -> tuple[int, dict[TokenClass, int]]:
    """Identities of people in an epoch, however many items and classes, and the tokens of each class.

    The tokens of planted subjects are among them. Raises UnavailableError for tokens that do not open.
    """
    stores = {each: TokenStore(node, each, epoch) for each in TokenClass}
    identities, tokens = 0, dict.fromkeys(TokenClass, 0)
    with node.store.transaction("find tokens") as tx:
        ranges = prefix_ranges(tx, epoch)
    for prefixes in ranges:
        held = [np.zeros(0, dtype="V16")]
        for each, store in stores.items():
            for content in store.read(prefixes).values():
                block = unpack(content)
                digests = block.digests[block.used]
                tokens[each] += len(digests)
                held.append(digests.view("V16").ravel())
        identities += len(set(np.concatenate(held).tolist()))
    with node.store.transaction("count planted subjects") as tx:
        parts = index_rows.partitions_of_epoch(tx, epoch)
    return identities - sum(len(part.planted) for part in parts), tokens
