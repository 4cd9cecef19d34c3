"""Entries and links in memory and in scratch files: fixed sizes, one numpy type each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher import buckets
from matcher.suites.suite import CURRENT, Suite
from matcher.suites.tokens import TAG_SIZE
from node.credentials.sum_keys import SumKeys
from node.index.people import ReadOptions


def entry_type(width: int) -> np.dtype[np.void]:
    """An entry of an item whose value has `width` bytes.

    `shown` is 0 for a record that discloses nothing: a delta import must know its tag too.
    """
    return np.dtype(
        [
            ("origin", "u1"),
            ("shown", "u1"),
            ("served", "u1", buckets.entry_size(width)),
            ("kept", "u1", buckets.POINT_ROW_SIZE),
        ]
    )


# Little endian, as ROW: joining arrays would change another byte order.
# Two entries of one record: an entry's tag, and where another entry of the same record is.
TAG = f"V{TAG_SIZE}"
LINK = np.dtype(
    [
        ("tag", TAG),
        ("place", "u1"),
        ("prefix", "<u4"),
        ("other", TAG),
        ("origin", "u1"),
        ("at", "<u4"),
    ]
)


Entries = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """What every process of a run needs.

    `every`: also index records that disclose nothing; `hidden`: index all of them as such, because the rows
    only name subjects. `oprf` is the key of the item's class, `sums` those of encrypted sums, for an item
    that has them. Entries are made in `suite`. `record_key` gives the record numbers, `pad_key` the pads.
    """

    terms: ReadOptions
    epoch: int
    oprf: bytes = field(repr=False)
    folder: Path
    scratch_key: bytes = field(repr=False)
    record_key: bytes = field(repr=False)
    pad_key: bytes = field(repr=False)
    part_bits: int
    every: bool
    hidden: bool
    sums: SumKeys | None = field(default=None, repr=False)
    suite: Suite = CURRENT

    @property
    def entry(self) -> np.dtype[np.void]:
        """An entry of this item."""
        return entry_type(self.terms.item.width)

    @property
    def parts(self) -> int:
        """How many parts the rows are split into."""
        return 1 << self.part_bits


def split(keys: NDArray[np.integer]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each different key with the places where it is."""
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    for key, which in zip(found.tolist(), np.split(order, starts[1:]), strict=True) if len(keys) else ():
        yield int(key), which
