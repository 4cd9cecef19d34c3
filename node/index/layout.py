"""Entries and links in memory and in scratch files: fixed sizes, one numpy type each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher import batch, label
from matcher.suites.suite import CURRENT, DIGEST_SIZE, Suite
from matcher.suites.tokens import LABEL_KEY_SIZE, TAG_SIZE
from node.credentials.sum_keys import SumKeys
from node.index.people import ReadOptions

Entries = NDArray[np.void]
PART_ROWS = 1 << 16  # rows, or tokens, of one part
MOST_PART_BITS = 8


def draft_type(width: int) -> np.dtype[np.void]:
    """An identity with the plain record of an item whose value has `width` bytes, before it has a token.

    `shown` is 0 for a record that discloses nothing: a delta import must find its old entry too. `group` is
    the same for all identities of one record, 0 for a record with a single one.
    """
    return np.dtype(
        [
            ("origin", "u1"),
            ("shown", "u1"),
            ("group", "<u4"),
            ("digest", "u1", DIGEST_SIZE),
            ("id_type", "u1"),
            ("value", "u1", batch.VALUE_SIZE),
            ("record", "u1", label.record_size(width)),
        ]
    )


def entry_type(width: int) -> np.dtype[np.void]:
    """An entry to be sealed: `pointer` says where its token is, `tag` and `key` are made from the token."""
    return np.dtype(
        [
            ("origin", "u1"),
            ("shown", "u1"),
            ("prefix", "<u4"),
            ("pointer", "<u4"),
            ("tag", "u1", TAG_SIZE),
            ("key", "u1", LABEL_KEY_SIZE),
            ("record", "u1", label.record_size(width)),
        ]
    )


# Entries of records that have several.
MEMBER = np.dtype([("group", "<u4"), ("origin", "u1"), ("prefix", "<u4"), ("pointer", "<u4")])
# As it is kept beside a bucket: an entry in it, and another entry of the same record.
LINK = np.dtype([("pointer", ">u4"), ("origin", "u1"), ("other", ">u4")])
# The same with the partition and the prefix of the first entry. Its bytes are not a LINK, since joining
# arrays would change their byte order.
PLACED_LINK = np.dtype([("place", "u1"), ("prefix", "<u4"), ("link", "u1", LINK.itemsize)])


@dataclass(frozen=True, slots=True)
class Place:
    """Which entries: of an item whose values have `width` bytes, under an epoch."""

    item: str
    width: int
    epoch: int

    @property
    def entry(self) -> np.dtype[np.void]:
        """The type of one."""
        return entry_type(self.width)


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """What every process of a run needs.

    `every`: also index records that disclose nothing; `hidden`: index all of them as such, because the rows
    only name subjects. `oprf` is the key of the item's class, `other_oprf` that of the other class, `sums`
    those of encrypted sums, for an item that has them. Entries are made in `suite`. `record_key` gives the
    record numbers, `pad_key` the pads.
    """

    terms: ReadOptions
    epoch: int
    oprf: bytes = field(repr=False)
    other_oprf: bytes = field(repr=False)
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
    def place(self) -> Place:
        """The entries that it makes."""
        return Place(self.terms.item.code, self.terms.item.width, self.epoch)

    @property
    def parts(self) -> int:
        """How many parts the rows are split into."""
        return 1 << self.part_bits


def part_bits(rows: int) -> int:
    """How many bits of the prefix rows, or tokens, are split by into parts that memory has room for."""
    return min((max(rows // PART_ROWS, 1) - 1).bit_length(), MOST_PART_BITS)


def parts_of(prefixes: NDArray[np.integer], bits: int) -> NDArray[np.int64]:
    """The part of each 32-bit prefix."""
    return (prefixes.astype(np.uint64) >> np.uint64(32 - bits)).astype(np.int64)


def split(keys: NDArray[np.integer]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each different key with the places where it is."""
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    for key, which in zip(found.tolist(), np.split(order, starts[1:]), strict=True) if len(keys) else ():
        yield int(key), which
