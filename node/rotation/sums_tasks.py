"""Converts rows of sums to other keys, without source data (design.md section 6).

    S' = (k_s'/k_s) S       decrypt -> check slot of the old epoch -> pack with the new -> encrypt

A row stays in its group and keeps its day. Rows are kept in the order of their points, which are
pseudorandom: so under new points the order is another random one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from matcher import oprf
from matcher.errors import InconsistentError, MatcherError
from matcher.sums import paillier, slots
from matcher.sums.slots import CheckKey, Layout
from node.compute.scratch import Piece, SealedScratch
from node.credentials.sum_keys import SumKeys, encryptor
from node.database.sum_tables import Alias, NewBlock
from node.errors import UnavailableError
from node.index.sum_rows import Rows, parts_of, row_type
from node.wire.sum_messages import POINT

PART_ROWS = 1 << 15  # sorted in memory at once
BUFFER_BYTES = 1 << 26  # rows that wait in memory before they are sealed and written to scratch


@dataclass(frozen=True, slots=True)
class SumRekeying:
    """What every process of a rotation knows: both epochs, and what rows of each item look like."""

    old: SumKeys
    new: SumKeys
    layouts: Mapping[str, Layout]
    folder: Path
    scratch_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """A stored block of an item."""

    item: str
    block: NewBlock = field(repr=False)


def rekey_block(work: SumRekeying, _scratch: SealedScratch, task: Batch) -> Rows:
    """All rows of a block under the new keys. Raises UnavailableError for altered rows."""
    old, new = work.old.private, work.new.private
    count, layout = len(task.block.points) // POINT, work.layouts[task.item]
    before, after = (CheckKey.derive(keys.check, task.item, layout) for keys in (work.old, work.new))
    size = old.public.ciphertext_size
    stored = task.block.ciphertexts
    try:
        numbers = paillier.require_ciphertexts(
            old.public, [stored[at : at + size] for at in range(0, len(stored), size)]
        )
        plain = [open_row(work, layout, before, number) for number in numbers]
        points = move_points(work, task.block.points)
    except MatcherError:
        raise altered(task.item) from None
    if not len(plain) == count == len(task.block.days) // 4:
        raise altered(task.item)
    rows = np.zeros(count, dtype=row_type(new.public.ciphertext_size))
    rows["point"] = np.frombuffer(points, dtype="V32")
    rows["day"] = np.frombuffer(task.block.days, dtype="<i4")
    sealed = encryptor(work.new.primes).encrypt(slots.pack(layout, after, value) for value in plain)
    rows["ciphertext"] = np.frombuffer(b"".join(sealed), dtype=np.uint8).reshape(count, -1)
    return rows


def open_row(work: SumRekeying, layout: Layout, check: CheckKey, number: int) -> int:
    """The value of one row; it must be one row, as it was made here. Raises MatcherError."""
    private = work.old.private
    # A row is shorter than a prime, unless it has very many bands.
    is_short = layout.slots * slots.SLOT_BITS < private.p.bit_length()
    plain = (paillier.decrypt_short if is_short else paillier.decrypt)(private, number)
    value = slots.unpack(layout, plain).total
    if plain != slots.pack(layout, check, value):
        raise InconsistentError("not a row that was made with this key")
    return value


def move_points(work: SumRekeying, points: bytes) -> bytes:
    """Points of the next epoch for points of the one before."""
    return oprf.rekey(work.new.sum_key, work.old.sum_key, points)


def move_aliases(work: SumRekeying, found: Sequence[Alias]) -> list[Alias]:
    """Aliases of the next epoch: both points of each move."""
    moved = move_points(work, b"".join(one.alias + one.point for one in found))
    return [
        Alias(moved[at : at + POINT], moved[at + POINT : at + 2 * POINT], one.area)
        for at, one in zip(range(0, len(moved), 2 * POINT), found, strict=True)
    ]


class Sorter:
    """Sorts the rows of a group by their points, in bounded memory."""

    def __init__(self, scratch: SealedScratch, rows: int, ciphertext_size: int) -> None:
        """For a group of `rows` rows."""
        self._scratch, self._type = scratch, row_type(ciphertext_size)
        self._bits = (max(rows - 1, 0) // PART_ROWS).bit_length()
        self._waiting: list[list[Rows]] = [[] for _ in range(1 << self._bits)]
        self._pieces: list[list[Piece]] = [[] for _ in self._waiting]
        self._bytes = 0

    def add(self, rows: Rows) -> None:
        """Some rows. Raises UnavailableError when the disk is full."""
        numbers = parts_of(rows["point"], self._bits)
        for number in np.unique(numbers).tolist():
            self._waiting[number].append(rows[numbers == number])
        self._bytes += rows.nbytes
        if self._bytes >= BUFFER_BYTES:
            self._put_aside()

    def sorted(self) -> Iterator[Rows]:
        """All of them, a part at a time."""
        for pieces, waiting in zip(self._pieces, self._waiting, strict=True):
            read = [np.frombuffer(self._scratch.read(piece), dtype=self._type) for piece in pieces]
            if read or waiting:
                rows = np.concatenate([*read, *waiting])
                yield rows[np.argsort(rows["point"], kind="stable")]

    def _put_aside(self) -> None:
        for number, waiting in enumerate(self._waiting):
            if waiting:
                self._pieces[number].append(self._scratch.write(np.concatenate(waiting).tobytes()))
                waiting.clear()
        self._bytes = 0


def altered(item: str) -> UnavailableError:
    """A stored row does not open under the keys it was stored under."""
    return UnavailableError(
        f"{item}: the stored rows of sums do not fit the keys of their epoch or the catalogue",
        "the database or the key store was altered, they are of different times, or the bands of the item "
        "changed: restore both from one backup, or import the item again; the epoch that is served stays "
        "as it is",
    )
