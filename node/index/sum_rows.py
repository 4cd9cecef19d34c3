"""The rows of encrypted sums as workers of an import make them (design.md section 5).

A row is made for a record: a point under the sum key, its value and one ciphertext of it. It has the point of
the record's first identity; the points of its other identities are aliases, so that an upsert that names the
person by any number finds the row. Values are in memory and in sealed scratch files only, and are stored
sealed (node/index/sum_blocks.py).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher import batch
from matcher.sums import slots
from matcher.sums.slots import CheckKey
from matcher.vectorised import Bytes
from node.compute.scratch import Piece, SealedScratch
from node.credentials.sum_keys import SumKeys, encryptor
from node.domain.sum_rules import SumRule
from node.index.layout import BuildSpec, split
from node.wire.sum_messages import POINT

_AREA_DIGITS = 6
Rows = NDArray[np.void]
# The point of another identity of a record, and where the record's row is.
ALIAS = np.dtype([("alias", "V32"), ("point", "V32"), ("area", "<u4")])


@dataclass(frozen=True, slots=True)
class SumPieces:
    """What a worker made: rows by the first bits of their points, aliases, and how many of each area."""

    rows: Sequence[tuple[int, Piece]]
    aliases: Sequence[Piece]
    areas: Counter[int]


def row_type(ciphertext_size: int) -> np.dtype[np.void]:
    """A row: `deleted` marks a record to be removed; it has no value and no ciphertext.

    `value` is that of the record; the ciphertext holds no more than the cap of the item.
    """
    return np.dtype(
        [
            ("point", "V32"),
            ("area", "<u4"),
            ("day", "<i4"),
            ("deleted", "u1"),
            ("value", "<u8"),
            ("ciphertext", "u1", ciphertext_size),
        ]
    )


def make_rows(
    work: BuildSpec,
    scratch: SealedScratch,
    types: NDArray[np.uint8],
    values: Bytes,
    totals: NDArray[np.int64],
    days: NDArray[np.int64],
    owners: NDArray[np.int64] | None = None,
) -> SumPieces:
    """Rows of records; `days` since 1970-01-01.

    With `owners` there is one line per identity, and those of one record are adjacent: the first has the
    row, the others become aliases. In an upsert or delete each identity also names a row to be removed.
    """
    keys = work.sums
    if keys is None or not len(types):
        return SumPieces((), (), Counter())
    salt = work.terms.salt
    points = (
        work.suite.own_tokens(keys.sum_key, work.suite.map_to_curve(salt, types, values)).view("V32").ravel()
    )
    areas = _areas(types, values)
    first = np.ones(len(types), dtype=bool)
    aliases: list[Piece] = []
    if owners is not None:
        first[1:] = owners[1:] != owners[:-1]
        aliases = _write_aliases(scratch, points, areas, first)
    rule = _rule(work)
    made = first & (totals >= 0) & fits(rule, totals) & (not work.hidden)
    table = np.zeros(len(types), dtype=row_type(keys.private.public.ciphertext_size))
    table["point"], table["area"], table["day"], table["deleted"] = points, areas, days, ~made
    table["value"][made] = totals[made]
    table["ciphertext"][made] = encrypt_rows(keys, work.terms.item.code, rule, points[made], totals[made])
    if not work.every:
        table = table[made]
    places = parts_of(table["point"], work.part_bits)
    pieces = [(part, scratch.write(table[which].tobytes())) for part, which in split(places)]
    return SumPieces(pieces, aliases, Counter(areas[made].tolist()))


def fits(rule: SumRule, values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which values become rows: those that a slot can hold."""
    return np.asarray(_capped(rule, values) <= rule.greatest)


def encrypt_rows(
    keys: SumKeys, item: str, rule: SumRule, points: NDArray[np.void], values: NDArray[np.integer]
) -> Bytes:
    """One ciphertext a row: its value, capped, the guards of its point, the check slot of the epoch and item.

    Raises SlotsError for a value that does not fit.
    """
    check = CheckKey.derive(keys.check, item, rule.layout)
    guards = (slots.guard_bits(keys.check, point.tobytes()) for point in points)
    pairs = zip(_capped(rule, values).tolist(), guards, strict=True)
    packed = [slots.pack(rule.layout, check, value, bits) for value, bits in pairs]
    made = b"".join(encryptor(keys.primes).encrypt(packed)) if packed else b""
    return np.frombuffer(made, dtype=np.uint8).reshape(len(packed), keys.private.public.ciphertext_size)


def _capped(rule: SumRule, values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Values as they are counted: at most what the noise hides."""
    return np.minimum(values, rule.max_contribution) if rule.max_contribution else values


def _rule(work: BuildSpec) -> SumRule:
    rule = work.terms.item.sum
    if rule is None:
        raise ValueError("an item without a rule has no sums")
    return rule


def _areas(types: NDArray[np.uint8], values: Bytes) -> NDArray[np.uint32]:
    """The first six digits of resident numbers and permits, 0 for documents without an area."""
    digits = values[:, :_AREA_DIGITS].astype(np.int64) - 48
    area = digits @ np.array([100000, 10000, 1000, 100, 10, 1])
    return np.where(batch.origins(types, values) > 0, area, 0).astype(np.uint32)


def _write_aliases(
    scratch: SealedScratch, points: NDArray[np.void], areas: NDArray[np.uint32], first: NDArray[np.bool_]
) -> list[Piece]:
    heads = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
    others = np.flatnonzero(~first)
    found = np.zeros(len(others), dtype=ALIAS)
    found["alias"], found["point"], found["area"] = (
        points[others],
        points[heads[others]],
        areas[heads[others]],
    )
    return [scratch.write(found.tobytes())] if len(found) else []


def parts_of(points: NDArray[np.void], bits: int) -> NDArray[np.int64]:
    """The part of each point: its first bits, so that parts are in the order of points."""
    head = np.frombuffer(points.tobytes(), dtype=np.uint8).reshape(-1, POINT)[:, :4]
    numbers = np.ascontiguousarray(head).view(">u4")[:, 0].astype(np.uint64)
    return (numbers >> np.uint64(32 - bits)).astype(np.int64)
