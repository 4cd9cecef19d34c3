"""The tasks of an import that run in worker processes, on whole batches (design.md sections 2, 3 and 9).

    read_rows      block of a source -> sealed rows, by the first bits of the bucket prefix
    index_rows     one part of the rows -> one record per subject -> sealed entries
    index_linked   people with several numbers, and the planted subjects -> the same
    cut_part       one part of the entries -> whole buckets

Each takes the BuildSpec of the run, the SealedScratch of the process, and a task. Rows are split by bucket
prefix, so a part holds all rows of its subjects and whole buckets of every partition that has enough of them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from matcher import batch, identity
from matcher import buckets as index
from matcher.suites.suite import CURRENT
from matcher.types import Identity
from node.compute.scratch import Piece, SealedScratch
from node.domain.days import DAY_ZERO
from node.domain.records import Record, Reject, SourceRow, combine, disclose
from node.index.entries import (
    Drafts,
    find_links,
    join_drafts,
    make_entries,
    pack_identities,
    parts_of,
    people_drafts,
    planted_drafts,
    record_drafts,
    write_parts,
)
from node.index.layout import BuildSpec
from node.index.sum_rows import SumPieces, make_rows
from node.index.tasks import Plants
from node.registers.block_reader import Reading, read_block
from node.registers.chunks import Block
from node.registers.row_tables import Rows, combine_rows, dump_linked, load_linked, unpack
from node.tabular.csv_writer import csv_lines
from node.tabular.damage import Rounding

Pieces = Sequence[tuple[int, Piece]]


@dataclass(frozen=True, slots=True)
class Read:
    """A block that was read. `edges` are pairs of subjects (16 bytes each) that share a row.

    `days` counts the as-of days of its rows (ordinals).
    """

    size: int
    pieces: Pieces
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
class Indexed:
    """Entries that were made: where they are, how many of each origin, and what was counted."""

    pieces: Pieces
    entries: Counter[int]
    counts: Counter[str]
    left: Piece | None = None
    links: Pieces = ()
    planted: frozenset[int] = frozenset()
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
    counts = Counter(usable=reading.usable, unknown_area=reading.unknown_area, rejected=len(reading.rejects))
    return Read(
        block.size,
        pieces,
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


def index_rows(
    work: BuildSpec, scratch: SealedScratch, task: tuple[int, Sequence[Piece], bytes, int]
) -> Indexed:
    """One part: a record per subject, an entry per record.

    `task` ends with the linked subjects, sorted, and the date of the partitions (days since 1970-01-01).
    Rows of linked subjects are left to `index_linked`.
    """
    part, pieces, linked, day = task
    rows = Rows.from_bytes(map(scratch.read, pieces))
    left = None
    if linked:
        high = np.frombuffer(linked, dtype=">u8")[::2].astype(np.uint64)
        # A false match is harmless: index_linked takes any row.
        apart = np.isin(rows.table["subject"][:, 0], high)
        if apart.any():
            left = scratch.write(rows.take(apart).to_bytes())
            rows = rows.take(~apart)
    people, counts = combine_rows(rows, work.terms.item)
    drafts = people_drafts(work, people)
    counts["withheld"] = int(np.count_nonzero(~drafts.shown))
    entries, found = _make_entries(work, drafts, scratch, day)
    days = people.days - DAY_ZERO
    sums = make_rows(work, scratch, people.types, people.values, people.totals, days) if work.sums else None
    return Indexed([(part, piece) for piece in entries], found, counts, left, sums=sums)


def index_linked(
    work: BuildSpec,
    scratch: SealedScratch,
    task: tuple[Sequence[Piece], Sequence[Piece], Plants, frozenset[int], int],
) -> Indexed:
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
    people = record_drafts(work, records)
    due |= frozenset(batch.origins(people.types, people.values)[people.shown].tolist()) - plants.present
    planted = [each for code in sorted(due) for each in _planted(work.terms.item.code, code, plants.values)]
    drafts = join_drafts(people, planted_drafts(work, planted))
    made = np.concatenate(list(make_entries(work, drafts, day)) or [np.zeros(0, dtype=work.entry)])
    found = Counter[int](made["origin"][made["shown"] != 0].tolist())
    links = find_links(records, made)
    return Indexed(
        write_parts(work, scratch, made, index.prefixes(made["kept"])),
        found,
        counts,
        links=write_parts(work, scratch, links, links["prefix"].astype(np.uint32)),
        planted=due,
        sums=sums,
    )


def _linked_sums(work: BuildSpec, scratch: SealedScratch, records: Sequence[Record]) -> SumPieces | None:
    if not work.sums or not records:
        return None
    owners = np.array([at for at, record in enumerate(records) for _ in record.identities], dtype=np.int64)
    types, values = pack_identities([found for record in records for found in record.identities])
    totals = np.array([record.total for record in records], dtype=np.int64)[owners]
    days = np.array([record.as_of.toordinal() for record in records], dtype=np.int64)[owners] - DAY_ZERO
    return make_rows(work, scratch, types, values, totals, days, owners)


def _make_entries(
    work: BuildSpec, drafts: Drafts, scratch: SealedScratch, day: int
) -> tuple[list[Piece], Counter[int]]:
    pieces, found = [], Counter[int]()
    for made in make_entries(work, drafts, day):
        codes = np.bincount(made["origin"][made["shown"] != 0], minlength=100)
        found.update({int(code): int(codes[code]) for code in np.flatnonzero(codes)})
        pieces.append(scratch.write(made.tobytes()))
    return pieces, found


def _planted(item: str, origin: int, values: Sequence[tuple[str, int]]) -> list[tuple[Identity, int]]:
    return [(identity.planted(item, f"{origin:02}", name), value) for name, value in values]
