"""The quality of a source in counts (docs/sources.md): no number, name or value is kept, and none is shown.

Memory does not grow with the source: duplicates are counted among a share of the pairs of person and record,
by their hash, once there are more than SAMPLE of them; amounts are a histogram of their logarithms.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from node.domain.catalogue import Item
from node.domain.records import SourceRow
from node.registers.block_reader import Reading
from node.registers.check import Checked
from node.registers.chunks import Block
from node.registers.source_file import FloorSection

SAMPLE: Final = 1 << 21  # hashes of 8 bytes that are kept
BINS: Final = 100  # of a decade of amounts
_DEVIATIONS: Final = 5
_NORMAL: Final = 1.4826  # of a normal distribution: standard deviation over median absolute deviation
_NORMAL_MEAN: Final = 1.2533  # over mean absolute deviation
SAMPLE_ROWS: Final = 100  # fewer changed rows say nothing about a share


@dataclass(frozen=True, slots=True)
class Quality:
    """What a source is like. Rows are all that were read; `usable` those that are not rejected.

    `duplicates` are usable rows of one person with the record number of another row, estimated where
    `estimated`. `missing` are empty cells by field, of the fields that have a column. `outliers` are amounts,
    of `amounts` that are not 0. Dates are those of the usable rows, without one where nothing is usable.
    """

    item: str
    rows: int
    usable: int
    reasons: Mapping[str, int]
    valid: int
    duplicates: int
    estimated: bool
    missing: Mapping[str, int]
    amounts: int
    outliers: int
    oldest: date | None
    usual: date | None
    newest: date | None
    age_days: int | None
    stale: int
    private_names: int
    unknown_area: int
    unknown_county: int
    county_not_then: int
    sources: Sequence[Checked] = field(repr=False, default=())

    @property
    def rejected(self) -> int:
        """Rows that cannot be used."""
        return self.rows - self.usable

    @property
    def named(self) -> int:
        """Rows with a name, where names are read."""
        return self.rows - self.missing.get("name", self.rows)


class QualityCounter:
    """Looks at each block while a source is checked (`check_source`)."""

    def __init__(self, item: Item, today: date) -> None:
        self._item, self._today = item, today
        self._hashes = np.zeros(0, dtype=np.uint64)
        self._counts = np.zeros(0, dtype=np.int64)  # rows by hash
        self._new: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []
        self._waiting = 0  # hashes that are not sorted in yet
        self._bits = 0  # of a hash that must be 0 for it to be kept
        self._missing, self._bins, self._days = Counter[str](), Counter[int](), Counter[int]()

    def look(self, _block: Block, found: Reading) -> None:
        """Count one block."""
        self._missing.update(found.empty)
        table = found.rows.table
        copies = table["copies"].astype(np.int64)
        self._add_days(table["day"], copies)
        self._add_amounts(table["amount"], copies)
        self._add_hashes(_mixed(table["subject"], table["key"]), copies)
        if found.linked:
            ones = np.ones(len(found.linked), dtype=np.int64)
            days = [row.as_of.toordinal() if row.as_of else 0 for row in found.linked]
            self._add_days(np.array(days, dtype=np.int64), ones)
            self._add_amounts(np.array([row.amount for row in found.linked], dtype=np.int64), ones)
            self._add_hashes(np.array([_hash_of(row) for row in found.linked], dtype=np.uint64), ones)

    def result(self, checks: Sequence[Checked]) -> Quality:
        """The quality of all that was looked at; `checks` are the results of the check."""
        self._settle()
        amounts, outliers = count_outliers(self._bins)
        days = {day: rows for day, rows in self._days.items() if day}
        most = max(days.values(), default=0)
        usual = date.fromordinal(max(day for day, rows in days.items() if rows == most)) if days else None
        limit = self._today.toordinal() - self._item.freshness_days
        reasons = Counter[str]()
        for check in checks:
            reasons.update({word: reason.rows for word, reason in check.reasons.items()})
        return Quality(
            item=self._item.code,
            rows=sum(check.read for check in checks),
            usable=sum(check.usable for check in checks),
            reasons=dict(sorted(reasons.items())),
            valid=sum(check.valid_numbers for check in checks),
            duplicates=(int(self._counts.sum()) - len(self._hashes)) << self._bits,
            estimated=self._bits > 0,
            missing=dict(sorted(self._missing.items())),
            amounts=amounts,
            outliers=outliers,
            oldest=date.fromordinal(min(days)) if days else None,
            usual=usual,
            newest=date.fromordinal(max(days)) if days else None,
            age_days=(self._today - usual).days if usual else None,
            stale=sum(rows for day, rows in days.items() if day < limit),
            private_names=sum(check.private_names for check in checks),
            unknown_area=sum(check.unknown_area for check in checks),
            unknown_county=sum(check.unknown_county for check in checks),
            county_not_then=sum(check.county_not_then for check in checks),
            sources=checks,
        )

    def _add_days(self, days: NDArray[np.integer], copies: NDArray[np.int64]) -> None:
        self._days.update(_summed(days.astype(np.int64), copies))

    def _add_amounts(self, amounts: NDArray[np.int64], copies: NDArray[np.int64]) -> None:
        if self._item.value_kind in ("flag", "code"):
            return
        some = amounts > 0
        bins = np.floor(np.log10(amounts[some].astype(np.float64)) * BINS).astype(np.int64)
        self._bins.update(_summed(bins, copies[some]))

    def _add_hashes(self, hashes: NDArray[np.uint64], copies: NDArray[np.int64]) -> None:
        kept = self._is_kept(hashes)
        self._new.append((hashes[kept], copies[kept]))
        self._waiting += int(kept.sum())
        if self._waiting > SAMPLE:
            self._settle()

    def _is_kept(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        kept: NDArray[np.bool_] = (hashes & np.uint64((1 << self._bits) - 1)) == 0
        return kept

    def _settle(self) -> None:
        hashes = np.concatenate([self._hashes, *(one for one, _ in self._new)])
        counts = np.concatenate([self._counts, *(many for _, many in self._new)])
        self._hashes, places = np.unique(hashes, return_inverse=True)
        self._counts = np.zeros(len(self._hashes), dtype=np.int64)
        np.add.at(self._counts, places, counts)
        self._new, self._waiting = [], 0
        while len(self._hashes) > SAMPLE:
            self._bits += 1
            kept = self._is_kept(self._hashes)
            self._hashes, self._counts = self._hashes[kept], self._counts[kept]


def count_outliers(bins: Mapping[int, int]) -> tuple[int, int]:
    """Amounts of a histogram of logarithms, and how many are outliers: more than ten times larger or smaller
    than the median, and more than five robust standard deviations from it (1.4826 times the median absolute
    deviation of the logarithms; where that is 0, 1.2533 times the mean one).
    """
    total = sum(bins.values())
    if not total:
        return 0, 0
    middle = _median(bins)
    away = Counter[int]()
    for place, rows in bins.items():
        away[abs(place - middle)] += rows
    spread = _NORMAL * _median(away) or _NORMAL_MEAN * sum(far * rows for far, rows in away.items()) / total
    limit = max(BINS, _DEVIATIONS * spread)
    return total, sum(rows for far, rows in away.items() if far > limit)


def _median(bins: Mapping[int, int]) -> int:
    left = (sum(bins.values()) + 1) // 2
    for place in sorted(bins):
        left -= bins[place]
        if left <= 0:
            return place
    return 0


def _summed(values: NDArray[np.int64], copies: NDArray[np.int64]) -> dict[int, int]:
    found, places = np.unique(values, return_inverse=True)
    rows = np.bincount(places, weights=copies, minlength=len(found)).astype(np.int64)
    return dict(zip(found.tolist(), rows.tolist(), strict=True))


def _mixed(subject: NDArray[np.uint64], key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of the pairs of person and record; wraps round, as the finaliser of SplitMix64 does."""
    found = subject[:, 0] ^ (key[:, 0] * np.uint64(0x9E3779B97F4A7C15))
    for part, factor in ((key[:, 1], 0xBF58476D1CE4E5B9), (subject[:, 1], 0x94D049BB133111EB)):
        found = (found ^ (found >> np.uint64(31)) ^ part) * np.uint64(factor)
    mixed: NDArray[np.uint64] = found ^ (found >> np.uint64(29))
    return mixed


def _hash_of(row: SourceRow) -> int:
    key = row.key if isinstance(row.key, bytes) else row.key.encode()
    return int.from_bytes(blake3(row.identities[0].value.encode() + b"\0" + key).digest(8), "little")


# ---- the floor


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule of the floor that a source does not keep: what was found, and what is allowed."""

    rule: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.found}, allowed {self.allowed}"


def judge(found: Quality, floor: FloorSection, *, changes: bool = False) -> Sequence[Finding]:
    """The rules that a source does not keep. Of fewer than 100 changed rows no share is judged."""
    findings = [] if changes else list(_judge_rows(found, floor))
    if changes and found.rows < SAMPLE_ROWS:
        return findings
    return [*findings, *_judge_shares(found, floor)]


def _judge_rows(found: Quality, floor: FloorSection) -> Iterator[Finding]:
    if found.rows < floor.least_rows:
        yield Finding("least_rows", f"{found.rows:,} rows", f"{floor.least_rows:,} or more")
    if floor.fresh_days and found.age_days is not None and found.age_days > floor.fresh_days:
        yield Finding("fresh_days", f"{found.age_days} days", f"{floor.fresh_days} or fewer")


def _judge_shares(found: Quality, floor: FloorSection) -> Iterator[Finding]:
    valid = _share(found.valid, found.rows)
    if found.rows and valid < floor.valid_share:
        yield Finding("valid_share", f"{valid:.4f}", f"{floor.valid_share:.4f} or more")
    most = [
        ("rejected_share", found.rejected, found.rows, floor.rejected_share),
        ("duplicate_share", found.duplicates, found.usable, floor.duplicate_share),
        ("outlier_share", found.outliers, found.amounts, floor.outlier_share),
        ("private_share", found.private_names, found.named, floor.private_share),
    ]
    for name, share in floor.missing.items():
        most.append((f"missing.{name}", found.missing.get(name, found.rows), found.rows, share))
    for rule, part, whole, limit in most:
        if _share(part, whole) > limit:
            yield Finding(rule, f"{_share(part, whole):.4f}", f"{limit:.4f} or less")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
