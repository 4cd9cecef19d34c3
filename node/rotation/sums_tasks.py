"""Converts rows of sums to other keys, from their sealed values (design.md section 6).

    S' = (k_s'/k_s) S       value -> pack with the new check slot -> encrypt

Nothing is decrypted. A row stays in its group and keeps its day. Rows are kept in the order of their points,
which are pseudorandom: so under new points the order is another random one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher import oprf
from node.compute.scratch import Piece, SealedScratch
from node.credentials.sum_keys import SumKeys
from node.database.sum_tables import Alias
from node.domain.sum_rules import SumRule
from node.index.sum_rows import Rows, encrypt_rows, fits, parts_of, row_type
from node.wire.sum_messages import POINT

PART_ROWS = 1 << 15  # sorted in memory at once
BUFFER_BYTES = 1 << 26  # rows that wait in memory before they are sealed and written to scratch


@dataclass(frozen=True, slots=True)
class SumRekeying:
    """What every process of a rotation knows: the sum key before, the next keys, the rule of each item."""

    before: bytes = field(repr=False)
    new: SumKeys
    rules: Mapping[str, SumRule]
    folder: Path
    scratch_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some stored rows of an item: points, days and values, one of each a row."""

    item: str
    points: bytes = field(repr=False)
    days: NDArray[np.int32] = field(repr=False)
    values: NDArray[np.uint64] = field(repr=False)


def rekey_rows(work: SumRekeying, _scratch: SealedScratch, task: Batch) -> Rows:
    """Some rows under the new keys, as a full import by the rule of now would make them."""
    rule = work.rules[task.item]
    made = fits(rule, task.values)
    rows = np.zeros(np.count_nonzero(made), dtype=row_type(work.new.private.public.ciphertext_size))
    rows["point"] = np.frombuffer(move_points(work, task.points), dtype=f"V{POINT}")[made]
    rows["day"], rows["value"] = task.days[made], task.values[made]
    rows["ciphertext"] = encrypt_rows(work.new, task.item, rule, rows["point"], rows["value"])
    return rows


def move_points(work: SumRekeying, points: bytes) -> bytes:
    """Points of the next epoch for points of the one before."""
    return oprf.rekey(work.new.sum_key, work.before, points)


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
