"""Entries read back from what is stored of a partition, without any key but the storage key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from keys.errors import StoreDamagedError
from matcher import buckets, merkle
from matcher.errors import BucketError
from matcher.suites.tokens import TAG_SIZE
from node.compute.scratch import Piece, SealedScratch
from node.context import Node
from node.database import partitions as index_rows
from node.database.partitions import PartitionRow
from node.index.entries import Pads, StoredEntries, join_stored, set_keys, write_parts
from node.index.layout import Entries, Place
from node.index.partition_writer import PartitionWriter
from node.index.token_blocks import TokenTable, are_pads, prefix_of

BATCH_ENTRIES = 1 << 14  # entries of one task
_BUCKETS_AT_ONCE = 512  # of one task


@dataclass(frozen=True, slots=True)
class StoredBuckets:
    """Neighbouring buckets of one partition, and the pads that belong into them."""

    place: Place
    origin: int
    bits: int
    stored: Mapping[int, StoredEntries] = field(repr=False)
    nobody: Pads


@dataclass(frozen=True, slots=True)
class OpenedBuckets:
    """The same with their links; `whole`: all were there, opened, and had the digests of their version."""

    buckets: StoredBuckets
    links: Mapping[int, bytes] = field(repr=False)
    whole: bool


def read_partition(
    node: Node, writer: PartitionWriter, part: PartitionRow, pad_key: bytes
) -> Iterator[OpenedBuckets]:
    """All buckets of a version, some neighbouring ones at a time."""
    place, code, count = Place(part.item, part.width, part.epoch), int(part.origin), 1 << part.bits
    nobody = Pads.draw(pad_key, place, code, range(part.pads))
    step = min(max(BATCH_ENTRIES * count // max(part.entries, 1), 1), _BUCKETS_AT_ONCE)
    with node.store.transaction("read digests") as tx:
        leaves = index_rows.read_leaves(tx, part.id)
    for first in range(0, count, step):
        numbers = range(first, min(first + step, count))
        with node.store.transaction("read buckets") as tx:
            rows = index_rows.read_cut(tx, part.cut, part.version, numbers)
        stored, links, whole = {}, {}, len(rows) == len(numbers)
        for row in rows:
            try:
                kept, links[row.number] = writer.unseal(code, row)
            except StoreDamagedError:
                whole = False
                continue
            at = slice(row.number * merkle.DIGEST_SIZE, (row.number + 1) * merkle.DIGEST_SIZE)
            whole = whole and buckets.bucket_leaf(row.number, row.entries) == leaves[at]
            stored[row.number] = StoredEntries(row.entries, kept)
        mine = nobody.within(part.bits, numbers)
        yield OpenedBuckets(StoredBuckets(place, code, part.bits, stored, mine), links, whole)


@dataclass(frozen=True, slots=True)
class EntriesToCopy:
    """Stored buckets, and how many bits their entries are split by."""

    buckets: StoredBuckets
    part_bits: int


def copy_entries(
    _work: object, scratch: SealedScratch, task: EntriesToCopy
) -> list[tuple[int, Piece]] | None:
    """The entries of people in stored buckets, by part; None as `open_people`."""
    entries = open_people(task.buckets)
    return None if entries is None else write_parts(scratch, entries, entries["prefix"], task.part_bits)


def open_people(task: StoredBuckets) -> Entries | None:
    """The entries of people with their tags as stored and without keys.

    None where the pads are not those that belong there, or something has another form.
    """
    known, width = [task.stored[number] for number in sorted(task.stored)], task.place.width
    try:
        served, kept = join_stored(known, width)
        counts = [len(buckets.read_kept(each.kept, width)[0]) for each in known]
    except (BucketError, ValueError):
        return None
    if len(served) != len(kept):
        return None
    pointers = np.ascontiguousarray(kept[:, :4]).view(">u4").ravel().astype(np.uint32)
    pads = are_pads(pointers)
    if sorted(map(bytes, served[pads])) != sorted(map(bytes, task.nobody.served)):
        return None
    numbers = np.repeat(np.array(sorted(task.stored), dtype=np.uint32), counts)[~pads]
    found = np.zeros(len(numbers), dtype=task.place.entry)
    found["origin"], found["shown"], found["pointer"] = task.origin, 1, pointers[~pads]
    found["tag"], found["record"] = served[~pads, :TAG_SIZE], kept[~pads, buckets.POINTER_SIZE :]
    # The number of a bucket may have one bit more than the prefix in the pointer.
    own = numbers.astype(np.uint64) << np.uint64(32 - task.bits)
    found["prefix"] = prefix_of(pointers[~pads]) | own.astype(np.uint32)
    return found


def find_tokens(place: Place, entries: Entries, table: TokenTable) -> NDArray[np.int64]:
    """The row of each entry's token in a table; -1 where there is none, or one that does not give its tag."""
    rows = table.follow(entries["pointer"])
    there = np.flatnonzero(rows >= 0)
    given = entries[there]
    set_keys(given, place, table.slots.tokens[rows[there]])
    rows[there[(given["tag"] != entries["tag"][there]).any(axis=1)]] = -1
    return rows
