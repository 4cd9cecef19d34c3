"""Entries of an index, many at a time: from people to tag, sealed label and point (design.md 2 and 3)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher import batch, buckets, pads
from matcher.suites.suite import Suite
from matcher.suites.tokens import TAG_SIZE
from matcher.suites.x25519 import POINT_SIZE
from matcher.types import Identity
from matcher.vectorised import Bytes
from node.compute.scratch import Piece, SealedScratch
from node.domain.days import DAY_ZERO
from node.domain.records import Record
from node.errors import InputError
from node.index.layout import LINK, TAG, BuildSpec, Entries, entry_type, split
from node.index.people import People, disclose_all

_AT_ONCE = 1 << 13  # entries made together: their data fits in the cache of a core


@dataclass(frozen=True, slots=True)
class CutBucket:
    """A bucket ready to be sealed and written."""

    origin: int
    bucket: buckets.Bucket
    leaf: bytes
    oldest: int


@dataclass(frozen=True, slots=True)
class Drafts:
    """Entries to be made, a row each; `as_of` in days since 1970-01-01, 0 for the date of the partition."""

    types: NDArray[np.uint8]
    values: Bytes = field(repr=False)
    prefixes: NDArray[np.uint32] = field(repr=False)
    amounts: NDArray[np.int64] = field(repr=False)
    as_of: NDArray[np.int64]
    names: Sequence[bytes] = field(repr=False)
    records: Bytes = field(repr=False)
    shown: NDArray[np.bool_]
    planted: NDArray[np.bool_]


def people_drafts(work: BuildSpec, people: People) -> Drafts:
    """Of one record per subject."""
    values, shown = _disclose(work, people.totals)
    return Drafts(
        people.types,
        people.values,
        (people.subjects[:, 0] >> np.uint64(32)).astype(np.uint32),
        values,
        people.days - DAY_ZERO,
        people.names,
        _record_numbers(work, people.types, people.values),
        shown,
        np.zeros(len(values), dtype=bool),
    )


def record_drafts(work: BuildSpec, records: Sequence[Record]) -> Drafts:
    """Of records with all their identities, in order."""
    owners = np.array([at for at, record in enumerate(records) for _ in record.identities], dtype=np.int64)
    types, values = pack_identities([found for record in records for found in record.identities])
    totals = np.array([record.total for record in records], dtype=np.int64)
    days = np.array([record.as_of.toordinal() for record in records], dtype=np.int64)
    names = [record.name.encode("utf-8", "surrogatepass") for record in records]
    amounts, shown = _disclose(work, totals)
    digests = work.suite.digests(work.terms.salt, types, values)
    return Drafts(
        types,
        values,
        batch.prefixes(digests),
        amounts[owners],
        days[owners] - DAY_ZERO,
        [names[at] for at in owners.tolist()],
        _record_numbers(work, types, values)[_first_of(owners, digests)],
        shown[owners],
        np.zeros(len(owners), dtype=bool),
    )


def _disclose(work: BuildSpec, totals: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    item = work.terms.item
    values, shown = disclose_all(item, totals)
    shown = shown & (not work.hidden)
    if bool((values[shown] > item.highest).any()):
        raise InputError(
            f"{item.code}: the rows of one person add up to more than {item.highest}, "
            "the most that an entry of this item can carry; nothing was published",
            "look for a column of other figures that was taken for the counts",
        )
    return values, shown


def _record_numbers(work: BuildSpec, types: NDArray[np.uint8], values: Bytes) -> Bytes:
    return work.suite.record_numbers(work.record_key, work.terms.item.code, types, values)


def _first_of(owners: NDArray[np.int64], digests: Bytes) -> NDArray[np.int64]:
    """For each identity of some records, in order, the row of its record's smallest digest."""
    words = np.ascontiguousarray(digests).view(">u8").astype(np.uint64)
    order = np.lexsort((words[:, 1], words[:, 0], owners))
    first = order[np.searchsorted(owners[order], np.unique(owners))]
    return np.asarray(first[owners])


def planted_drafts(work: BuildSpec, planted: Sequence[tuple[Identity, int]]) -> Drafts:
    """Of planted subjects and their values."""
    types, values = pack_identities([found for found, _ in planted])
    count = len(planted)
    return Drafts(
        types,
        values,
        batch.prefixes(work.suite.digests(work.terms.salt, types, values)),
        np.array([value for _, value in planted], dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        [b""] * count,
        _record_numbers(work, types, values),
        np.ones(count, dtype=bool),
        np.ones(count, dtype=bool),
    )


def join_drafts(first: Drafts, second: Drafts) -> Drafts:
    """One after the other."""
    return Drafts(
        np.concatenate([first.types, second.types]),
        np.concatenate([first.values, second.values]),
        np.concatenate([first.prefixes, second.prefixes]),
        np.concatenate([first.amounts, second.amounts]),
        np.concatenate([first.as_of, second.as_of]),
        [*first.names, *second.names],
        np.concatenate([first.records, second.records]),
        np.concatenate([first.shown, second.shown]),
        np.concatenate([first.planted, second.planted]),
    )


def find_links(records: Sequence[Record], made: Entries) -> Entries:
    """For each entry of a record that is shown, each other entry of the record."""
    found: list[tuple[int, int]] = []
    at = 0
    for record in records:
        places = range(at, at + len(record.identities))
        if len(places) > 1 and made["shown"][at]:
            found += [(one, other) for one in places for other in places if one != other]
        at += len(record.identities)
    links = np.zeros(len(found), dtype=LINK)
    if found:
        here, there = np.array(found).T
        tags = np.ascontiguousarray(made["served"][:, :TAG_SIZE]).view(TAG).ravel()
        prefixes = buckets.prefixes(made["kept"])
        links["tag"], links["place"], links["prefix"] = tags[here], made["origin"][here], prefixes[here]
        links["other"], links["origin"], links["at"] = tags[there], made["origin"][there], prefixes[there]
    return links


def make_entries(work: BuildSpec, drafts: Drafts, day: int) -> Iterator[Entries]:
    """Map, evaluate, tag and seal in batches; `day` is the date of the partition, days since 1970-01-01."""
    wanted = np.arange(len(drafts.types)) if work.every else np.flatnonzero(drafts.shown)
    for at in range(0, len(wanted), _AT_ONCE):
        yield _make(work, drafts, wanted[at : at + _AT_ONCE], day)


def _make(work: BuildSpec, drafts: Drafts, rows: NDArray[np.int64], day: int) -> Entries:
    types, values, salt, item = drafts.types[rows], drafts.values[rows], work.terms.salt, work.terms.item
    suite = work.suite
    tokens = suite.own_tokens(work.oprf, suite.map_to_curve(salt, types, values))
    origins = batch.origins(types, values)
    days = np.where(drafts.as_of[rows] == day, 0, drafts.as_of[rows])
    made = np.zeros(len(rows), dtype=work.entry)
    made["origin"], made["shown"] = origins, drafts.shown[rows]
    made["served"] = seal_entries(
        suite, item.code, origins, work.epoch, tokens, _plain(work, drafts, rows, days)
    )
    made["kept"] = _kept(tokens, drafts.prefixes[rows], days)
    return made


def _plain(work: BuildSpec, drafts: Drafts, rows: NDArray[np.int64], days: NDArray[np.int64]) -> Bytes:
    """The plain records of some drafts."""
    count, width = len(rows), work.terms.item.width
    if drafts.names:
        names = [drafts.names[row] for row in rows.tolist()]
        has_name = np.fromiter(map(bool, names), dtype=bool, count=count)
        checks = work.suite.name_checks(drafts.records[rows], names)
    else:
        has_name, checks = np.zeros(count, dtype=bool), np.zeros((count, 2), dtype=np.uint8)
    # A record that is not shown is never served; its entry only says which tag it would have.
    values = np.where(drafts.shown[rows], drafts.amounts[rows], 0)
    return batch.pack_records(
        width, values, days, drafts.records[rows], checks, has_name, drafts.planted[rows]
    )


def seal_entries(
    suite: Suite, item: str, origins: NDArray[np.uint8], epoch: int, tokens: Bytes, plain: Bytes
) -> Bytes:
    """Served entries, (n, entry size), of tokens (n, point) and plain records: tag and sealed label."""
    tags, keys = suite.entry_keys(tokens, item, epoch)
    associated = batch.associated_data(item, origins, epoch, tags)
    return np.hstack([tags, suite.seal_labels(keys, plain, associated)])


def _kept(tokens: Bytes, prefixes: NDArray[np.uint32], days: NDArray[np.integer]) -> Bytes:
    numbers = (each.astype(">u4").view(np.uint8).reshape(-1, 4) for each in (prefixes, days))
    return np.hstack([tokens, *numbers])


def pad_entries(
    suite: Suite, key: bytes, item: str, origin: int, epoch: int, numbers: range, width: int
) -> Entries:
    """Some pads of a partition; their points are zeros."""
    served, prefixes = pads.draw_pads(key, item, f"{origin:02}", epoch, numbers, width)
    made = np.zeros(len(numbers), dtype=entry_type(width))
    made["origin"], made["shown"], made["served"] = origin, 1, served
    points = np.zeros((len(numbers), suite.sizes.point), dtype=np.uint8)
    made["kept"] = _kept(points, prefixes, np.zeros(len(numbers), dtype=np.int64))
    return made


def are_pads(kept: Bytes) -> NDArray[np.bool_]:
    """Which entries are pads."""
    return np.asarray(~kept[:, :POINT_SIZE].any(axis=1))


def cut_buckets(code: int, served: Bytes, kept: Bytes, bits: int, numbers: range) -> Iterator[CutBucket]:
    """Buckets of one partition with their leaf and oldest day."""
    for bucket in buckets.cut(served, kept, bits, numbers):
        rows = np.frombuffer(bucket.points, dtype=np.uint8).reshape(-1, buckets.POINT_ROW_SIZE)
        leaf = buckets.bucket_leaf(bucket.number, bucket.entries)
        yield CutBucket(code, bucket, leaf, buckets.oldest(rows))


def load_entries(work: BuildSpec, scratch: SealedScratch, pieces: Iterable[Piece]) -> Entries:
    """Entries of several pieces as one array."""
    found = [np.frombuffer(scratch.read(piece), dtype=work.entry) for piece in pieces]
    return np.concatenate(found) if found else np.zeros(0, dtype=work.entry)


def write_parts(
    work: BuildSpec, scratch: SealedScratch, table: Entries, prefixes: NDArray[np.uint32]
) -> list[tuple[int, Piece]]:
    """Rows as pieces by part, which is the first bits of their prefixes."""
    parts = parts_of(prefixes, work.part_bits)
    return [(part, scratch.write(table[which].tobytes())) for part, which in split(parts)]


def parts_of(prefixes: NDArray[np.integer], part_bits: int) -> NDArray[np.int64]:
    """The part of each 32-bit prefix."""
    return (prefixes.astype(np.uint64) >> np.uint64(32 - part_bits)).astype(np.int64)


def pack_identities(identities: Sequence[Identity]) -> tuple[NDArray[np.uint8], Bytes]:
    """Types and values of identities."""
    packed = [batch.pack_identity(each) for each in identities]
    value = b"".join(value.ljust(batch.VALUE_SIZE, b"\0") for _, value in packed)
    types = np.fromiter((id_type for id_type, _ in packed), dtype=np.uint8, count=len(packed))
    return types, np.frombuffer(value, dtype=np.uint8).reshape(-1, batch.VALUE_SIZE)


def join_loose(parts: Sequence[tuple[bytes, bytes]], width: int) -> tuple[Bytes, Bytes]:
    """Entries of several parts, served and kept bytes, as arrays."""
    served = np.frombuffer(b"".join(served for served, _ in parts), dtype=np.uint8)
    kept = np.frombuffer(b"".join(kept for _, kept in parts), dtype=np.uint8)
    return served.reshape(-1, buckets.entry_size(width)), kept.reshape(-1, buckets.POINT_ROW_SIZE)
