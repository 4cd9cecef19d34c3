"""The tasks of an import that run in worker processes, on whole batches (design.md sections 2, 3 and 9).

    read_rows      block of a source -> sealed rows, by the first bits of the bucket prefix
    index_rows     one part of the rows -> one record per subject -> entries, and new tokens
    draft_linked   people with several numbers, and the planted subjects -> drafts, by the same bits
    index_drafts   one part of the drafts -> entries, and new tokens

Each takes the BuildSpec of the run, the SealedScratch of the process, and a task. Rows are split by bucket
prefix, so a part holds all rows of its subjects, their token blocks, and whole buckets of large partitions.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from matcher import batch, identity
from matcher.suites.suite import CURRENT
from matcher.types import Identity
from node.compute.scratch import Piece, SealedScratch
from node.domain.days import DAY_ZERO
from node.domain.records import Record, Reject, SourceRow, combine, disclose
from node.index.drafts import pack_identities, people_drafts, planted_drafts, record_drafts
from node.index.entries import load_table, make_entries, write_parts
from node.index.layout import BuildSpec, Entries, draft_type, parts_of
from node.index.sum_rows import SumPieces, make_rows
from node.index.tasks import Plants
from node.index.token_blocks import PREFIX_BITS, Blocks, prefixes_of
from node.registers.block_reader import Reading, read_block
from node.registers.chunks import Block
from node.registers.row_tables import Rows, combine_rows, dump_linked, load_linked, unpack
from node.tabular.csv_writer import csv_lines
from node.tabular.damage import Rounding

Pieces = Sequence[tuple[int, Piece]]


@dataclass(frozen=True, slots=True)
class Read:
    """A block that was read. `edges` are pairs of subjects (16 bytes each) that share a row.

    `prefixes` are those of the token blocks of its subjects, without the linked ones; `days` counts the
    as-of days of its rows (ordinals).
    """

    size: int
    pieces: Pieces
    prefixes: frozenset[int]
    linked: Piece | None
    edges: bytes = field(repr=False)
    rejects: bytes
    counts: Counter[str]
    reasons: Counter[str]
    forms: Counter[str]
    units: Counter[str]
    rounded_people: Rounding
    rounded_records: Rounding
    days: Counter[int]


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of the work with its token blocks, by prefix: those of the item's class, of the other class.

    `pieces` are rows or drafts.
    """

    part: int
    pieces: Sequence[Piece]
    blocks: Blocks = field(repr=False)
    others: Blocks = field(repr=False)


@dataclass(frozen=True, slots=True)
class Indexed:
    """Entries that were made, once the blocks `tokens` are stored: how many of each origin, what was counted.

    `members` are the entries of records with several.
    """

    pieces: Pieces
    entries: Counter[int]
    tokens: Blocks = field(repr=False)
    counts: Counter[str] = field(default_factory=Counter)
    left: Piece | None = None
    members: Entries | None = field(default=None, repr=False)
    sums: SumPieces | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """Drafts of linked people and planted subjects, by part, and the prefixes of their token blocks."""

    pieces: Pieces
    prefixes: frozenset[int]
    counts: Counter[str]
    planted: frozenset[int]
    sums: SumPieces | None = None


# ---- reading


def read_rows(work: BuildSpec, scratch: SealedScratch, task: tuple[int, Block]) -> Read:
    """Read a block; `task` is its number and itself."""
    order, block = task
    reading = read_block(block, work.terms, order)
    rows = reading.rows
    parts = parts_of(rows.table["subject"][:, 0] >> np.uint64(32), work.part_bits)
    by_part = np.argsort(parts, kind="stable")
    found, starts = np.unique(parts[by_part], return_index=True)
    some = rows.take(by_part).cut(starts.tolist())
    pieces = [(part, scratch.write(each.to_bytes())) for part, each in zip(found.tolist(), some, strict=True)]
    prefixes = np.unique(rows.table["subject"][:, 0] >> np.uint64(64 - PREFIX_BITS))
    counts = Counter(usable=reading.usable, unknown_area=reading.unknown_area, rejected=len(reading.rejects))
    return Read(
        block.size,
        pieces,
        frozenset(prefixes.tolist()),
        scratch.write(dump_linked(reading.linked)) if reading.linked else None,
        _edges(work.terms.salt, reading.linked),
        _reject_lines(reading.rejects),
        counts,
        Counter(reject.reason for reject in reading.rejects),
        reading.forms,
        Counter({block.amount.unit: reading.usable} if block.amount and block.amount.told else {}),
        reading.rounded_people,
        reading.rounded_records,
        _count_days(reading),
    )


def _count_days(reading: Reading) -> Counter[int]:
    days, places = np.unique(reading.rows.table["day"], return_inverse=True)
    rows = np.bincount(places, weights=reading.rows.table["copies"], minlength=len(days))
    found = Counter(dict(zip(days.tolist(), rows.astype(np.int64).tolist(), strict=True)))
    return found + Counter(row.as_of.toordinal() for row in reading.linked if row.as_of)


def _reject_lines(rejects: Iterable[Reject]) -> bytes:
    return b"".join(csv_lines((r.file, r.line, r.column, r.reason, r.message) for r in rejects))


def _edges(salt: bytes, linked: Sequence[SourceRow]) -> bytes:
    pairs = [(row.identities[0], other) for row in linked for other in row.identities[1:]]
    if not pairs:
        return b""
    types, values = pack_identities([each for pair in pairs for each in pair])
    return CURRENT.digests(salt, types, values).tobytes()


# ---- indexing


def index_rows(work: BuildSpec, scratch: SealedScratch, task: tuple[Slice, bytes, int]) -> Indexed:
    """One part: a record per subject, an entry per record.

    `task` ends with the linked subjects, sorted, and the date of the partitions (days since 1970-01-01).
    Rows of linked subjects are left to `draft_linked`.
    """
    mine, linked, day = task
    rows = Rows.from_bytes(map(scratch.read, mine.pieces))
    left = None
    if linked:
        high = np.frombuffer(linked, dtype=">u8")[::2].astype(np.uint64)
        # A false match is harmless: draft_linked takes any row.
        apart = np.isin(rows.table["subject"][:, 0], high)
        if apart.any():
            left = scratch.write(rows.take(apart).to_bytes())
            rows = rows.take(~apart)
    people, counts = combine_rows(rows, work.terms.item)
    drafts = people_drafts(work, people, day)
    counts["withheld"] = len(people.totals) - int(np.count_nonzero(drafts["shown"]))
    made, _, tokens = make_entries(work, drafts, mine.blocks, mine.others)
    days = people.days - DAY_ZERO
    sums = make_rows(work, scratch, people.types, people.values, people.totals, days) if work.sums else None
    return Indexed(
        [(mine.part, scratch.write(made.tobytes()))], _by_origin(made), tokens, counts, left, sums=sums
    )


def draft_linked(
    work: BuildSpec,
    scratch: SealedScratch,
    task: tuple[Sequence[Piece], Sequence[Piece], Plants, frozenset[int], int],
) -> Linked:
    """People with several numbers, by the exact combination, and planted subjects.

    `task` holds pieces of linked rows, pieces of their other rows, the planted subjects, the origins that
    need them so far, and the date of the partitions in days since 1970-01-01.
    """
    linked, left, plants, due, day = task
    rows = [row for piece in linked for row in load_linked(scratch.read(piece))]
    rows += unpack(Rows.from_bytes(map(scratch.read, left)))
    rows.sort(key=lambda row: row.line)
    records, tally = combine(rows, work.terms.item, date.fromordinal(work.terms.default_day))
    counts = Counter(
        accepted=tally.accepted,
        duplicates=tally.duplicates,
        records=tally.records,
        withheld=tally.withheld,
        name_conflicts=tally.name_conflicts,
        contradictions=tally.contradictions,
    )
    sums = _linked_sums(work, scratch, records)
    if not work.every:
        records = [record for record in records if disclose(work.terms.item, record.total) is not None]
    people = record_drafts(work, records, day)
    due |= frozenset(people["origin"][people["shown"] != 0].tolist()) - plants.present
    planted = [each for code in sorted(due) for each in _planted(work.terms.item.code, code, plants.values)]
    drafts = np.concatenate([people, planted_drafts(work, planted)])
    return Linked(
        write_parts(scratch, drafts, batch.prefixes(drafts["digest"]), work.part_bits),
        frozenset(prefixes_of(drafts["digest"]).tolist()),
        counts,
        due,
        sums,
    )


def index_drafts(work: BuildSpec, scratch: SealedScratch, mine: Slice) -> Indexed:
    """One part of the drafts: an entry for each."""
    drafts = load_table(draft_type(work.terms.item.width), scratch, mine.pieces)
    made, members, tokens = make_entries(work, drafts, mine.blocks, mine.others)
    return Indexed([(mine.part, scratch.write(made.tobytes()))], _by_origin(made), tokens, members=members)


def _by_origin(made: Entries) -> Counter[int]:
    codes = np.bincount(made["origin"][made["shown"] != 0], minlength=100)
    return Counter({int(code): int(codes[code]) for code in np.flatnonzero(codes)})


def _linked_sums(work: BuildSpec, scratch: SealedScratch, records: Sequence[Record]) -> SumPieces | None:
    if not work.sums or not records:
        return None
    owners = np.array([at for at, record in enumerate(records) for _ in record.identities], dtype=np.int64)
    types, values = pack_identities([found for record in records for found in record.identities])
    totals = np.array([record.total for record in records], dtype=np.int64)[owners]
    days = np.array([record.as_of.toordinal() for record in records], dtype=np.int64)[owners] - DAY_ZERO
    return make_rows(work, scratch, types, values, totals, days, owners)


def _planted(item: str, origin: int, values: Sequence[tuple[str, int]]) -> list[tuple[Identity, int]]:
    return [(identity.planted(item, f"{origin:02}", name), value) for name, value in values]
