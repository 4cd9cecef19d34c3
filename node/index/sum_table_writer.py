"""The rows of encrypted sums of an item in groups, as they are served.

    sum_rows.make_rows  in a worker: records -> sealed rows, by the first bits of their points
    SumTableWriter.replace_all  all rows -> groups by area of registration -> blocks in order of the points
    SumTableWriter.change       the same for the groups that an upsert or delete touches

What they write is unpublished until SumChange.publish. Points are pseudorandom, so
their order reveals nothing about the order of the source (design.md section 5).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import numpy as np
from blake3 import blake3

from matcher.sums.cohort import interleave
from matcher.sums.groups import choose_groups, covering_group
from node.compute.scratch import Piece, SealedScratch
from node.context import Node
from node.credentials.sum_keys import SumKeys
from node.database import Connection
from node.database import sum_tables as sum_rows
from node.database.sum_tables import Alias, GroupRow, NewGroup, StoredAlias
from node.domain.catalogue import Item
from node.errors import PreconditionError
from node.index.layout import split
from node.index.sum_aliases import open_aliases, seal_aliases, tags_of
from node.index.sum_blocks import read_rows, seal_block
from node.index.sum_rows import ALIAS, Rows, SumPieces, row_type
from node.wire.sum_messages import BLOCK_ROWS, POINT


@dataclass(frozen=True, slots=True)
class SumChange:
    """What a run made: prepared group versions, and their aliases.

    `removed` are the tags of the points of removed rows, None where all rows of the item are replaced.
    """

    item: str
    epoch: int
    prepared: Sequence[int]
    aliases: Sequence[StoredAlias]
    removed: Sequence[bytes] | None

    def publish(self, tx: Connection, now: datetime) -> None:
        """Make the versions current, in the transaction that publishes the import."""
        whole = self.removed is None
        sum_rows.publish(tx, self.item, self.epoch, self.prepared, whole=whole, now=now)
        sum_rows.replace_aliases(tx, self.item, self.epoch, self.aliases, self.removed)


@dataclass
class GroupWriter:
    """Blocks of one group version, in order; `size` is that of a ciphertext in bytes."""

    node: Node
    new: NewGroup
    group: int
    size: int
    rows: int = 0
    first_day: int = 2**31
    last_day: int = 0
    _blocks: int = 0
    _waiting: list[Rows] = field(default_factory=list)
    _count: int = 0
    _digest: "blake3" = field(default_factory=blake3)

    def add(self, rows: Rows) -> None:
        """Add rows in ascending order of points, after all earlier ones."""
        if not len(rows):
            return
        self.first_day = min(self.first_day, int(rows["day"].min()))
        self.last_day = max(self.last_day, int(rows["day"].max()))
        self._waiting.append(rows)
        self._count += len(rows)
        if self._count >= BLOCK_ROWS:
            waiting = np.concatenate(self._waiting)
            whole = len(waiting) // BLOCK_ROWS * BLOCK_ROWS
            self._write(waiting[:whole])
            self._waiting, self._count = [waiting[whole:]], len(waiting) - whole

    @classmethod
    def open(cls, node: Node, new: NewGroup, size: int) -> "GroupWriter":
        """Begin a version, which is not served before it is published."""
        group = node.store.retry_write("open a group of sums", partial(sum_rows.open_group, new=new))
        return cls(node, new, group, size)

    def finish(self) -> int:
        """Write the rest, then size and digest of the whole; return the version's id."""
        if self._count:
            self._write(np.concatenate(self._waiting))
        self.node.store.retry_write(
            "finish a group of sums",
            partial(
                sum_rows.finish_group,
                group=self.group,
                rows=self.rows,
                digest=self._digest.digest(),
                days=(self.first_day if self.rows else 0, self.last_day),
            ),
        )
        return self.group

    def _write(self, rows: Rows) -> None:
        blocks = []
        for at in range(0, len(rows), BLOCK_ROWS):
            block = seal_block(self.node.keys.vault, self.new, self._blocks, rows[at : at + BLOCK_ROWS])
            self._digest.update(interleave(block.points, block.ciphertexts, POINT, self.size))
            blocks.append(block)
            self._blocks += 1
        self.rows += len(rows)
        self.node.store.retry_write(
            "write rows of sums", partial(sum_rows.add_blocks, group=self.group, new=blocks)
        )


@dataclass(frozen=True)
class SumTableWriter:
    """Writes one run's rows of an item."""

    node: Node
    item: Item
    keys: SumKeys
    scratch: SealedScratch

    def replace_all(self, found: Sequence[SumPieces]) -> SumChange:
        """Groups of a full import, prepared but not published."""
        areas: Counter[int] = sum((each.areas for each in found), Counter())
        group_of = choose_groups(areas, self.node.config.limits.k_anonymity)
        prepared = [
            self._write_group(prefix, parts, None, set())
            for prefix, parts in sorted(self._split(found, group_of).items())
        ]
        return SumChange(self.item.code, self.keys.epoch, prepared, self._sealed_aliases(found), None)

    def change(self, found: Sequence[SumPieces]) -> SumChange:
        """New versions of the groups that an upsert or delete touches.

        Raises UnavailableError for damage, PreconditionError where the rows are packed by another rule.
        """
        item, epoch, store = self.item.code, self.keys.epoch, self.node.store
        aliases, named, vault = self._sealed_aliases(found), self._named(found), self.node.keys.vault
        named_tags = tags_of(self.keys, [point for point, _ in named])
        with store.transaction("find groups of sums") as tx:
            present = {row.prefix: row for row in sum_rows.current_groups(tx, item, epoch)}
            stored = sum_rows.find_aliases(tx, item, epoch, named_tags)
        if any(row.packing != self._packing for row in present.values()):
            raise PreconditionError(
                f"{item}: the catalogue's bands or cap of its sums, or the release, changed "
                "since rows were made",
                "import a full export, without --upsert and --delete; or rotate the keys of sums first",
            )
        known = open_aliases(vault, epoch, item, stored)
        leaving = {alias.point: alias.area for alias in known} | dict(named)
        areas = {area for each in found for area in each.areas} | set(leaving.values())
        group_of = {area: covering_group(present, area) for area in areas}
        pieces = self._split(found, group_of)
        deleted: dict[str, set[bytes]] = defaultdict(set)
        for point, area in leaving.items():
            deleted[group_of[area]].add(point)
        prepared = [
            self._write_group(prefix, pieces.get(prefix, {}), present.get(prefix), deleted.get(prefix, set()))
            for prefix in sorted({*pieces, *(prefix for prefix in deleted if prefix in present)})
        ]
        return SumChange(item, epoch, prepared, aliases, tags_of(self.keys, list(leaving)))

    @property
    def _packing(self) -> bytes:
        if self.item.sum is None:
            raise ValueError("an item without a rule has no sums")
        return self.item.sum.packing

    def _write_group(
        self,
        prefix: str,
        parts: Mapping[int, Sequence[Piece]],
        old: GroupRow | None,
        leaving: set[bytes],
    ) -> int:
        new = NewGroup(self.item.code, prefix, self.keys.epoch, self._packing)
        writer = GroupWriter.open(self.node, new, self.keys.private.public.ciphertext_size)
        stay = _OldRows(self._old_rows(old, leaving))
        for part in sorted(parts):
            rows = np.concatenate([self._load(piece) for piece in parts[part]])
            rows = rows[rows["deleted"] == 0]
            for some in _merge(stay, rows[np.argsort(rows["point"], kind="stable")]):
                writer.add(some)
        for some in stay.rest():
            writer.add(some)
        return writer.finish()

    def _old_rows(self, old: GroupRow | None, leaving: set[bytes]) -> Iterator[Rows]:
        if old is None:
            return
        for rows in read_rows(self.node, old):
            keep = [point.tobytes() not in leaving for point in rows["point"]]
            yield rows[np.array(keep, dtype=bool)]

    def _split(
        self, found: Sequence[SumPieces], group_of: Mapping[int, str]
    ) -> dict[str, dict[int, list[Piece]]]:
        """The rows, split again by group and part."""
        pieces: dict[str, dict[int, list[Piece]]] = defaultdict(lambda: defaultdict(list))
        prefixes = sorted(set(group_of.values()))
        number_of = {area: prefixes.index(prefix) for area, prefix in group_of.items()}
        for each in found:
            for part, piece in each.rows:
                rows = self._load(piece)
                rows = rows[rows["deleted"] == 0]
                groups = np.fromiter((number_of[area] for area in rows["area"].tolist()), np.int64, len(rows))
                for number, which in split(groups):
                    pieces[prefixes[number]][part].append(self.scratch.write(rows[which].tobytes()))
        return pieces

    def _named(self, found: Sequence[SumPieces]) -> list[tuple[bytes, int]]:
        """Point and area of every identity that the source names."""
        return [
            (row["point"].tobytes(), int(row["area"]))
            for each in found
            for _, piece in each.rows
            for row in self._load(piece)[["point", "area"]]
        ]

    def _sealed_aliases(self, found: Iterable[SumPieces]) -> list[StoredAlias]:
        aliases = [
            Alias(row["alias"].tobytes(), row["point"].tobytes(), int(row["area"]))
            for each in found
            for piece in each.aliases
            for row in np.frombuffer(self.scratch.read(piece), dtype=ALIAS)
        ]
        return seal_aliases(self.node.keys.vault, self.keys, self.item.code, aliases)

    def _load(self, piece: Piece) -> Rows:
        return np.frombuffer(
            self.scratch.read(piece), dtype=row_type(self.keys.private.public.ciphertext_size)
        )


class _OldRows:
    """Rows of the previous version, read in order while new rows are merged in."""

    def __init__(self, rows: Iterator[Rows]) -> None:
        self._rows = rows
        self._left: Rows | None = next(rows, None)

    def up_to(self, point: bytes) -> Iterator[Rows]:
        """Rows with points up to this one."""
        while self._left is not None:
            end = sum(each.tobytes() <= point for each in self._left["point"])
            yield self._left[:end]
            if end < len(self._left):
                self._left = self._left[end:]
                return
            self._left = next(self._rows, None)

    def rest(self) -> Iterator[Rows]:
        """All other rows."""
        while self._left is not None:
            yield self._left
            self._left = next(self._rows, None)


def _merge(stay: _OldRows, new: Rows) -> Iterator[Rows]:
    """Merge both in order of points."""
    if not len(new):
        return
    old = list(stay.up_to(new["point"][-1].tobytes()))
    rows = np.concatenate([*old, new])
    yield rows[np.argsort(rows["point"], kind="stable")]
