"""Rows of a register as arrays, and one record per subject of them (design.md sections 3 and 9).

The same as `node/domain/records.py` for many rows at once: the same records and the same counts.
It takes only rows whose subject has a single identity; the few others go through `combine`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from matcher import batch
from matcher.suites.suite import CURRENT
from matcher.types import Identity
from matcher.vectorised import Bytes
from node.domain.catalogue import Item
from node.domain.records import SourceRow
from node.index.people import Numbers, People

# `subject` is the bucket digest of the identity, as two numbers; `copies` counts wholly equal rows that
# were joined into this one; `name_size` is 0 without a name, whose bytes are stored apart from the rows.
ROW = np.dtype(
    [
        ("subject", "<u8", 2),
        ("key", "<u8", 2),
        ("sequence", "<i8"),
        ("amount", "<i8"),
        ("day", "<i4"),
        ("copies", "<u4"),
        ("name_size", "<u2"),
        ("id_type", "u1"),
        ("value", "u1", batch.VALUE_SIZE),
    ]
)
KEY_SIZE = 16


@dataclass(frozen=True, slots=True)
class Rows:
    """`table` is an array of ROW, `names` the names of its rows in UTF-8 (empty: none has one)."""

    table: NDArray[np.void] = field(repr=False)
    names: Sequence[bytes] = field(repr=False, default=())

    def __len__(self) -> int:
        return len(self.table)

    def take(self, which: NDArray[np.integer] | NDArray[np.bool_]) -> "Rows":
        """Some of the rows, in the order asked."""
        if not self.names:
            return Rows(self.table[which])
        return Rows(self.table[which], np.array(self.names, dtype=object)[which].tolist())

    def cut(self, starts: Sequence[int]) -> Iterator["Rows"]:
        """The rows between each start and the next."""
        for start, end in pairwise([*starts, len(self)]):
            yield Rows(self.table[start:end], self.names[start:end])

    def to_bytes(self) -> bytes:
        """One piece of bytes, for a sealed file."""
        return len(self.table).to_bytes(8, "little") + self.table.tobytes() + b"".join(self.names)

    @classmethod
    def from_bytes(cls, pieces: Iterable[bytes]) -> "Rows":
        """The rows of several pieces, one after the other."""
        tables, names, any_name = [], list[bytes](), False
        for piece in pieces:
            count = int.from_bytes(piece[:8], "little")
            table = np.frombuffer(piece, dtype=ROW, count=count, offset=8)
            end = 8 + table.nbytes
            tables.append(table)
            any_name = any_name or len(piece) > end
            ends = (end + np.cumsum(table["name_size"], dtype=np.int64)).tolist()
            names += [piece[start:stop] for start, stop in zip([end, *ends], ends, strict=False)]
        table = np.concatenate(tables) if tables else np.zeros(0, dtype=ROW)
        return cls(table, names if any_name else ())


def make_key(key: str | bytes, day: int, *, monthly: bool) -> bytes:
    """The key of a record of a subject, 16 bytes: a short record number itself, else a digest.

    Over a period the date belongs to a record number, so that twelve monthly rows of one account add up.
    """
    if isinstance(key, bytes):
        return key
    text = (f"{key}\x1f{day}" if monthly else key).encode("utf-8", "surrogatepass")
    if len(text) < KEY_SIZE and b"\0" not in text:
        return text.ljust(KEY_SIZE, b"\0")
    return blake3(b"record number\0" + text).digest(KEY_SIZE)


def make_table(
    salt: bytes,
    types: NDArray[np.uint8],
    values: Bytes,
    keys: bytes,
    days: Sequence[int] | Numbers,
    amounts: Sequence[int] | Numbers,
    sequence: Sequence[int] | Numbers,
    names: Sequence[bytes] = (),
) -> Rows:
    """Rows from columns; `keys` holds 16 bytes a row."""
    table = np.zeros(len(values), dtype=ROW)
    table["subject"] = CURRENT.digests(salt, types, values).view(">u8").reshape(-1, 2)
    table["key"] = np.frombuffer(keys, dtype="<u8").reshape(-1, 2)
    table["day"], table["amount"], table["sequence"] = days, amounts, sequence
    table["id_type"], table["value"], table["copies"] = types, values, 1
    if not any(names):
        return Rows(table)
    table["name_size"] = np.fromiter(map(len, names), dtype=np.uint16, count=len(names))
    return Rows(table, names)


def pack(salt: bytes, rows: Sequence[SourceRow]) -> Rows:
    """Settled rows of the exact reader: dated, `key` of 16 bytes, `line` their place in the order of rows.

    Of each only the first identity counts.
    """
    packed = [batch.pack_identity(row.identities[0]) for row in rows]
    value = b"".join(value.ljust(batch.VALUE_SIZE, b"\0") for _, value in packed)
    return make_table(
        salt,
        np.fromiter((id_type for id_type, _ in packed), dtype=np.uint8, count=len(rows)),
        np.frombuffer(value, dtype=np.uint8).reshape(-1, batch.VALUE_SIZE),
        b"".join(row.key for row in rows if isinstance(row.key, bytes)),
        [row.as_of.toordinal() for row in rows if row.as_of],
        [row.amount for row in rows],
        [row.line for row in rows],
        [row.name.encode("utf-8", "surrogatepass") for row in rows],
    )


def unpack(rows: Rows) -> Iterable[SourceRow]:
    """Back to single rows, copies and all; `line` is the sequence."""
    names = rows.names or [b""] * len(rows)
    for row, name in zip(rows.table, names, strict=True):
        found = batch.unpack_identity(int(row["id_type"]), row["value"].tobytes())
        text = name.decode("utf-8", "surrogatepass")
        single = SourceRow(
            int(row["sequence"]),
            (found,),
            text,
            row["key"].tobytes(),
            int(row["amount"]),
            date.fromordinal(int(row["day"])),
        )
        for _ in range(int(row["copies"])):
            yield single


def dump_linked(rows: Sequence[SourceRow]) -> bytes:
    """Settled rows with all their identities, as JSON: half of a name's surrogate pair passes too."""
    return json.dumps(
        [
            (
                row.line,
                [(found.id_type, found.value) for found in row.identities],
                row.name,
                make_key(row.key, 0, monthly=False).hex(),  # a settled row's key is 16 bytes already
                row.amount,
                row.as_of.toordinal() if row.as_of else None,
            )
            for row in rows
        ]
    ).encode("ascii")


def load_linked(data: bytes) -> list[SourceRow]:
    """What `dump_linked` wrote."""
    return [
        SourceRow(
            line,
            tuple(Identity(*found) for found in identities),
            name,
            bytes.fromhex(key),
            amount,
            None if day is None else date.fromordinal(day),
        )
        for line, identities, name, key, amount, day in json.loads(data)
    ]


def join(*parts: Rows) -> Rows:
    """Several tables as one."""
    names: list[bytes] = []
    if any(part.names for part in parts):
        for part in parts:
            names += part.names or [b""] * len(part)
    return Rows(np.concatenate([part.table for part in parts]), names)


def collapse(rows: Rows) -> Rows:
    """Join wholly equal rows of a subject that follow each other: ten million copies cost nothing."""
    table = rows.table
    high = table["subject"][:, 0]
    order = np.argsort(high, kind="stable")
    if not (high[order][1:] == high[order][:-1]).any():
        return rows
    names = _name_codes(rows)
    # In the order of the rows, so that joining equal neighbours leaves every count as it is.
    order = np.lexsort((table["sequence"], *table["key"].T, *table["subject"].T))
    same = np.ones(len(order) - 1, dtype=bool)
    for column in (*table["subject"].T, *table["key"].T, table["day"], table["amount"], names):
        same &= column[order][1:] == column[order][:-1]
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    # The last of equal rows represents all: the latest of two names decides (node/domain/records.py).
    kept = order[np.concatenate((starts[1:], [len(order)])) - 1]
    found = rows.take(kept)
    found.table["copies"] = np.add.reduceat(table["copies"][order], starts)
    return found


def combine_rows(rows: Rows, item: Item) -> tuple[People, Counter[str]]:
    """One record per subject by the item's rule; counts as in node/domain/records.py.

    Counted are `accepted`, `duplicates`, `contradictions`, `name_conflicts`, `records`.
    """
    table = rows.table
    counts: Counter[str] = Counter(duplicates=int(table["copies"].sum(dtype=np.int64)) - len(table))
    order = np.argsort(table["subject"][:, 0], kind="stable")
    high = table["subject"][order, 0]
    shared = np.zeros(len(table), dtype=bool)  # rows that have another of (nearly) the same subject
    shared[1:] = high[1:] == high[:-1]
    shared[:-1] |= shared[1:]
    alone = rows.take(order[~shared])
    people = [_single(alone, item)]
    counts["accepted"] += len(alone)
    if shared.any():
        people.append(_combine_several(rows.take(order[shared]), item, counts))
    joined = _join_people(people)
    counts["records"] = len(joined.totals)
    return joined, counts


def _single(rows: Rows, item: Item) -> People:
    amounts = rows.table["amount"].astype(np.int64)
    totals = (amounts > 0).astype(np.int64) if item.combine == "any" else amounts
    return _people(rows, totals, rows.table["day"].astype(np.int64), rows.names)


def _people(rows: Rows, totals: Numbers, days: Numbers, names: Sequence[bytes]) -> People:
    table = rows.table
    return People(table["id_type"], table["value"], table["subject"], totals, days, names)


def _join_people(parts: Sequence[People]) -> People:
    if len(parts) == 1:
        return parts[0]
    names: list[bytes] = []
    if any(part.names for part in parts):
        for part in parts:
            names += part.names or [b""] * len(part.totals)
    return People(
        np.concatenate([part.types for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.subjects for part in parts]),
        np.concatenate([part.totals for part in parts]),
        np.concatenate([part.days for part in parts]),
        names,
    )


def _combine_several(rows: Rows, item: Item, counts: Counter[str]) -> People:
    """Subjects of several rows: of equal keys the newest, the larger of one day; then the item's rule."""
    table = rows.table
    rows = rows.take(np.lexsort((table["sequence"], *table["key"].T, *table["subject"].T)))
    table = rows.table
    subjects = _starts(table["subject"][:, 0], table["subject"][:, 1])
    keys = _starts(*table["subject"].T, *table["key"].T)
    counts["accepted"] += len(keys)
    counts["duplicates"] += len(table) - len(keys)
    counts["contradictions"] += _contradictions(table, keys)
    names, counts["name_conflicts"] = _latest_names(rows, subjects)
    best = _last_of(keys, table["amount"], table["day"])
    parts = table[best]
    owners = np.searchsorted(keys, subjects)  # where each subject's parts start
    amounts, days = parts["amount"].astype(np.int64), parts["day"].astype(np.int64)
    match item.combine:
        case "latest":
            newest = _last_of(owners, amounts, days)
            totals, day = amounts[newest], days[newest]
        case "any":
            positive = np.maximum.reduceat(np.where(amounts > 0, days, -1), owners)
            totals = (positive >= 0).astype(np.int64)
            day = np.where(positive >= 0, positive, np.maximum.reduceat(days, owners))
        case _:
            totals = np.add.reduceat(amounts, owners)
            pick = np.maximum if item.time == "period" else np.minimum
            day = pick.reduceat(days, owners)
    return _people(rows.take(subjects), totals, day, names)


def _starts(*columns: NDArray[np.uint64]) -> Numbers:
    """Where a new combination of values begins in sorted columns."""
    new = np.zeros(len(columns[0]), dtype=bool)
    new[0] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new)


def _last_of(starts: Numbers, amounts: NDArray[np.integer], days: NDArray[np.integer]) -> Numbers:
    """In each group the place of the newest, and of the larger amount of one day."""
    group = np.zeros(len(days), dtype=np.int64)
    group[starts[1:]] = 1
    order = np.lexsort((amounts, days, np.cumsum(group)))
    return np.asarray(order[np.concatenate((starts[1:], [len(days)])) - 1])


def _contradictions(table: NDArray[np.void], keys: Numbers) -> int:
    """Duplicates whose amount differs from the one kept so far, at the same date. They are few."""
    low, high = (pick.reduceat(table["amount"], keys) for pick in (np.minimum, np.maximum))
    found, ends = 0, np.concatenate((keys[1:], [len(table)]))
    for group in np.flatnonzero(low != high):
        kept: tuple[int, int] | None = None
        for row in table[keys[group] : ends[group]]:
            part = (int(row["day"]), int(row["amount"]))
            if kept is not None and kept[0] == part[0] and kept[1] != part[1]:
                # Copies of the smaller amount contradict each time, of the larger one only once.
                found += 1 if part > kept else int(row["copies"])
            kept = part if kept is None else max(kept, part)
    return found


def _latest_names(rows: Rows, subjects: Numbers) -> tuple[Sequence[bytes], int]:
    """The newest name of each subject, the smaller bytes of one day, and how many subjects' rows disagree."""
    if not rows.names:
        return (), 0
    latest, conflicts = [], 0
    days = rows.table["day"].tolist()
    for start, end in zip(subjects.tolist(), [*subjects[1:].tolist(), len(rows)], strict=True):
        named = [(-days[at], rows.names[at]) for at in range(start, end) if rows.names[at]]
        latest.append(min(named)[1] if named else b"")
        conflicts += len({name for _, name in named}) > 1
    return latest, conflicts


def _name_codes(rows: Rows) -> Numbers:
    codes: dict[bytes, int] = {}
    if not rows.names:
        return np.zeros(len(rows), dtype=np.int64)
    found = (codes.setdefault(name, len(codes)) for name in rows.names)
    return np.fromiter(found, dtype=np.int64, count=len(rows))
