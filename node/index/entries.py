"""Entries of an index, many at a time: from people to tag, sealed label and point (design.md 2 and 3)."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher import batch, buckets, label
from matcher.suites.tokens import TAG_SIZE
from matcher.types import Identity
from matcher.vectorised import Bytes
from node.compute.scratch import Piece, SealedScratch
from node.domain.days import DAY_ZERO
from node.domain.records import Record
from node.index.layout import ENTRY, LINK, BuildSpec, Entries
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
    """Entries to be made, a row each; `as_of` in days since 1970-01-01."""

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
        _random(len(values), label.RECORD_NUMBER_SIZE),
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
    return Drafts(
        types,
        values,
        _prefixes(work, types, values),
        amounts[owners],
        days[owners] - DAY_ZERO,
        [names[at] for at in owners.tolist()],
        _random(len(records), label.RECORD_NUMBER_SIZE)[owners],
        shown[owners],
        np.zeros(len(owners), dtype=bool),
    )


def _disclose(work: BuildSpec, totals: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    values, shown = disclose_all(work.terms.item, totals)
    return values, shown & (not work.hidden)


def planted_drafts(work: BuildSpec, planted: Sequence[tuple[Identity, int]], today: int) -> Drafts:
    """Of planted subjects and their values; `today` in days since 1970-01-01."""
    types, values = pack_identities([found for found, _ in planted])
    count = len(planted)
    return Drafts(
        types,
        values,
        _prefixes(work, types, values),
        np.array([value for _, value in planted], dtype=np.int64),
        np.full(count, today, dtype=np.int64),
        [b""] * count,
        _random(count, label.RECORD_NUMBER_SIZE),
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
        tags = np.ascontiguousarray(made["served"][:, :TAG_SIZE]).view("V16").ravel()
        prefixes = buckets.prefixes(made["kept"])
        links["tag"], links["place"], links["prefix"] = tags[here], made["origin"][here], prefixes[here]
        links["other"], links["origin"], links["at"] = tags[there], made["origin"][there], prefixes[there]
    return links


def make_entries(work: BuildSpec, drafts: Drafts) -> Iterator[Entries]:
    """Map, evaluate, tag and seal in batches."""
    wanted = np.arange(len(drafts.types)) if work.every else np.flatnonzero(drafts.shown)
    for at in range(0, len(wanted), _AT_ONCE):
        yield _make(work, drafts, wanted[at : at + _AT_ONCE])


def _make(work: BuildSpec, drafts: Drafts, rows: NDArray[np.int64]) -> Entries:
    types, values, salt, item = drafts.types[rows], drafts.values[rows], work.terms.salt, work.terms.item
    suite = work.suite
    tokens = suite.own_tokens(work.oprf, suite.map_to_curve(salt, types, values))
    tags, keys = suite.entry_keys(tokens, item.code, work.epoch)
    origins, planted = batch.origins(types, values), drafts.planted[rows]
    if drafts.names:
        names = [drafts.names[row] for row in rows.tolist()]
        has_name = np.fromiter(map(bool, names), dtype=bool, count=len(names))
        checks = suite.name_checks(drafts.records[rows], names)
    else:
        has_name, checks = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=np.uint8)
    made = np.zeros(len(rows), dtype=ENTRY)
    made["origin"], made["shown"] = origins, drafts.shown[rows]
    made["served"][:, : suite.sizes.tag] = tags
    plain = batch.pack_records(
        item.level,
        np.where(drafts.shown[rows], drafts.amounts[rows], 0),
        drafts.as_of[rows],
        drafts.records[rows],
        checks,
        has_name,
        planted,
    )
    places = batch.associated_data(item.code, origins, work.epoch)
    nonces = _random(len(rows), suite.sizes.nonce)
    made["served"][:, suite.sizes.tag :] = suite.seal_labels(keys, plain, places, nonces)
    days = np.where(planted, buckets.NO_DAY, drafts.as_of[rows]).astype(">u4")
    made["kept"][:, : suite.sizes.point] = tokens
    made["kept"][:, 32:36] = drafts.prefixes[rows].astype(">u4").view(np.uint8).reshape(-1, 4)
    made["kept"][:, 36:] = days.view(np.uint8).reshape(-1, 4)
    return made


def cut_buckets(code: int, served: Bytes, kept: Bytes, bits: int, numbers: range) -> Iterator[CutBucket]:
    """Buckets of one partition with their leaf and oldest day."""
    for bucket in buckets.cut(served, kept, bits, numbers):
        rows = np.frombuffer(bucket.points, dtype=np.uint8).reshape(-1, buckets.POINT_ROW_SIZE)
        leaf = buckets.bucket_leaf(bucket.number, bucket.entries)
        yield CutBucket(code, bucket, leaf, buckets.oldest(rows))


def load_entries(scratch: SealedScratch, pieces: Iterable[Piece]) -> Entries:
    """Entries of several pieces as one array."""
    found = [np.frombuffer(scratch.read(piece), dtype=ENTRY) for piece in pieces]
    return np.concatenate(found) if found else np.zeros(0, dtype=ENTRY)


def pack_identities(identities: Sequence[Identity]) -> tuple[NDArray[np.uint8], Bytes]:
    """Types and values of identities."""
    packed = [batch.pack_identity(each) for each in identities]
    value = b"".join(value.ljust(batch.VALUE_SIZE, b"\0") for _, value in packed)
    types = np.fromiter((id_type for id_type, _ in packed), dtype=np.uint8, count=len(packed))
    return types, np.frombuffer(value, dtype=np.uint8).reshape(-1, batch.VALUE_SIZE)


def _prefixes(work: BuildSpec, types: NDArray[np.uint8], values: Bytes) -> NDArray[np.uint32]:
    return batch.prefixes(work.suite.digests(work.terms.salt, types, values))


def _random(count: int, size: int) -> Bytes:
    return np.frombuffer(secrets.token_bytes(count * size), dtype=np.uint8).reshape(count, size)


def join_loose(parts: Sequence[tuple[bytes, bytes]]) -> tuple[Bytes, Bytes]:
    """Entries of several parts, served and kept bytes, as arrays."""
    served = np.frombuffer(b"".join(served for served, _ in parts), dtype=np.uint8)
    kept = np.frombuffer(b"".join(kept for _, kept in parts), dtype=np.uint8)
    return served.reshape(-1, buckets.ENTRY_SIZE), kept.reshape(-1, buckets.POINT_ROW_SIZE)
