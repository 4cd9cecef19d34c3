"""Imports of cells in other forms than the usual ones, and of cells that nobody needs."""

import pytest

from matcher import identity
from node.registers import importer
from tests.support.single_node import LIMITS, Held, make_node, number

PEOPLE = [number(i) for i in range(8)]


@pytest.fixture
def node(tmp_path):
    made = make_node(tmp_path / "44", {**LIMITS, "k_anonymity": 8})
    yield made
    made.store.dispose()


def write(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("workers", [0, 2])
def test_cells_in_another_form_are_accepted_and_counted(node, tmp_path, workers):
    header = "证件号码,证件类型,曾用证件号码,数据时点,缴费基数(元)"
    rows = [
        f"{PEOPLE[0]},身份证,无,202606,1",
        f"'{PEOPLE[1]},111,、,2026年5月,2",
        f"{PEOPLE[2]},居民身份证,,2026.06.30,3",
        f"{PEOPLE[3]},,{PEOPLE[4]}、{PEOPLE[5]},2026-06-30 00:00:00,4",
        f"{PEOPLE[6]},护照,无,202606,5",
    ]
    path = write(tmp_path / "r.csv", header, rows)
    done = importer.import_item(node, "D32", [path], workers=workers)
    assert (done.tally.read, done.tally.accepted) == (5, 4)
    assert dict(done.tally.forms) == {
        "date_dots": 1, "date_with_time": 1, "former_none": 2, "former_separator": 1, "id_type_word": 2,
        "id_wrapped": 1, "month": 2,
    }  # fmt: skip


def test_delete_needs_no_more_than_numbers(node, tmp_path):
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", "id_no", PEOPLE[:3])])
    rows = [f"{PEOPLE[0]},\x01,2999-13-13,{'说' * 2000}", f"{PEOPLE[1]}"]
    path = write(tmp_path / "gone.csv", "证件号码,姓名,数据时点,数据时点", rows)
    done = importer.import_item(node, "C21", [path], mode="delete")
    assert (done.tally.rejected, done.changes["removed"]) == (0, 2)
    held = Held(node, "C21")
    assert [bool(held.open(identity.parse(person))) for person in PEOPLE[:3]] == [False, False, True]
