"""Registers by the million, a later export of each, and a day's changes."""

import csv
from datetime import date
from pathlib import Path

import pytest

from matcher import identity
from synth import bulk


def read_rows(path: Path) -> dict[str, tuple[str, ...]]:
    """The rows of a register by identity number, which must be valid and distinct."""
    with path.open(encoding="utf-8", newline="") as file:
        found = [tuple(row) for row in csv.reader(file)][1:]
    assert all(identity.parse(row[0]).value == row[0] for row in found)
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


@pytest.mark.parametrize("dated", [False, True])
def test_a_later_export_differs_in_one_row_of_a_hundred(tmp_path: Path, dated: bool) -> None:
    bulk.write_register(tmp_path / "first", 5_000, "44", dated=dated)
    bulk.write_register(tmp_path / "later", 5_000, "44", later=True, dated=dated)
    first, later = read_rows(tmp_path / "first"), read_rows(tmp_path / "later")
    changed = [number for number in first.keys() & later.keys() if first[number] != later[number]]
    assert (len(first), len(later), len(changed), len(first.keys() - later.keys())) == (5_000, 5_000, 25, 25)
    assert all(first[number][2] != later[number][2] for number in changed)
    if dated:
        assert len({row[3] for row in first.values()}) == 1_000
        assert all(date.fromisoformat(row[3]) < date(2026, 1, 1) for row in later.values())


@pytest.mark.parametrize("entries", [1, 40, 51, 101, 3_000])
def test_a_days_changes(tmp_path: Path, entries: int) -> None:
    """A later export with them applied by dictionaries is what the whole register then holds."""
    for name, write in (("changes", bulk.write_changes), ("after", bulk.write_after)):
        write(tmp_path / name, entries, "44")
    bulk.write_register(tmp_path / "later", entries, "44", later=True)
    later, changes = read_rows(tmp_path / "later"), read_rows(tmp_path / "changes")
    assert len(changes) == -(-entries // 1_000)
    assert all(later.get(number) != row for number, row in changes.items()) or entries == 1
    assert read_rows(tmp_path / "after") == later | changes
