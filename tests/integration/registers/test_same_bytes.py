"""The same facts are the same bytes and the same roots, and what did not change is not written again."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from heqiao.peer.v1 import types_pb2
from sqlalchemy import func, select, update

from matcher import SUITE, batch, buckets, identity, label, pads
from matcher.suites.suite import CURRENT
from node.credentials.keyring import KeyRing
from node.database import index_tables
from node.database.catalogue_tables import imported_items
from node.domain.days import FIRST_DAY
from node.domain.peers import PeerRow, read_grants
from node.errors import InputError, PreconditionError
from node.index import layout
from node.registers import chunks, importer
from node.responder.manifest import offer_manifest
from tests.support.single_node import NOW, Held, make_node, number

K = 64
PEOPLE = [number(i) for i in range(600)] + [number(i, "459999") for i in range(90)]
DAYS = ("2026-06-30", "2026-06-30", "2026-05-31", "")
NAMES = ("陈三", "王五", "", "陳三")
HEADER = "id_no,former_id_no,name,value,as_of,record_no"


def rows_of(people=PEOPLE):
    """Several rows of some, two names of one day for some, a second number for some."""
    rows = []
    for at, person in enumerate(people):
        former = PEOPLE[at - 1] if at % 50 == 49 else ""
        rows.append(f"{person},{former},{NAMES[at % 4]},{at % 3 + 1},{DAYS[at % 4]},a")
        if at % 7 == 0:
            rows.append(f"{person},,{NAMES[at % 3]},1,{DAYS[at % 4]},b")
    return rows


def write(path, rows):
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def node(tmp_path):
    made = make_node(tmp_path / "44", {"k_anonymity": K, "planted_per_partition": 2})
    yield made
    made.store.dispose()


def twin(node, folder):
    """Another home with the same keys."""
    other = make_node(folder, {"k_anonymity": K, "planted_per_partition": 2})
    return replace(other, ring=KeyRing.fixed(node.keys))


def state(node):
    """Version, cut and root of every partition, and how many rows its buckets have in all versions."""
    held = Held(node, "C21")
    with node.store.transaction("look") as tx:
        count = tx.scalar(select(func.count()).select_from(index_tables.buckets))
    versions = {code: (row.version, row.cut, row.root) for code, row in held.partitions.items()}
    return versions, count


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("seed", [1, 2])
def test_neither_order_nor_workers_show(node, tmp_path, monkeypatch, workers, seed):
    rows = rows_of()
    importer.import_item(node, "C21", [write(tmp_path / "a.csv", rows)], workers=0)
    wanted = Held(node, "C21")
    random.Random(seed).shuffle(rows)
    monkeypatch.setattr(chunks, "BLOCK_BYTES", 3000)
    monkeypatch.setattr(importer, "_ROW_BYTES", seed)
    monkeypatch.setattr(layout, "PART_ROWS", 1 << 9)
    other = twin(node, tmp_path / "other")
    importer.import_item(other, "C21", [write(tmp_path / "b.csv", rows)], workers=workers)
    found = Held(other, "C21")
    assert found.buckets == wanted.buckets
    assert {code: row.root for code, row in found.partitions.items()} == {
        code: row.root for code, row in wanted.partitions.items()
    }
    assert any(row.bits for row in found.partitions.values())
    other.store.dispose()


@pytest.mark.parametrize("workers", [0, 2])
def test_equal_bytes_make_no_new_version(node, tmp_path, workers):
    rows = rows_of()
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows)])
    before = state(node)
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows[::-1])], workers=workers)
    assert state(node) == before


def test_a_few_changes_write_a_few_buckets(node, tmp_path):
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows_of())])
    before, held = state(node), Held(node, "C21")
    changed = rows_of()
    changed[3] = changed[3].replace(",2,", ",9,").replace(",1,", ",9,").replace(",3,", ",9,")
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", changed)])
    after, again = state(node), Held(node, "C21")
    assert after[1] == before[1] + 1, "one bucket has a second version"
    assert [code for code in before[0] if before[0][code] != after[0][code]] == ["44"]
    assert after[0]["44"][:2] == (before[0]["44"][0] + 1, before[0]["44"][1]), "the cut stays"
    differ = [place for place in held.buckets if held.buckets[place] != again.buckets[place]]
    assert len(differ) == 1
    old, new = held.buckets[differ[0]], again.buckets[differ[0]]
    assert set(old) == set(new)
    assert sum(old[tag] != new[tag] for tag in old) == 1


def test_a_full_export_of_another_day_is_the_same_bytes_under_another_date(node, tmp_path):
    """Undated rows get the day of the import, which is the date of the partition."""
    path = write(tmp_path / "r.csv", [f"{person},,,1,,a" for person in PEOPLE])
    importer.import_item(node, "C21", [path])
    before = state(node)
    later = replace(node, clock=lambda: NOW + timedelta(days=1))
    importer.import_item(later, "C21", [path])
    assert state(later) == before
    held = Held(later, "C21")
    tomorrow = (NOW.date() - FIRST_DAY).days + 1
    assert {(row.date, row.as_of) for row in held.partitions.values()} == {(tomorrow, tomorrow)}
    assert held.open(identity.parse(PEOPLE[0]))[0].as_of == tomorrow


def test_the_date_is_the_most_frequent_one_and_the_newest_of_several(node, tmp_path):
    days = ["2026-05-01"] * 3 + ["2026-06-01"] * 3 + ["2026-06-15"] * 2
    rows = [f"{person},,,1,{day},a" for person, day in zip(PEOPLE, days, strict=False)]
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows)])
    held = Held(node, "C21")
    assert {row.date for row in held.partitions.values()} == {(date(2026, 6, 1) - FIRST_DAY).days}
    for person, day in zip(PEOPLE, days, strict=False):
        opened = held.open(identity.parse(person))[0]
        assert FIRST_DAY + timedelta(days=opened.as_of) == date.fromisoformat(day)


@pytest.mark.parametrize("what", ["entries", "kept_sealed", "links_sealed"])
def test_a_full_import_mends_what_is_stored(node, tmp_path, what):
    path = write(tmp_path / "r.csv", rows_of())
    importer.import_item(node, "C21", [path])
    whole = Held(node, "C21")
    rows = index_tables.buckets
    with node.store.transaction("damage", write=True) as tx:
        row = tx.execute(select(rows).where(func.length(rows.c[what]) > 40)).first()
        data = bytes(row._mapping[what])
        place = (rows.c.cut_id == row.cut_id, rows.c.number == row.number)
        tx.execute(update(rows).where(*place).values({what: data[:-1] + bytes([data[-1] ^ 1])}))
    importer.import_item(node, "C21", [path])
    mended = Held(node, "C21")
    assert mended.buckets == whole.buckets
    with node.store.transaction("look") as tx:
        newest = tx.execute(select(rows).where(*place).order_by(rows.c.version.desc())).first()
    assert row.version < newest.version
    assert newest.version in {part.version for part in mended.partitions.values()}
    importer.import_item(node, "C21", [path], mode="upsert")
    assert Held(node, "C21").buckets == whole.buckets


def test_an_upsert_of_the_same_facts_changes_nothing(node, tmp_path):
    rows = [f"{person},,陈三,2,,a" for person in PEOPLE]
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows)])
    before = state(node)
    done = importer.import_item(node, "C21", [write(tmp_path / "u.csv", rows[:40])], mode="upsert")
    assert state(node) == before
    assert done.changes == {"added": 0, "removed": 0, "changed": 0}


def test_upserts_and_a_full_import_lead_to_the_same_bytes(node, tmp_path):
    """Pads move with the number of people; the cut may differ, the entries never do."""
    rows = [f"{person},,陈三,2,,a" for person in PEOPLE]
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows[:300])])
    importer.import_item(node, "C21", [write(tmp_path / "u.csv", rows[250:])], mode="upsert")
    importer.import_item(node, "C21", [write(tmp_path / "d.csv", rows[:100])], mode="delete")
    step = Held(node, "C21")
    other = twin(node, tmp_path / "other")
    importer.import_item(other, "C21", [write(tmp_path / "r.csv", rows[100:])])
    whole = Held(other, "C21")
    for code, row in whole.partitions.items():
        mine = step.partitions[code]
        assert (mine.entries, mine.pads, mine.date) == (row.entries, row.pads, row.date)
        assert entries_of(step, code) == entries_of(whole, code)
        assert row.entries % (K // 8) == 0
        assert row.pads >= pads.LEAST
    other.store.dispose()


def entries_of(held, code):
    return {pair for (origin, _), rows in held.buckets.items() if origin == code for pair in rows.items()}


def test_pads_hide_how_many_people_there_are(node, tmp_path):
    """Eight people more or less show nothing but a multiple of k/8."""
    sizes = set()
    for count in range(100, 108):
        rows = [f"{person},,,1,,a" for person in PEOPLE[:count]]
        importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows)])
        held = Held(node, "C21")
        assert len(held.people("44")) == count + 2
        sizes.add(held.partitions["44"].entries)
    assert len(sizes) == 2
    assert all(size % 8 == 0 for size in sizes)


def test_a_partition_rises_late_and_falls_at_once(node, tmp_path):
    seen = []
    for count in (120, 200, 250, 270, 200, 189):
        rows = [f"{person},,,1,,a" for person in PEOPLE[:count]]
        importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows)])
        row = Held(node, "C21").partitions["44"]
        seen.append((row.entries, row.bits))
    assert seen == [(192, 1), (272, 1), (320, 2), (336, 2), (272, 2), (256, 2)]
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows[:180])])
    row = Held(node, "C21").partitions["44"]
    assert (row.entries, row.bits) == (248, 1)


def test_every_number_of_a_person_has_the_record_number_of_the_smallest_digest(node, tmp_path):
    rows = [f"{PEOPLE[0]},{PEOPLE[650]},陈三,1,,a", f"{PEOPLE[650]},{PEOPLE[3]},陈三,1,,b"]
    importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows)])
    held = Held(node, "C21")
    found = [identity.parse(PEOPLE[at]) for at in (0, 650, 3)]
    people = batch.pack_identities([(each.id_type, each.value) for each in found])
    digests = [bytes(row) for row in CURRENT.digests(node.keys.salt, *people)]
    numbers = [bytes(row) for row in CURRENT.record_numbers(node.keys.record, "C21", *people)]
    smallest = numbers[digests.index(min(digests))]
    assert {held.open(each)[0].record for each in found} == {smallest}


def test_of_two_names_of_one_day_the_one_with_the_smaller_bytes_is_kept(node, tmp_path):
    rows = [f"{PEOPLE[0]},,王五,1,,a", f"{PEOPLE[0]},,丁一,1,,b", f"{PEOPLE[0]},,陈三,1,,c"]
    for order in (rows, rows[::-1]):
        importer.import_item(node, "C21", [write(tmp_path / "r.csv", order)])
        opened = Held(node, "C21").open(identity.parse(PEOPLE[0]))[0]
        assert opened.name_check == label.name_check(opened.record, "丁一")


def test_a_count_that_no_label_can_carry(node, tmp_path):
    rows = [f"{PEOPLE[0]},,,65536,,a", f"{PEOPLE[1]},,,65535,,a"]
    done = importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows)])
    assert done.tally.reasons == (("amount_too_large", 1),)
    assert Held(node, "C21").open(identity.parse(PEOPLE[1]))[0].value == 65535
    before = state(node)
    both = [f"{PEOPLE[0]},,,40000,,a", f"{PEOPLE[0]},,,40000,,b"]
    for mode in ("full", "upsert"):
        with pytest.raises(InputError, match="more than 65535"):
            importer.import_item(node, "C21", [write(tmp_path / "r.csv", both)], mode=mode)
    assert state(node) == before


def test_the_first_day_of_the_calendar_is_no_date(node, tmp_path):
    rows = [f"{PEOPLE[0]},,,1,1970-01-01,a", f"{PEOPLE[1]},,,1,1970-01-02,a"]
    done = importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows)])
    assert done.tally.reasons == (("bad_as_of", 1),)
    with pytest.raises(InputError):
        importer.import_item(node, "C21", [write(tmp_path / "r.csv", rows)], default_as_of=FIRST_DAY)


def test_an_upsert_into_entries_of_another_size(node, tmp_path):
    """The catalogue was changed: the item is shown at another level now."""
    path = write(tmp_path / "r.csv", [f"{person},,,1,,a" for person in PEOPLE])
    importer.import_item(node, "C21", [path])
    with node.store.transaction("change", write=True) as tx:
        tx.execute(update(imported_items).values(content=bytes(32)))
    with pytest.raises(PreconditionError, match="another definition"):
        importer.import_item(node, "C21", [path], mode="upsert")
    importer.import_item(node, "C21", [path])
    assert {row.record_size for row in Held(node, "C21").partitions.values()} == {12}
    assert buckets.entry_size(2) == 38


def test_an_item_whose_entries_have_another_size_is_not_offered(node, tmp_path):
    """Its catalogue was changed and the register not imported since: not dishonest, only too early."""
    path = write(tmp_path / "r.csv", [f"{person},,,1,," for person in PEOPLE])
    for code in ("C21", "Z59b"):
        importer.import_item(node, code, [path])
    peer = PeerRow("45", "广西", "127.0.0.1:1", bytes(32), False, read_grants(("44", "45")))
    both = types_pb2.Manifest.FromString(offer_manifest(node, peer, (SUITE,)).serialised)
    assert list(both.items) == ["C21", "Z59b"]
    assert {part.item: part.record_size for part in both.partitions} == {"C21": 12, "Z59b": 10}
    with node.store.transaction("change", write=True) as tx:
        tx.execute(update(imported_items).where(imported_items.c.item == "C21").values(content=bytes(32)))
    found = types_pb2.Manifest.FromString(offer_manifest(node, peer, (SUITE,)).serialised)
    assert list(found.items) == ["Z59b"]
    assert {part.item for part in found.partitions} == {"Z59b"}
