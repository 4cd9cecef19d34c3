"""Removes the tokens of identities of which nothing is held any more (design.md section 3.1).

A rotation does it once its epoch is current, under the lock that imports wait for. Every entry of the
epoch is in a current partition then, so a slot to which none of them points is free.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from keys.errors import StoreDamagedError
from matcher import buckets
from matcher.types import TokenClass
from node.context import Node
from node.database import partitions as index_rows
from node.database import token_blocks
from node.database.partitions import PartitionRow
from node.index.entries import altered
from node.index.partition_writer import PartitionWriter
from node.index.token_blocks import (
    MOST_SLOTS,
    PREFIXES,
    SLOT_BITS,
    SLOT_SIZE,
    Pointers,
    are_pads,
    clear_slots,
)
from node.index.token_store import TokenStore

_AT_ONCE = 64  # buckets in memory at once


def clear_unreferenced(node: Node, epoch: int) -> None:
    """Zero every slot of an epoch to which no current partition points. Raises UnavailableError."""
    with node.store.transaction("find partitions") as tx:
        parts = index_rows.partitions_of_epoch(tx, epoch)
    for token_class in TokenClass:
        _clear(node, token_class, epoch, [part for part in parts if part.token_class is token_class])


def _clear(node: Node, token_class: TokenClass, epoch: int, parts: list[PartitionRow]) -> None:
    store = TokenStore(node, token_class, epoch)
    with node.store.transaction("measure tokens") as tx:
        lengths = token_blocks.block_lengths(tx, token_class, epoch)
    slots = np.zeros(PREFIXES + 1, dtype=np.int64)
    for prefix, length in lengths.items():
        slots[prefix + 1] = length // SLOT_SIZE  # what seals a block is shorter than a slot
    first = np.cumsum(slots)
    referenced = _find_referenced(node, parts, first)
    for prefixes in store.ranges():
        held = store.read(prefixes)
        cleared = {
            prefix: clear_slots(content, referenced[first[prefix] : first[prefix + 1]])
            for prefix, content in held.items()
        }
        # Only under the lock: what another run might write now would be kept by its version.
        store.write({prefix: content for prefix, content in cleared.items() if content != held[prefix]})


def _find_referenced(node: Node, parts: list[PartitionRow], first: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which slots are pointed to; those of a prefix begin at its place in `first`."""
    found = np.zeros(int(first[-1]), dtype=bool)
    for part in parts:
        for pointers in _pointers_of(node, part):
            people = pointers[~are_pads(pointers)]
            prefixes, slots = people >> SLOT_BITS, people & MOST_SLOTS
            there = first[prefixes] + slots
            if (there >= first[prefixes + 1]).any():
                raise altered(part.item)
            found[there] = True
    return found


def _pointers_of(node: Node, part: PartitionRow) -> Iterator[Pointers]:
    writer = PartitionWriter(node, part.item, part.token_class, part.epoch)
    for at in range(0, 1 << part.bits, _AT_ONCE):
        with node.store.transaction("read pointers") as tx:
            rows = index_rows.read_kept(
                tx, part.cut, part.version, range(at, min(at + _AT_ONCE, 1 << part.bits))
            )
        for number, sealed in rows:
            try:
                kept = writer.unseal_kept(int(part.origin), number, sealed)
            except StoreDamagedError:
                raise altered(part.item) from None
            yield buckets.read_kept(kept, part.width)[0]
