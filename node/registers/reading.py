"""The first half of an import: sources to sealed entries, split by bucket prefix (design.md section 9).

blocks -> read_rows -> rows by part -> index_rows -> entries by part
                   `-> linked rows -> index_linked ->/
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from node.compute.engine import Engine
from node.compute.scratch import Piece
from node.domain.days import DAY_ZERO
from node.domain.records import Tally
from node.index.layout import BuildSpec
from node.index.sum_rows import SumPieces
from node.index.tasks import Plants
from node.registers import tasks
from node.registers.chunks import Block
from node.tabular.damage import Rounding, refuse_rounded_rows
from node.telemetry.progress import Progress, Stopwatch


@dataclass(frozen=True, slots=True)
class IndexedRows:
    """Entries by part, links between entries of one record, entries of each origin, and the counts.

    `day` is the date of the partitions, in days since 1970-01-01.
    """

    entries: dict[int, list[Piece]]
    links: list[Piece]
    origins: Counter[int]
    planted: frozenset[int]
    tally: Tally
    day: int
    sums: list[SumPieces]


@dataclass
class _Rows:
    parts: dict[int, list[Piece]] = field(default_factory=lambda: defaultdict(list))
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


class RegisterReader:
    """One run's first half, in steps, since a caller may have to stop between them."""

    def __init__(self, engine: Engine, work: BuildSpec, watch: Stopwatch, progress: Progress) -> None:
        self._engine = engine
        self._work = work
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
        rows, entries = self._rows, defaultdict[int, list[Piece]](list)
        sums: list[SumPieces] = []
        counts, origins, left = Counter[str](rows.counts), Counter[int](), list[Piece]()
        linked, done = rows.subjects(), 0
        chunks = ((part, rows.parts[part], linked, day) for part in sorted(rows.parts))
        for number, found in enumerate(self._engine.map(tasks.index_rows, chunks), 1):
            for part, piece in found.pieces:
                entries[part].append(piece)
            counts += found.counts
            origins += found.entries
            left += [found.left] if found.left else []
            sums += [found.sums] if found.sums else []
            done = sum(origins.values())
            self._progress("index", done, done * len(rows.parts) // number)
        due = plants.origins | (frozenset(origins) - plants.present)
        task = (rows.linked, left, plants, due, day)
        for found in self._engine.map(tasks.index_linked, [task]):
            for part, piece in found.pieces:
                entries[part].append(piece)
            counts += found.counts
            origins += found.entries
            due = found.planted
            sums += [found.sums] if found.sums else []
            links = [piece for _, piece in found.links]
        self._watch.lap("index")
        people = Counter(
            {code: count - len(plants.values) * (code in due) for code, count in origins.items()}
        )
        return IndexedRows(
            dict(entries), links, origins, due, self._tally(counts, sum(people.values())), day, sums
        )

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
