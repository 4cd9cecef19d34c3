"""The plain sums: what encrypted sums must come to, computed in the clear (not allowed with real data).

Reads the truth folder of a synthetic federation (`heqiao synth --sums`) and adds in sqlite3. Like the plain
join it shares no code with the matcher, the keys or the node.

    python testbed/plain_sums.py REPORT.json FEDERATION_FOLDER
"""

import csv
import json
import sqlite3
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The published tables of the federation's catalogue, written out once more: inclusive upper bounds in fen.
BANDS = {
    "B11": (1_200_000, 3_600_000, 6_000_000, 9_600_000, 14_400_000),
    "D32m": (),
    "D35": (100_000, 500_000, 2_000_000, 5_000_000),
}
# What a record counts for at most where noise hides one person, and the sensitivity of each figure.
CAPS = {"D35": 5_000_000}
# Noise beyond so many times its scale comes once in ten million figures.
FARTHEST = 16
# A requester returns no sum of fewer rows, whatever the catalogue's minimum: the province would see whose.
LEAST_OPENED = 30
_TABLES = """
CREATE TABLE workers (worker TEXT, identity TEXT);
CREATE TABLE earnings (identity TEXT, province TEXT, item TEXT, amount INTEGER);
"""
# A province knows numbers, not people: one record for each number and item, its rows added.
_RECORDS = """
SELECT e.item, e.province, sum(e.amount) FROM earnings e
WHERE e.identity IN (SELECT identity FROM workers)
GROUP BY e.item, e.province, e.identity
"""


@dataclass(frozen=True)
class PlainSum:
    """What is due of one item in one province."""

    count: int
    total: int
    squares: int
    bands: tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """One item and province: what is due, what the report says, and whether the two agree.

    `noise` is the scale of the noise of the total, 0 where it is exact.
    """

    item: str
    province: str
    due: PlainSum
    outcome: str
    count: int | None
    total: int | None
    right: bool
    noise: float = 0.0

    @property
    def verdict(self) -> str:
        """In one or two words."""
        if not self.right:
            return "DIFFERS"
        if self.outcome != "RELEASED":
            return "too few: held back"
        return "within noise" if self.noise else "equal"


def expected(folder: Path) -> dict[tuple[str, str], PlainSum]:
    """The plain sum of every item and province."""
    records: dict[tuple[str, str], list[int]] = {}
    with sqlite3.connect(":memory:") as base:
        base.executescript(_TABLES)
        base.executemany("INSERT INTO workers VALUES (?, ?)", _workers(folder))
        rows = (
            (r["identity"], r["province"], r["item"], int(r["amount"])) for r in _rows(folder, "earnings")
        )
        base.executemany("INSERT INTO earnings VALUES (?, ?, ?, ?)", rows)
        for item, province, amount in base.execute(_RECORDS):
            records.setdefault((item, province), []).append(amount)
    base.close()
    return {place: _add_up(place[0], amounts) for place, amounts in records.items()}


def compare(report: Path, folder: Path) -> list[Line]:
    """Hold a report of `heqiao sum` against the plain sums: count, total and shown cells must be equal.

    Figures with noise must be within it, and records count for no more than the cap. The variance must be
    that of the plain figures to the nearest whole number.
    """
    due = expected(folder)
    lines = []
    for finding in json.loads(report.read_text(encoding="utf-8"))["findings"]:
        place = (finding["item"], finding["peer"])
        noise = noise_scale(finding)
        right = place in due and _is_right(due[place], finding)
        lines.append(
            Line(
                *place,
                due.get(place, PlainSum(0, 0, 0, ())),
                finding["outcome"],
                finding["count"],
                finding["total"],
                right,
                noise,
            )
        )
    return lines


def _is_right(due: PlainSum, finding: dict[str, Any]) -> bool:
    if due.count < LEAST_OPENED:
        return (finding["outcome"], finding["reason"]) == ("SUPPRESSED", "min_opened")
    return (_is_close if noise_scale(finding) else _agrees)(due, finding)


def noise_scale(finding: dict[str, Any]) -> float:
    """The scale of the noise of a total, from the epsilon that the report states: it is split evenly."""
    if finding["mode"] != "dp":
        return 0.0
    return CAPS[finding["item"]] * (3 if BANDS[finding["item"]] else 2) / float(finding["epsilon"])


def _is_close(due: PlainSum, finding: dict[str, Any]) -> bool:
    """Whether figures with noise are within it: the scale of counts is that of the total over the cap."""
    total = noise_scale(finding)
    people = total / CAPS[finding["item"]]
    pairs = [(finding["count"], due.count), *zip(finding["bands"], due.bands, strict=False)]
    return (
        finding["outcome"] == "RELEASED"
        and finding["variance"] is None
        and len(finding["bands"]) == len(due.bands)
        and abs(finding["total"] - due.total) <= FARTHEST * total
        and all(abs(found - plain) <= FARTHEST * people for found, plain in pairs)
    )


def _agrees(due: PlainSum, finding: dict[str, Any]) -> bool:
    if (finding["outcome"], finding["count"], finding["total"]) != ("RELEASED", due.count, due.total):
        return False
    # Twice the distance from the exact variance, over count squared: at most half a unit away.
    exact = due.count * due.squares - due.total**2
    if 2 * abs(finding["variance"] * due.count**2 - exact) > due.count**2:
        return False
    cells = finding["bands"]
    return len(cells) == len(due.bands) and all(
        cell in (None, plain) for cell, plain in zip(cells, due.bands, strict=True)
    )


def _add_up(item: str, amounts: list[int]) -> PlainSum:
    bounds = BANDS[item]
    amounts = [min(amount, CAPS[item]) for amount in amounts] if item in CAPS else amounts
    cells = [0] * (len(bounds) + 1 if bounds else 0)
    for amount in amounts if bounds else ():
        cells[sum(amount > bound for bound in bounds)] += 1
    return PlainSum(len(amounts), sum(amounts), sum(amount * amount for amount in amounts), tuple(cells))


def _workers(folder: Path) -> Iterable[tuple[str, str]]:
    for row in _rows(folder, "workers"):
        for identity in dict.fromkeys((row["current"], row["former"])):
            if identity:
                yield row["worker"], identity


def _rows(folder: Path, name: str) -> Iterable[dict[str, str]]:
    with (folder / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def main() -> None:
    """Compare and print; exit 1 if anything differs."""
    if len(sys.argv) != 3:
        sys.exit("usage: python testbed/plain_sums.py REPORT.json FEDERATION_FOLDER")
    lines = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    for line in lines:
        print(
            f"{line.item} in {line.province}: {line.outcome} {line.count} {line.total}, "
            f"due {line.due.count} {line.due.total}: {line.verdict}"
        )
    sys.exit(0 if lines and all(line.right for line in lines) else 1)


if __name__ == "__main__":
    main()
