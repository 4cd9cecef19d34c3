"""Finds the entry that a tag names in what this node serves, without any identity number."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from keys.errors import StoreDamagedError
from matcher import buckets, label
from matcher.correction import PLACE_BITS
from matcher.suites.suite import CURRENT
from matcher.suites.tokens import TAG_SIZE
from matcher.suites.x25519 import POINT_SIZE
from node.context import Node
from node.database import partitions as index_rows
from node.domain.sealed_names import of_bucket
from node.index.entries import altered
from node.index.token_blocks import PREFIX_BITS, SLOT_BITS, TokenTable
from node.index.token_store import TokenStore

_DATE = slice(2, 4)  # of a plain record
_NOBODY: Final = (buckets.PAD, b"\0")


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """A person's entry: the placing digest of the identity (16 bytes), the key of the label, and what the
    label discloses. `day` is in days since 1970-01-01.
    """

    digest: bytes = field(repr=False)
    label_key: bytes = field(repr=False)
    value: int = field(repr=False)
    day: int


def find_entry(node: Node, item: str, origin: str, epoch: int, place: int, tag: bytes) -> FoundEntry | None:
    """The entry with a tag, in the bucket that `place` (13 bits of the placing digest) says.

    None where there is none, or it is of nobody: a pad, or a planted subject. One bucket and one block of
    tokens are read in every case, so that the time tells nobody which tags of a mirror are pads. Raises
    UnavailableError where what is stored was altered.
    """
    with node.store.transaction("find entry") as tx:
        part = index_rows.current_partition(tx, item, origin, epoch)
        if part is None:
            return None
        rows = index_rows.read_cut(tx, part.cut, part.version, [place >> (PLACE_BITS - part.bits)])
    prefix = place >> (PLACE_BITS - PREFIX_BITS)
    table = TokenTable(TokenStore(node, part.token_class, part.epoch).read([prefix]))
    try:
        pointer, record = _find(node, part, rows[0], tag) if rows else _NOBODY
    except StoreDamagedError:
        raise altered(item) from None
    slot = int(table.follow(np.array([pointer], dtype=np.uint32))[0]) if pointer != buckets.PAD else -1
    none = np.zeros((1, POINT_SIZE), dtype=np.uint8)
    token = table.slots.tokens[slot : slot + 1] if slot >= 0 else none
    tags, keys = CURRENT.entry_keys(token, item, epoch)
    if pointer == buckets.PAD or record[0] & label.PLANTED or pointer >> SLOT_BITS != prefix:
        return None
    if slot < 0 or bytes(tags[0]) != tag:
        raise altered(item)
    day = int.from_bytes(record[_DATE], "big")
    value = int.from_bytes(record[4 : 4 + part.width], "big") if part.width else 1
    return FoundEntry(bytes(table.slots.digests[slot]), bytes(keys[0]), value, day or part.date)


def _find(
    node: Node, part: index_rows.PartitionRow, stored: index_rows.StoredBucket, tag: bytes
) -> tuple[int, bytes]:
    """The pointer and the plain record of a tag in a bucket; the pointer of nobody where it has none."""
    size = buckets.entry_size(part.width)
    served = np.frombuffer(stored.entries, dtype=np.uint8).reshape(-1, size)
    sealed_place = of_bucket("kept", part.item, int(part.origin), part.epoch, stored.number)
    kept = node.keys.vault.unseal(sealed_place, stored.kept_sealed)
    pointers, records = buckets.read_kept(kept, part.width)
    rows = np.flatnonzero((served[:, :TAG_SIZE] == np.frombuffer(tag, dtype=np.uint8)).all(axis=1))
    return (int(pointers[rows[0]]), bytes(records[rows[0]])) if len(rows) else _NOBODY
