"""Converts buckets to another OPRF key, without source data (design.md section 6).

    T' = (k'/k) T   old label key -> record -> new label key   buckets sorted anew

A bucket keeps its number and its people, since buckets are cut by identity and not by tag: only the
order within it changes. So any batch of whole buckets can be a task.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher import batch
from matcher.errors import LabelError
from matcher.suites.suite import CURRENT
from matcher.suites.tokens import TAG_SIZE
from matcher.types import TokenClass
from matcher.vectorised import Bytes
from node.compute.scratch import SealedScratch
from node.errors import UnavailableError
from node.index.entries import CutBucket, are_pads, cut_buckets, join_loose, seal_entries
from node.index.layout import LINK, TAG, entry_type


@dataclass(frozen=True, slots=True)
class Rekeying:
    """What every process of a rotation needs: both epochs with the keys that class keys derive from."""

    old_epoch: int
    old: bytes = field(repr=False)
    new_epoch: int
    new: bytes = field(repr=False)
    folder: Path
    scratch_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """Whole buckets of one partition, in order: served bytes and points of each.

    `pads_before` are the pads among them, `pads` those of the next epoch: rows of `entry_type(width)`.
    """

    item: str
    token_class: TokenClass
    origin: int
    width: int
    bits: int
    first: int
    pads_before: bytes = field(repr=False)
    pads: bytes = field(repr=False)
    buckets: Sequence[tuple[bytes, bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """The same buckets under the new key."""

    buckets: Sequence[CutBucket] = field(repr=False)


def rekey_batch(work: Rekeying, scratch: SealedScratch, task: Batch) -> Rekeyed:  # noqa: ARG001
    """All entries of some buckets under the new key. Raises UnavailableError for altered entries."""
    served, kept = join_loose(task.buckets, task.width)
    people = ~are_pads(kept)
    before = np.frombuffer(task.pads_before, dtype=entry_type(task.width))["served"]
    if sorted(map(bytes, served[~people])) != sorted(map(bytes, before)):
        raise altered(task.item)
    served, kept = served[people], kept[people]
    tokens = kept[:, :32]
    tags, keys = CURRENT.entry_keys(tokens, task.item, work.old_epoch)
    if not np.array_equal(tags, served[:, :TAG_SIZE]):
        raise altered(task.item)
    origins = np.full(len(served), task.origin, dtype=np.uint8)
    try:
        place = batch.associated_data(task.item, origins, work.old_epoch, tags)
        records = CURRENT.open_labels(keys, served[:, TAG_SIZE:], place)
    except LabelError:
        raise altered(task.item) from None
    tokens = next_points(work, task.token_class, tokens)
    moved = seal_entries(CURRENT, task.item, origins, work.new_epoch, tokens, records)
    pads = np.frombuffer(task.pads, dtype=entry_type(task.width))
    served = np.concatenate([moved, pads["served"]])
    kept = np.concatenate([np.hstack([tokens, kept[:, 32:]]), pads["kept"]])
    numbers = range(task.first, task.first + len(task.buckets))
    made = cut_buckets(task.origin, served, kept, task.bits, numbers)
    return Rekeyed(list(made))


def next_points(work: Rekeying, token_class: TokenClass, tokens: Bytes) -> Bytes:
    """Points (n, 32) of the next epoch for points of the one before, of one class."""
    new, old = (CURRENT.class_key(key, token_class) for key in (work.new, work.old))
    return CURRENT.rekey(new, old, tokens)


def new_tags(work: Rekeying, item: str, token_class: TokenClass, tokens: Bytes) -> Bytes:
    """Tags of the next epoch for points (n, 32) of the one before."""
    return CURRENT.entry_keys(next_points(work, token_class, tokens), item, work.new_epoch)[0]


class LinkMap:
    """New tags of all entries of an item that are linked with another: links name entries by their tags."""

    def __init__(self, work: Rekeying, item: str, token_class: TokenClass) -> None:
        """Without any yet."""
        self._work, self._item, self._class = work, item, token_class
        self._old: list[bytes] = []
        self._points: list[bytes] = []
        self._tags = np.zeros(0, dtype=f"S{2 * TAG_SIZE}")
        self._new = np.zeros((0, TAG_SIZE), dtype=np.uint8)

    def add(self, links: bytes, served: bytes, kept: bytes, width: int) -> None:
        """The links of one bucket, whose entries hold the points of those they start from."""
        entries, points = join_loose([(served, kept)], width)
        wanted = np.ascontiguousarray(np.frombuffer(links, dtype=LINK)["tag"]).view(np.uint8)
        here = np.isin(_words(entries[:, :TAG_SIZE]), _words(wanted.reshape(-1, TAG_SIZE)))
        self._old.append(entries[here, :TAG_SIZE].tobytes())
        self._points.append(points[here, :32].tobytes())

    def close(self) -> None:
        """After the last bucket: find the new tags."""
        old = np.frombuffer(b"".join(self._old), dtype=np.uint8).reshape(-1, TAG_SIZE)
        points = np.frombuffer(b"".join(self._points), dtype=np.uint8).reshape(-1, 32)
        words = _words(old)
        order = np.argsort(words)
        self._tags = words[order]
        self._new = new_tags(self._work, self._item, self._class, points)[order]
        self._old, self._points = [], []

    def move(self, links: bytes) -> bytes:
        """The links of a bucket with the new tags; a link to a removed entry is dropped."""
        rows = np.frombuffer(links, dtype=LINK).copy()
        if not len(rows) or not len(self._tags):
            return b""
        held = np.ones(len(rows), dtype=bool)
        for name in ("tag", "other"):
            words = _words(np.ascontiguousarray(rows[name]).view(np.uint8).reshape(-1, TAG_SIZE))
            places = np.minimum(np.searchsorted(self._tags, words), len(self._tags) - 1)
            held &= self._tags[places] == words
            rows[name] = np.ascontiguousarray(self._new[places]).view(TAG).ravel()
        return rows[held].tobytes()


def altered(item: str) -> UnavailableError:
    """Something stored does not open under the key it was stored under, or refers to something missing."""
    return UnavailableError(
        f"{item}: what is stored of this item does not fit the key of its epoch",
        "the database or the key store was altered, or they are of different times: restore both from one "
        "backup, or import the item again; the epoch that is served stays as it is",
    )


def _words(tags: Bytes) -> NDArray[np.bytes_]:
    # Two digits a byte: numpy cuts zeros off the end of byte strings.
    return np.array([tag.hex() for tag in _each(tags)], dtype=f"S{2 * TAG_SIZE}")


def _each(tags: Bytes) -> Iterable[bytes]:
    whole = tags.tobytes()
    return (whole[at : at + TAG_SIZE] for at in range(0, len(whole), TAG_SIZE))
