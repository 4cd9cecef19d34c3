"""Stored buckets with new entries in them, for an upsert or delete (design.md section 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from matcher import buckets
from matcher.suites.tokens import TAG_SIZE
from matcher.vectorised import Bytes
from node.compute.scratch import SealedScratch
from node.index.entries import (
    CutBucket,
    Pads,
    StoredEntries,
    altered,
    cut_buckets,
    join_stored,
    serve_entries,
)
from node.index.layout import Entries, Place
from node.index.token_blocks import Pointers


@dataclass(frozen=True, slots=True)
class BucketsToMerge:
    """Some stored buckets of a partition, the entries of the named subjects in them, other tags that leave
    each, and the pads that come.
    """

    place: Place
    origin: int
    bits: int
    stored: Mapping[int, StoredEntries]
    named: Entries = field(repr=False)
    leaving: Mapping[int, frozenset[bytes]] = field(repr=False)
    coming: Pads = field(repr=False)


@dataclass(frozen=True, slots=True)
class Merged:
    """A bucket as it is now: how many entries came, left and changed; `left` are pointers of entries that
    are no longer there or were written anew.
    """

    made: CutBucket
    added: int
    removed: int
    changed: int
    left: Pointers = field(repr=False)


def merge_buckets(_work: object, _scratch: SealedScratch, task: BucketsToMerge) -> Sequence[Merged]:
    """Each bucket without the subjects that are named or leave, and with what is named and shown.

    Raises UnavailableError where a stored entry has the pointer of another one's token.
    """
    places = buckets.places_of(task.named["prefix"], task.bits)
    return [
        _merge(task, number, stored, task.named[places == number])
        for number, stored in sorted(task.stored.items())
    ]


def _merge(task: BucketsToMerge, number: int, stored: StoredEntries, named: Entries) -> Merged:
    place, width, here = task.place, task.place.width, range(number, number + 1)
    old, kept = join_stored([stored], width)
    pointers, _ = buckets.read_kept(stored.kept, width)
    old_tags = tags_of(old)
    _require_fitting(place.item, named, dict(zip(old_tags, pointers.tolist(), strict=True)))
    new, coming = named[named["shown"] != 0], task.coming.within(task.bits, here)
    leaving = (set(tags_of(named["tag"])) | task.leaving.get(number, frozenset())) & set(old_tags)
    stay = np.fromiter((tag not in leaving for tag in old_tags), dtype=bool, count=len(old_tags))
    served = np.concatenate([serve_entries(place, task.origin, new, [stored]), coming.served])
    rows = np.concatenate([buckets.kept_rows(new["pointer"], new["record"]), coming.kept(width)])
    count = int(np.count_nonzero(stay)) + len(served)
    (made,) = cut_buckets(
        place,
        task.origin,
        np.concatenate([old[stay], served]),
        np.concatenate([kept[stay], rows]),
        np.full(count, number << (32 - task.bits), dtype=np.uint32),
        task.bits,
        here,
        {number: stored},
    )
    new_tags, before = set(tags_of(served)), set(map(bytes, old))
    after = {bytes(row)[:TAG_SIZE] for row in served if bytes(row) not in before}
    return Merged(
        made, len(new_tags - leaving), len(leaving - new_tags), len(after & leaving), pointers[~stay]
    )


def _require_fitting(item: str, named: Entries, stored: Mapping[bytes, int]) -> None:
    """The entries of the named subjects have their pointers, and nobody else's entry has one of these."""
    tag_of = {pointer: tag for tag, pointer in stored.items()}
    for tag, pointer in zip(tags_of(named["tag"]), named["pointer"].tolist(), strict=True):
        if stored.get(tag, pointer) != pointer or tag_of.get(pointer, tag) != tag:
            raise altered(item)


def tags_of(rows: Bytes) -> list[bytes]:
    """The tags that entries, or rows of tags, begin with."""
    data = np.ascontiguousarray(rows[:, :TAG_SIZE]).tobytes()
    return [data[at : at + TAG_SIZE] for at in range(0, len(data), TAG_SIZE)]
