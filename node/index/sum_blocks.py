"""Blocks of rows of sums as they are stored, each with the values of its rows sealed beside them.

A rotation encrypts from the sealed values, so nothing is ever decrypted for it (docs/adr/0009). The seal has
the block's place and a digest of its rows as associated data: values open only beside the very points, days
and ciphertexts that they were stored with, so it is also what finds damage to those.
"""

from collections.abc import Iterator

import numpy as np
from blake3 import blake3

from keys.errors import StoreDamagedError, StoreVersionError
from keys.store.vault import Vault
from matcher.sums.cohort import interleave
from node.context import Node
from node.database import sum_tables
from node.database.sum_tables import GroupRow, NewBlock, NewGroup
from node.errors import UnavailableError
from node.index.sum_rows import Rows, row_type
from node.wire.sum_messages import POINT

_DAY, _VALUE = "<i4", "<u8"


def seal_block(vault: Vault, group: NewGroup, number: int, rows: Rows) -> NewBlock:
    """Block `number` of a group that is being written: up to BLOCK_ROWS rows in order of points."""
    points, ciphertexts = rows["point"].tobytes(), rows["ciphertext"].tobytes()
    days, values = rows["day"].astype(_DAY).tobytes(), rows["value"].astype(_VALUE).tobytes()
    place = place_of(group, number, points, days, ciphertexts)
    return NewBlock(number, points, days, ciphertexts, vault.seal(place, values))


def read_rows(node: Node, group: GroupRow) -> Iterator[Rows]:
    """All rows of a group with their values, a block at a time.

    Raises UnavailableError for damage, at the latest after the last block: nothing may be published before.
    """
    digest, count, number = blake3(), 0, 0
    while True:
        with node.store.transaction("read rows of sums") as tx:
            block = sum_tables.read_block(tx, group.id, number)
        if block is None:
            break
        rows = _open_block(node.keys.vault, group, block)
        digest.update(interleave(block.points, block.ciphertexts, POINT, rows["ciphertext"].shape[1]))
        count += len(rows)
        number += 1
        yield rows
    if count != group.rows or digest.digest() != group.digest:
        raise damaged(group)


def _open_block(vault: Vault, group: GroupRow, block: NewBlock) -> Rows:
    place = place_of(group, block.number, block.points, block.days, block.ciphertexts)
    try:
        opened = vault.unseal(place, block.values_sealed)
    except (StoreDamagedError, StoreVersionError):
        raise damaged(group) from None
    count = len(block.points) // POINT
    if not count or len(opened) != count * np.dtype(_VALUE).itemsize:
        raise damaged(group)
    rows = np.zeros(count, dtype=row_type(len(block.ciphertexts) // count))
    rows["point"] = np.frombuffer(block.points, dtype=f"V{POINT}")
    rows["day"] = np.frombuffer(block.days, dtype=_DAY)
    rows["value"] = np.frombuffer(opened, dtype=_VALUE)
    rows["ciphertext"] = np.frombuffer(block.ciphertexts, dtype=np.uint8).reshape(count, -1)
    return rows


def damaged(group: GroupRow) -> UnavailableError:
    """Stored rows are not as they were written, some are missing, or they are of another home."""
    return UnavailableError(
        f"{group.item}, area {group.prefix}: the stored rows of sums are damaged",
        f"import the item in full, which makes its rows anew: `heqiao import {group.item} FILE`; or restore "
        "the database and the key store from one backup. Until then what is served stays as it is",
    )


def place_of(group: NewGroup | GroupRow, number: int, points: bytes, days: bytes, ciphertexts: bytes) -> str:
    """Where values belong: the block, and by digest the rows in it."""
    columns = b"".join(blake3(column).digest() for column in (points, days, ciphertexts))
    digest = blake3(columns).hexdigest()
    return f"sum values {group.item} {group.prefix} {group.epoch} {number} {digest}"
