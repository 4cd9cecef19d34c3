"""Import: source rows of one item to published partitions (design.md sections 2 and 3).

    read -> combine -> map to curve -> evaluate -> tag, seal -> cut into buckets -> publish

Raw rows pass through memory only. All partitions of the item are published in one transaction: an
import that is killed leaves the previous version served.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from matcher import Identity, LabelRecord, identity, index, label, merkle, oprf, token
from matcher import filter as filters
from node import reader
from node.catalogue import Item, disclose
from node.errors import InputError
from node.node import Node
from node.query import EPOCH_START
from node.reader import Reject
from node.records import Record, SourceRow, Tally, combine
from node.respond import planted_value
from node.store import Connection
from node.store import audit as audit_rows
from node.store import index as index_rows

BATCH = 8192
SHRUNK = 0.5  # of the rows before: registers change by a few per cent from one export to the next
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `origins` are the partitions that hold people, by their entries.

    `accepted_before` are the rows that the import before this one accepted, None for the first.
    """

    item: str
    tally: Tally
    origins: dict[str, int]
    rejects_file: Path | None
    accepted_before: int | None = None

    @property
    def shrunk(self) -> bool:
        """Whether so many rows are gone that this may be a part of the register only."""
        return self.accepted_before is not None and self.tally.accepted < self.accepted_before * SHRUNK


@dataclass(frozen=True, slots=True)
class _Source:
    """One entry to be: an identity and the record that stands under it."""

    found: Identity = field(repr=False)
    record: LabelRecord = field(repr=False)
    name: str = field(repr=False)


def import_item(
    node: Node,
    code: str,
    paths: Sequence[Path],
    *,
    columns: Mapping[str, str] | None = None,
    default_as_of: date | None = None,
    rejects_file: Path | None = None,
    allow_empty: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Imported:
    """Replace what this node holds of one item by the rows of some files (a full export of the item).

    Bad rows do not stop it: they go to `rejects_file` with line and reason, and are counted. Raises
    ItemNotOfferedError for an unknown code, and InputError for a file that cannot be used or, without
    `allow_empty`, files without one usable row: a wrong file must not erase the register. What was
    published before stays as it was whenever this raises.
    """
    item = node.catalogue.item(code)
    today = node.clock().date()
    rejects: list[Reject] = []
    rows = _counted(_read_all(paths, item, columns, today, allow_empty), progress)
    records, tally = combine(rows, item, default_as_of or today, rejects.append)
    if rejects_file is not None and (rejects or rejects_file.exists()):
        reader.write_rejects(rejects_file, rejects)
    if not tally.accepted and not allow_empty:
        raise InputError(
            f"{code}: none of the {tally.read} rows can be used, so the register is left as it was",
            f"{rejects_file or 'the list of rejects'} says why; --allow-empty publishes an empty register",
        )
    by_origin = _by_origin(item, records, node)
    entries = _build_entries(node, item, by_origin, progress)
    partitions = [_cut(node, item, origin, today, by_origin[origin], built) for origin, built in entries]
    totals = {origin: len(sources) for origin, sources in by_origin.items() if sources}
    before = _publish(node, item, partitions, tally)
    return Imported(item.code, tally, totals, rejects_file if rejects else None, before)


def _read_all(
    paths: Sequence[Path], item: Item, columns: Mapping[str, str] | None, today: date, allow_empty: bool
) -> Iterator[SourceRow | Reject]:
    for path in paths:
        yield from reader.read(path, item, columns, today, allow_empty=allow_empty)


def _counted(rows: Iterator[SourceRow | Reject], progress: Progress) -> Iterator[SourceRow | Reject]:
    for number, row in enumerate(rows, 1):
        if number % BATCH == 0:
            progress("read", number, 0)
        yield row


def _by_origin(item: Item, records: Sequence[Record], node: Node) -> dict[str, list[_Source]]:
    """Split by origin (design.md section 3). Every origin gets a partition, so an empty one is no news."""
    split: dict[str, list[_Source]] = {
        origin: [] for origin in (*sorted(identity.PROVINCES), identity.NO_ORIGIN)
    }
    for record in records:
        value = disclose(item, record.total)
        if value is None:
            continue
        plain = LabelRecord(
            level=item.level,
            value=value,
            as_of=(record.as_of - EPOCH_START).days,
            name_check=0,
            has_name=bool(record.name),
            record=node.random_bytes(label.RECORD_NUMBER_SIZE),
        )
        for found in record.identities:
            split.setdefault(identity.origin(found), []).append(_Source(found, plain, record.name))
    return split


def _build_entries(
    node: Node, item: Item, by_origin: Mapping[str, list[_Source]], progress: Progress
) -> Iterator[tuple[str, list[index.Entry]]]:
    total, done = sum(map(len, by_origin.values())), 0
    for origin, people in by_origin.items():
        sources = [*people, *_planted_sources(node, item, origin)]
        associated = label.associated_data(item.code, origin, node.keys.epoch)
        built: list[index.Entry] = []
        for at in range(0, len(sources), BATCH):
            built += _build_batch(node, item, sources[at : at + BATCH], associated)
            progress("index", done + min(at + BATCH, len(people)), total)
        done += len(people)
        yield origin, built


def _build_batch(
    node: Node, item: Item, sources: Sequence[_Source], associated: bytes
) -> Iterator[index.Entry]:
    salt = node.keys.salt
    tokens = oprf.evaluate_own(node.keys.oprf, token.map_batch(salt, (source.found for source in sources)))
    for number, source in enumerate(sources):
        point = tokens[32 * number : 32 * number + 32]
        tag, label_key = token.entry_keys(token.token_secret(point), item.code, node.keys.epoch)
        record = source.record
        if record.has_name:
            check = label.name_check(label_key, source.name)
            record = LabelRecord(
                record.level, record.value, record.as_of, check, True, record.record, record.planted
            )
        sealed = label.seal(label_key, record, associated, node.random_bytes(label.NONCE_SIZE))
        yield index.Entry(tag, sealed, point, token.bucket_prefix(salt, source.found))


def _planted_sources(node: Node, item: Item, origin: str) -> list[_Source]:
    """The test subjects of a partition (design.md section 2): the same names and values in every version."""
    today = (node.clock().date() - EPOCH_START).days
    return [
        _Source(
            identity.planted(item.code, origin, name),
            LabelRecord(
                item.level, value, today, 0, False, node.random_bytes(label.RECORD_NUMBER_SIZE), planted=True
            ),
            "",
        )
        for name, value in _planted_values(node, item)
    ]


def _planted_values(node: Node, item: Item) -> tuple[tuple[str, int], ...]:
    count = node.config.limits.planted_per_partition
    return tuple((f"hit-{number}", planted_value(item, number)) for number in range(count))


def _cut(
    node: Node,
    item: Item,
    origin: str,
    today: date,
    people: Sequence[_Source],
    entries: Sequence[index.Entry],
) -> index_rows.NewPartition:
    bits = index.bucket_bits(len(entries), node.config.limits.k_anonymity)
    buckets = list(index.build_buckets(entries, bits))
    leaves = [index.bucket_leaf(bucket.number, bucket.entries) for bucket in buckets]
    place = f"points {item.code} {origin} {node.keys.epoch}"
    oldest = min((source.record.as_of for source in people), default=(today - EPOCH_START).days)
    return index_rows.NewPartition(
        item=item.code,
        origin=origin,
        entries=len(entries),
        bits=bits,
        root=merkle.root(leaves),
        leaves=b"".join(leaves),
        filter=filters.serialise(filters.build(b"".join(entry.tag for entry in entries))),
        as_of=oldest,
        planted=_planted_values(node, item),
        # Sealed, because a point opens the label that stands beside it (docs/adr/0001).
        buckets=[
            (bucket.number, bucket.entries, node.keys.vault.seal(f"{place} {bucket.number}", bucket.points))
            for bucket in buckets
        ],
    )


def _publish(
    node: Node, item: Item, partitions: Sequence[index_rows.NewPartition], tally: Tally
) -> int | None:
    """Make the partitions current; return the rows that the import before this one accepted."""
    now = node.clock()

    def write(tx: Connection) -> dict[str, Any] | None:
        before = index_rows.last_import(tx, item.code)
        index_rows.publish(tx, node.keys.epoch, partitions, now)
        index_rows.record_import(tx, item.code, asdict(tally), now)
        audit_rows.append(
            tx,
            "item_imported",
            {
                "item": item.code,
                "epoch": node.keys.epoch,
                "read": tally.read,
                "accepted": tally.accepted,
                "rejected": tally.rejected,
                "duplicates": tally.duplicates,
                "entries": tally.entries,
            },
            now,
        )
        return before

    # Again when another writer took the next link of the audit chain: hours of work may be in `partitions`.
    before = node.store.retry_write("publish import", write)
    return None if before is None else int(before["accepted"])
