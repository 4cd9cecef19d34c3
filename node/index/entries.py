"""Entries of an index, many at a time: from drafts to tokens, tags and sealed labels (design.md 2 and 3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher import batch, buckets, label, pads
from matcher.errors import BucketError, ScalarError
from matcher.suites.suite import CURRENT, Suite
from matcher.suites.tokens import TAG_SIZE
from matcher.vectorised import Bytes
from node.compute.scratch import Piece, SealedScratch
from node.errors import UnavailableError
from node.index.layout import (
    LINK,
    MEMBER,
    PLACED_LINK,
    BuildSpec,
    Entries,
    Place,
    entry_type,
    parts_of,
    split,
)
from node.index.token_blocks import Blocks, TokenTable, add_tokens

_AT_ONCE = 1 << 13  # tokens made together: their data fits in the cache of a core


# ---- tokens


def make_entries(
    work: BuildSpec, drafts: Entries, blocks: Blocks, others: Blocks
) -> tuple[Entries, Entries, dict[int, bytes]]:
    """Entries of drafts, members of records that have several, and the blocks that have new tokens.

    `others` are blocks of the other class. A draft that is not shown and has no token has no entry either.
    """
    table = TokenTable(blocks)
    rows = table.find(drafts["digest"])
    drafts, rows = _take((rows >= 0) | (drafts["shown"] != 0), drafts, rows)
    new = np.flatnonzero(rows < 0)
    tokens, pointers = np.empty((len(drafts), 32), dtype=np.uint8), np.empty(len(drafts), dtype=np.uint32)
    known = rows >= 0
    tokens[known], pointers[known] = table.slots.tokens[rows[known]], table.pointers[rows[known]]
    tokens[new] = _make_tokens(work, drafts[new], others)
    pointers[new], changed = add_tokens(blocks, drafts["digest"][new], tokens[new])
    made = np.zeros(len(drafts), dtype=entry_type(work.terms.item.width))
    made["origin"], made["shown"], made["record"] = drafts["origin"], drafts["shown"], drafts["record"]
    made["prefix"], made["pointer"] = batch.prefixes(drafts["digest"]), pointers
    set_keys(made, work.place, tokens)
    return made, _members(drafts, made), changed


def _take(which: NDArray[np.bool_], *arrays: NDArray) -> tuple[NDArray, ...]:  # type: ignore[type-arg]
    return arrays if which.all() else tuple(each[which] for each in arrays)


def _make_tokens(work: BuildSpec, drafts: Entries, others: Blocks) -> Bytes:
    """Tokens of identities without one in this class, from those of the other class where they have one."""
    found = np.empty((len(drafts), work.suite.sizes.point), dtype=np.uint8)
    mapped = np.ones(len(drafts), dtype=bool)
    if others and len(drafts):
        table = TokenTable(others)
        rows = table.find(drafts["digest"])
        known = np.flatnonzero(rows >= 0)
        try:
            found[known] = work.suite.rekey(work.oprf, work.other_oprf, table.slots.tokens[rows[known]])
            mapped[known] = False
        except ScalarError:  # the rare pair of keys without a ratio
            pass
    wanted = np.flatnonzero(mapped)
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        points = work.suite.map_to_curve(work.terms.salt, drafts["id_type"][some], drafts["value"][some])
        found[some] = work.suite.own_tokens(work.oprf, points)
    return found


def set_keys(entries: Entries, place: Place, tokens: Bytes, suite: Suite = CURRENT) -> None:
    """Write the tags and label keys that tokens give."""
    for at in range(0, len(entries), _AT_ONCE):
        some = slice(at, at + _AT_ONCE)
        tags, keys = suite.entry_keys(tokens[some], place.item, place.epoch)
        entries["tag"][some], entries["key"][some] = tags, keys


def _members(drafts: Entries, made: Entries) -> Entries:
    which = np.flatnonzero((drafts["group"] != 0) & (drafts["shown"] != 0))
    members = np.zeros(len(which), dtype=MEMBER)
    members["group"] = drafts["group"][which]
    for name in ("origin", "prefix", "pointer"):
        members[name] = made[name][which]
    return members


def find_links(members: Entries) -> Entries:
    """For each entry of a record each other entry of the record, as PLACED_LINK rows."""
    members = members[np.argsort(members["group"], kind="stable")]
    here, there = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for shift in range(1, len(members)):
        first = np.flatnonzero(members["group"][:-shift] == members["group"][shift:])
        if not len(first):
            break
        here += [first, first + shift]
        there += [first + shift, first]
    one, other = members[np.concatenate(here)], members[np.concatenate(there)]
    link = np.zeros(len(one), dtype=LINK)
    link["pointer"], link["origin"], link["other"] = one["pointer"], other["origin"], other["pointer"]
    placed = np.zeros(len(one), dtype=PLACED_LINK)
    placed["place"], placed["prefix"] = one["origin"], one["prefix"]
    placed["link"] = link.view(np.uint8).reshape(-1, LINK.itemsize)
    return placed


# ---- pads


@dataclass(frozen=True, slots=True)
class Pads:
    """Some pads of a partition: served bytes, and the 32-bit prefix of each."""

    served: Bytes = field(repr=False)
    prefixes: NDArray[np.uint32] = field(repr=False)

    @classmethod
    def draw(cls, key: bytes, place: Place, origin: int, numbers: range) -> "Pads":
        """Those of some numbers under the pad key of a class."""
        return cls(*pads.draw_pads(key, place.item, f"{origin:02}", place.epoch, numbers, place.width))

    @classmethod
    def none(cls, width: int) -> "Pads":
        """No pads."""
        return cls(np.zeros((0, buckets.entry_size(width)), np.uint8), np.zeros(0, np.uint32))

    def within(self, bits: int, numbers: range) -> "Pads":
        """Those of some neighbouring buckets."""
        places = buckets.places_of(self.prefixes, bits)
        which = (places >= numbers.start) & (places < numbers.stop)
        return Pads(self.served[which], self.prefixes[which])

    def kept(self, width: int) -> Bytes:
        """What is kept beside them: the pointer of nobody and records of zeros."""
        count = len(self.served)
        records = np.zeros((count, label.record_size(width)), dtype=np.uint8)
        return buckets.kept_rows(np.full(count, buckets.PAD), records)


# ---- buckets


@dataclass(frozen=True, slots=True)
class StoredEntries:
    """A bucket of a stored version. `settled`: it is whole, and its links are those of the new version."""

    entries: bytes = field(repr=False)
    kept: bytes = field(repr=False)
    settled: bool = True


@dataclass(frozen=True, slots=True)
class CutBucket:
    """A bucket ready to be sealed and written. `stored`: it is as the version before has it already."""

    origin: int
    bucket: buckets.Bucket
    leaf: bytes
    oldest: int
    stored: bool = False


def seal_entries(place: Place, origin: int, entries: Entries, suite: Suite = CURRENT) -> Bytes:
    """Served entries, (n, entry size): tag and sealed label."""
    tags = np.ascontiguousarray(entries["tag"])
    associated = batch.associated_data(place.item, np.full(len(entries), origin, np.uint8), place.epoch, tags)
    keys, records = np.ascontiguousarray(entries["key"]), np.ascontiguousarray(entries["record"])
    return np.hstack([tags, suite.seal_labels(keys, records, associated)])


def serve_entries(place: Place, origin: int, entries: Entries, known: Sequence[StoredEntries]) -> Bytes:
    """The same, without sealing anew what stored buckets hold: same tag, pointer and record."""
    served = np.empty((len(entries), buckets.entry_size(place.width)), dtype=np.uint8)
    before, kept = join_stored(known, place.width)
    wanted = buckets.kept_rows(entries["pointer"], entries["record"])
    tags, old = _first_half(np.ascontiguousarray(entries["tag"])), _first_half(before)
    order = np.argsort(old)
    at = np.minimum(np.searchsorted(old[order], tags), max(len(old) - 1, 0))
    same = np.zeros(len(entries), dtype=bool)
    if len(old):
        rows = order[at]
        same = (before[rows, :TAG_SIZE] == entries["tag"]).all(axis=1) & (kept[rows] == wanted).all(axis=1)
        served[same] = before[rows[same]]
    served[~same] = seal_entries(place, origin, entries[~same])
    return served


def cut_entries(
    place: Place,
    origin: int,
    bits: int,
    numbers: range,
    entries: Entries,
    nobody: Pads,
    stored: Mapping[int, StoredEntries],
) -> list[CutBucket]:
    """Whole buckets of entries and pads, by number; what is stored already is not sealed again."""
    served = serve_entries(place, origin, entries, [stored[number] for number in sorted(stored)])
    people = buckets.kept_rows(entries["pointer"], entries["record"])
    return cut_buckets(
        place,
        origin,
        np.concatenate([served, nobody.served]),
        np.concatenate([people, nobody.kept(place.width)]),
        np.concatenate([entries["prefix"], nobody.prefixes]),
        bits,
        numbers,
        stored,
    )


def cut_buckets(
    place: Place,
    origin: int,
    served: Bytes,
    kept: Bytes,
    prefixes: NDArray[np.uint32],
    bits: int,
    numbers: range,
    stored: Mapping[int, StoredEntries] | None = None,
) -> list[CutBucket]:
    """Buckets of one partition with their leaf and oldest day.

    Raises UnavailableError where two entries have one tag.
    """
    made, stored = [], stored or {}
    try:
        for bucket in buckets.cut(served, kept, prefixes, bits, numbers):
            before = stored.get(bucket.number)
            same = before is not None and before.settled
            same = same and (before.entries, before.kept) == (bucket.entries, bucket.kept)  # type: ignore[union-attr]
            leaf = buckets.bucket_leaf(bucket.number, bucket.entries)
            _, records = buckets.read_kept(bucket.kept, place.width)
            made.append(CutBucket(origin, bucket, leaf, buckets.oldest(records), same))
    except BucketError:
        raise UnavailableError(
            f"{place.item}: two entries have one tag, so one person would have two records",
            "nothing was published; rotate the key of the index (`heqiao keys rotate oprf`), then try again",
        ) from None
    return made


def join_stored(known: Sequence[StoredEntries], width: int) -> tuple[Bytes, Bytes]:
    """Served bytes and kept rows of stored buckets, one after the other."""
    size = buckets.entry_size(width)
    served = np.frombuffer(b"".join(each.entries for each in known), dtype=np.uint8).reshape(-1, size)
    rows = [buckets.kept_rows(*buckets.read_kept(each.kept, width)) for each in known]
    none = buckets.kept_rows(np.zeros(0, np.uint32), np.zeros((0, label.record_size(width)), np.uint8))
    return served, np.concatenate([none, *rows])


def _first_half(rows: Bytes) -> NDArray[np.uint64]:
    return np.ascontiguousarray(rows[:, :8]).view("<u8").ravel()


def altered(item: str) -> UnavailableError:
    """Something stored does not fit its token, or refers to something missing."""
    return UnavailableError(
        f"{item}: what is stored of this item does not fit the key of its epoch",
        "the database or the key store was altered, or they are of different times: restore both from one "
        "backup, or import the item again in full (`heqiao index verify` names all such items); what is "
        "served stays as it is",
    )


# ---- pieces


def load_entries(place: Place, scratch: SealedScratch, pieces: Iterable[Piece]) -> Entries:
    """Entries of several pieces as one array."""
    return load_table(place.entry, scratch, pieces)


def load_table(kind: np.dtype[np.void], scratch: SealedScratch, pieces: Iterable[Piece]) -> Entries:
    """Rows of one type from several pieces as one array."""
    found = [np.frombuffer(scratch.read(piece), dtype=kind) for piece in pieces]
    return np.concatenate(found) if found else np.zeros(0, dtype=kind)


def write_parts(
    scratch: SealedScratch, table: Entries, prefixes: NDArray[np.uint32], bits: int
) -> list[tuple[int, Piece]]:
    """Rows as pieces by part, which is the first bits of their prefixes."""
    parts = parts_of(prefixes, bits)
    return [(part, scratch.write(table[which].tobytes())) for part, which in split(parts)]
