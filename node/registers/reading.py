"""The first half of an import: sources to entries, split by bucket prefix (design.md sections 3.1 and 9).

blocks -> read_rows -> rows by part -> index_rows -------------------------> entries by part
                   `-> linked rows -> draft_linked -> drafts -> index_drafts ->/

The tokens of a part are stored before its entries are used.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np

from node.compute.engine import Engine
from node.compute.scratch import Piece, SealedScratch
from node.domain.days import DAY_ZERO
from node.domain.records import Tally
from node.index.entries import find_links
from node.index.layout import MEMBER, BuildSpec, Entries
from node.index.sum_rows import SumPieces
from node.index.tasks import Plants
from node.index.token_blocks import PREFIX_BITS
from node.index.token_store import TokenStore
from node.registers import tasks
from node.registers.chunks import Block
from node.tabular.damage import Rounding, refuse_rounded_rows
from node.telemetry.progress import Progress, Stopwatch

Chunk = TypeVar("Chunk")


@dataclass(frozen=True, slots=True)
class IndexedRows:
    """Entries by part, links between entries of one record, entries of each origin, and the counts.

    `day` is the date of the partitions, in days since 1970-01-01.
    """

    entries: dict[int, list[Piece]]
    links: Entries = field(repr=False)
    origins: Counter[int]
    planted: frozenset[int]
    tally: Tally
    day: int
    sums: list[SumPieces]


@dataclass
class _Rows:
    parts: dict[int, list[Piece]] = field(default_factory=lambda: defaultdict(list))
    prefixes: set[int] = field(default_factory=set)
    linked: list[Piece] = field(default_factory=list)
    edges: list[bytes] = field(default_factory=list, repr=False)
    rejects: list[Piece] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    rounded_people: Rounding = field(default_factory=Rounding)
    rounded_records: Rounding = field(default_factory=Rounding)
    days: Counter[int] = field(default_factory=Counter)

    def subjects(self) -> bytes:
        """Subjects that share a row with another one, 16 bytes each, sorted."""
        pairs = np.frombuffer(b"".join(self.edges), dtype=">u8").reshape(-1, 2)
        return np.unique(pairs, axis=0).tobytes() if len(pairs) else b""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The stored tokens of an import: those of the item's class, and those of the other one if it has any."""

    own: TokenStore
    other: TokenStore | None

    def slice_of(
        self, part: int, pieces: Sequence[Piece], prefixes: Collection[int], work: BuildSpec
    ) -> tasks.Slice:
        """One part of the work with its blocks, of those that are needed."""
        shift = PREFIX_BITS - work.part_bits
        wanted = [prefix for prefix in range(part << shift, (part + 1) << shift) if prefix in prefixes]
        others = self.other.read(wanted) if self.other else {}
        return tasks.Slice(part, pieces, self.own.read(wanted), others)


@dataclass
class _Made:
    counts: Counter[str]
    entries: dict[int, list[Piece]] = field(default_factory=lambda: defaultdict(list))
    origins: Counter[int] = field(default_factory=Counter)
    members: list[Entries] = field(default_factory=lambda: [np.zeros(0, dtype=MEMBER)], repr=False)
    sums: list[SumPieces] = field(default_factory=list)

    def add(self, found: tasks.Indexed) -> None:
        for part, piece in found.pieces:
            self.entries[part].append(piece)
        self.counts += found.counts
        self.origins += found.entries
        self.sums += [found.sums] if found.sums else []
        self.members += [] if found.members is None else [found.members]


def _with(linked: bytes, day: int, mine: tasks.Slice) -> tuple[tasks.Slice, bytes, int]:
    return mine, linked, day


class RegisterReader:
    """One run's first half, in steps, since a caller may have to stop between them."""

    def __init__(
        self,
        engine: Engine,
        work: BuildSpec,
        tokens: Tokens,
        watch: Stopwatch,
        progress: Progress,
    ) -> None:
        self._engine = engine
        self._work = work
        self._tokens = tokens
        self._watch = watch
        self._progress = progress
        self._rows = _Rows()

    @property
    def usable(self) -> int:
        """Rows that were not rejected."""
        return self._rows.counts["usable"]

    @property
    def read(self) -> int:
        """Rows that were read."""
        return self.usable + self._rows.counts["rejected"]

    def read_blocks(self, blocks: Iterable[Block], size: int) -> None:
        """Read all blocks; `size` is in bytes, 0 where it is not known."""
        rows, done = self._rows, 0
        for found in self._engine.map(tasks.read_rows, enumerate(blocks)):
            done += found.size
            for part, piece in found.pieces:
                rows.parts[part].append(piece)
            rows.prefixes |= found.prefixes
            if found.linked:
                rows.linked.append(found.linked)
                rows.edges.append(found.edges)
            if found.rejects:
                rows.rejects.append(self._engine.scratch.write(found.rejects))
            rows.counts += found.counts
            rows.reasons += found.reasons
            rows.forms += found.forms
            rows.units += found.units
            rows.rounded_people += found.rounded_people
            rows.rounded_records += found.rounded_records
            rows.days += found.days
            self._progress("read", self.read, self.read * size // done if size and done else 0)
        self._watch.lap("read")

    def refuse_rounded(self, source: str, *, keep_zeros: bool) -> None:
        """Raise InputError as `refuse_rounded_rows` does."""
        refuse_rounded_rows(
            source, self._rows.rounded_people, self._rows.rounded_records, keep_zeros=keep_zeros
        )

    def reject_lines(self) -> Iterator[bytes]:
        """The rejected rows as lines of CSV, in the order of the rows."""
        return map(self._engine.scratch.read, self._rows.rejects)

    def usual_day(self) -> int:
        """The most frequent as-of date of the rows, the newest of several: days since 1970-01-01."""
        found = self._rows.days or Counter([self._work.terms.default_day])
        most = max(found.values())
        return max(day for day, count in found.items() if count == most) - DAY_ZERO

    def index(self, plants: Plants, day: int) -> IndexedRows:
        """One record per subject, one entry per identity; `day` is the date of the partitions."""
        made, left, linked = _Made(Counter(self._rows.counts)), list[Piece](), self._rows.subjects()
        parts, done = self._rows.parts, 0
        tasks_of = partial(_with, linked, day)
        for number, found in enumerate(
            self._settle(tasks.index_rows, parts, self._rows.prefixes, tasks_of), 1
        ):
            made.add(found)
            left += [found.left] if found.left else []
            done = sum(made.origins.values())
            self._progress("index", done, done * len(parts) // number)
        due = plants.origins | (frozenset(made.origins) - plants.present)
        task = (self._rows.linked, left, plants, due, day)
        (drafts,) = self._engine.map(tasks.draft_linked, [task])
        made.counts += drafts.counts
        made.sums += [drafts.sums] if drafts.sums else []
        by_part = defaultdict[int, list[Piece]](list)
        for part, piece in drafts.pieces:
            by_part[part].append(piece)
        for found in self._settle(tasks.index_drafts, by_part, drafts.prefixes, lambda mine: mine):
            made.add(found)
        self._watch.lap("index")
        plants_in = {code: len(plants.values) * (code in drafts.planted) for code in made.origins}
        people = sum(count - plants_in[code] for code, count in made.origins.items())
        return IndexedRows(
            dict(made.entries),
            find_links(np.concatenate(made.members)),
            made.origins,
            drafts.planted,
            self._tally(made.counts, people),
            day,
            made.sums,
        )

    def _settle(
        self,
        task: Callable[[BuildSpec, SealedScratch, Chunk], tasks.Indexed],
        parts: Mapping[int, Sequence[Piece]],
        prefixes: Collection[int],
        make: Callable[[tasks.Slice], Chunk],
    ) -> Iterator[tasks.Indexed]:
        """What a task makes of each part, after its new tokens are stored.

        A part whose blocks another run has written meanwhile is done again with that run's tokens.
        """
        waiting = sorted(parts)
        while waiting:
            again = []
            slices = (self._tokens.slice_of(part, parts[part], prefixes, self._work) for part in waiting)
            for part, found in zip(waiting, self._engine.map(task, map(make, slices)), strict=True):
                if self._tokens.own.write(found.tokens):
                    yield found
                else:
                    again.append(part)
            waiting = again

    def _tally(self, counts: Counter[str], entries: int) -> Tally:
        return Tally(
            read=self.read,
            accepted=counts["accepted"],
            duplicates=counts["duplicates"],
            rejected=counts["rejected"],
            records=counts["records"],
            entries=entries,
            withheld=counts["withheld"],
            name_conflicts=counts["name_conflicts"],
            contradictions=counts["contradictions"],
            unknown_area=counts["unknown_area"],
            reasons=tuple(sorted(self._rows.reasons.items())),
            forms=tuple(sorted(self._rows.forms.items())),
            units=tuple(sorted(self._rows.units.items())),
            rounded=_suspicious(self._rows.rounded_people, self._rows.rounded_records),
        )


def _suspicious(*found: Rounding) -> int:
    return sum(each.found for each in found if each.suspicious)
