"""Rotation of the OPRF key: nothing is lost, nothing is read again, and every step may be repeated."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import create_engine, select, text, update

from keys.errors import KeyMissingError, KeyStateError
from keys.types import KeyState, RotationPolicy
from matcher import identity, label, oprf, pads
from node.database import audit_log, index_tables, key_epochs, partition_versions
from node.database import partitions as index_rows
from node.errors import ConflictError, UnavailableError
from node.index import update_lock
from node.registers import importer
from node.rotation import driver
from node.rotation import oprf as oprf_rotation
from node.rotation.kinds import OPRF
from tests.support.single_node import (
    LIMITS,
    NOW,
    Held,
    class_key,
    copied,
    cramped,
    make_node,
    number,
    ring_of,
    with_key_store,
)

POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))
PEOPLE = [number(i) for i in range(60)] + [number(i, "459999") for i in range(40)]
LIMITS_8 = {**LIMITS, "k_anonymity": 8}
NAMES = ["陈三", "", "买买提·艾力", "A B"]


def write_register(path, people=PEOPLE, plate="a"):
    """Every tenth person also has a former number, of another province."""
    rows = ["id_no,former_id_no,name,record_no"]
    rows += [
        f"{person},{number(at, '539999') if at % 10 == 0 else ''},{NAMES[at % 4]},{plate}{at}"
        for at, person in enumerate(people)
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


FORMER = [number(at, "539999") for at in range(0, len(PEOPLE), 10)]


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imported")
    node = make_node(folder / "44", LIMITS_8)
    importer.import_item(node, "C21", [write_register(folder / "r.csv")])
    node.store.dispose()
    return node


@pytest.fixture
def home(imported, tmp_path):
    node, store = with_key_store(copied(imported, tmp_path / "44", LIMITS_8))
    write_register(tmp_path / "r.csv")
    yield node, store
    node.store.dispose()


def opened(node, code="C21"):
    held = Held(node, code)
    every = {person: held.open(identity.parse(person)) for person in [*PEOPLE, *FORMER]}
    return {person: answer[0] for person, answer in every.items() if answer}


def states(node):
    with node.store.transaction("look") as tx:
        return {key.epoch: key.state.value for key in key_epochs.read_epochs(tx)}


def events(node):
    with node.store.transaction("look") as tx:
        return [json.loads(one.details) for one in audit_log.events(tx) if one.event == "key_state_changed"]


@pytest.mark.parametrize("workers", [0, 2])
def test_it_equals_a_fresh_import(home, tmp_path, workers):
    node, store = home
    before = opened(node)
    done = driver.rotate(OPRF, node, store, POLICY, workers=workers)
    assert (done.epoch, done.amount.entries, done.begun, done.amount.workers) == (2, 110 + 35, True, workers)
    assert (node.keys.epoch, done.grace_until) == (2, NOW + timedelta(days=7))
    after = opened(node)
    assert after == before  # values, days, name checks and record numbers, under another key
    assert len(after) == 110
    for at, person in enumerate(PEOPLE):
        assert after[person].has_name is bool(NAMES[at % 4])
        assert not NAMES[at % 4] or after[person].name_check == label.name_check(
            after[person].record, NAMES[at % 4]
        )
    rotated = Held(node, "C21")
    importer.import_item(node, "C21", [write_register(tmp_path / "r.csv")])
    imported = Held(node, "C21")
    assert rotated.tags == imported.tags
    assert rotated.buckets == imported.buckets
    for origin, row in rotated.partitions.items():
        other = imported.partitions[origin]
        assert replace(other, id=row.id) == row  # equal bytes make no new version


def test_links_move_along(home, tmp_path):
    """A person deleted under one number is deleted under the other too, in another partition."""
    node, store = home
    driver.rotate(OPRF, node, store, POLICY)
    gone = tmp_path / "gone.csv"
    gone.write_text(f"id_no,record_no\n{FORMER[1]},\n{PEOPLE[20]},\n", encoding="utf-8")
    changes = importer.import_item(node, "C21", [gone], mode="delete").changes
    assert changes == {"added": 0, "removed": 4, "changed": 0}
    assert set(opened(node)) == {*PEOPLE, *FORMER} - {PEOPLE[10], FORMER[1], PEOPLE[20], FORMER[2]}


def test_again_and_again(home, tmp_path):
    node, store = home
    before = opened(node)
    for epoch in (2, 3, 4):
        assert driver.rotate(OPRF, node, store, POLICY).epoch == epoch
        assert opened(node) == before
    assert states(node) == {1: "grace", 2: "grace", 3: "grace", 4: "active"}
    assert len({event["fingerprint"] for event in events(node)}) == 4
    assert [node.keys.oprf_of(epoch, NOW) for epoch in (1, 2, 3, 4)] == [
        store.get(f"oprf.{epoch}") for epoch in (1, 2, 3, 4)
    ]
    assert node.keys.oprf_of(5, NOW) is None
    assert node.keys.oprf_of(3, NOW + timedelta(days=8)) is None
    assert not partition_versions.sweep(node.store)


def test_the_old_epoch_is_kept_for_the_grace_and_then_goes(home):
    node, store = home
    old = Held(node, "C21")
    driver.rotate(OPRF, node, store, POLICY)
    with node.store.transaction("look") as tx:
        kept = index_rows.partitions_of(tx, "C21", 1)
        assert {row.origin: row.root for row in kept} == {o: r.root for o, r in old.partitions.items()}
    assert driver.retire(OPRF, node, store) == []
    later = replace(node, clock=lambda: NOW + timedelta(days=8))
    (retired,) = driver.retire(OPRF, later, store)
    assert (retired.epoch, retired.state) == (1, KeyState.RETIRED)
    assert node.keys.oprf_of(1, NOW) is None
    engine = create_engine(f"sqlite:///{node.config.folder}/heqiao.db")
    with engine.connect() as tx:
        for table in ("partitions", "cuts"):
            assert tx.execute(text(f"SELECT DISTINCT epoch FROM {table}")).scalars().all() == [2]
        left = tx.execute(text("SELECT count(*) FROM buckets WHERE cut_id NOT IN (SELECT id FROM cuts)"))
        assert left.scalar() == 0
    assert driver.retire(OPRF, later, store) == []
    (destroyed,) = driver.destroy(OPRF, node, store, 1)
    assert destroyed.state is KeyState.DESTROYED
    assert store.epochs("oprf") == [2]
    with pytest.raises(KeyMissingError):
        store.get("oprf.1")
    assert driver.destroy(OPRF, node, store, 1) == []
    assert states(node) == {1: "destroyed", 2: "active"}
    assert len(opened(node)) == 110


def test_early_retirement(home):
    node, store = home
    driver.rotate(OPRF, node, store, POLICY)
    assert [key.epoch for key in driver.retire(OPRF, node, store, early=True)] == [1]


@pytest.mark.parametrize("epoch", [1, 2])
def test_what_is_in_use_is_not_destroyed(home, epoch):
    node, store = home
    driver.rotate(OPRF, node, store, POLICY)
    with pytest.raises(KeyStateError, match="cannot become destroyed"):
        driver.destroy(OPRF, node, store, epoch)
    assert store.epochs("oprf") == [1, 2]


class StoppedError(Exception):
    """In place of a kill."""


def stop_at(stage, calls=1):
    left = [calls]

    def progress(found, _done, _total):
        if found == stage:
            left[0] -= 1
            if not left[0]:
                raise StoppedError

    return progress


@pytest.mark.parametrize("stage", ["make", "rekey", "switch"])
def test_a_rotation_that_ended_is_finished_by_the_next(home, monkeypatch, stage):
    monkeypatch.setattr(oprf_rotation, "GROUP_ENTRIES", 300)  # eight groups
    node, store = home
    before = opened(node)
    with pytest.raises(StoppedError):
        driver.rotate(OPRF, node, store, POLICY, progress=stop_at(stage, 4 if stage == "rekey" else 1))
    if stage == "switch":
        assert states(node) == {1: "grace", 2: "active"}
        assert opened(replace(node, ring=ring_of(node, store))) == before
        return
    assert (states(node), node.keys.epoch) == ({1: "active", 2: "pending"}, 1)
    assert opened(node) == before
    secret, recorded = store.get("oprf.2"), []
    done = driver.rotate(OPRF, node, store, POLICY, progress=lambda *step: recorded.append(step))
    assert (done.epoch, done.begun, store.get("oprf.2")) == (2, False, secret)
    assert opened(node) == before
    groups = len([step for step in recorded if step[0] == "rekey"])
    assert groups == (8 if stage == "make" else 5)


def test_an_import_in_between_is_not_lost(home, tmp_path, monkeypatch):
    monkeypatch.setattr(oprf_rotation, "GROUP_ENTRIES", 300)  # eight groups
    node, store = home
    with pytest.raises(StoppedError):
        driver.rotate(OPRF, node, store, POLICY, progress=stop_at("rekey", 8))
    more = [*PEOPLE, number(999)]
    importer.import_item(node, "C21", [write_register(tmp_path / "more.csv", more, "b")])
    added = tmp_path / "added.csv"
    added.write_text(f"id_no,record_no\n{number(998)},z\n", encoding="utf-8")
    importer.import_item(node, "C21", [added], mode="upsert")
    driver.rotate(OPRF, node, store, POLICY)
    held = Held(node, "C21")
    assert all(held.open(identity.parse(person)) for person in [*more, number(998), *FORMER])


def test_an_import_in_between_that_only_changes_the_date_is_not_lost(home, tmp_path, monkeypatch):
    monkeypatch.setattr(oprf_rotation, "GROUP_ENTRIES", 300)  # eight groups
    node, store = home
    with pytest.raises(StoppedError):
        driver.rotate(OPRF, node, store, POLICY, progress=stop_at("rekey", 8))
    later = replace(node, clock=lambda: NOW + timedelta(days=1))
    before = {code: row.version for code, row in Held(node, "C21").partitions.items()}
    importer.import_item(later, "C21", [write_register(tmp_path / "r.csv")])
    assert {code: row.version for code, row in Held(node, "C21").partitions.items()} == before
    driver.rotate(OPRF, later, store, POLICY)
    days = {record.as_of for record in opened(node).values()}
    assert days == {((NOW + timedelta(days=1)).date() - date(1970, 1, 1)).days}


def test_altered_pads_are_told_too(home):
    node, store = home
    row = Held(node, "C21").partitions["00"]
    place = "C21", "00", 1, range(row.pads), row.width
    served, _ = pads.draw_pads(pads.pad_key(class_key(node, "C21")), *place)
    tag, rows = bytes(served[0, :10]), index_tables.buckets
    with node.store.transaction("damage", write=True) as tx:
        for stored in tx.execute(select(rows).where(rows.c.cut_id == row.cut)).all():
            at = bytes(stored.entries).find(tag)
            if at >= 0:
                bad = bytearray(stored.entries)
                bad[at + 12] ^= 1
                here = rows.c.cut_id == row.cut, rows.c.number == stored.number
                tx.execute(update(rows).where(*here).values(entries=bytes(bad)))
    with pytest.raises(UnavailableError, match="does not fit the key"):
        driver.rotate(OPRF, node, store, POLICY)


def test_a_publication_during_the_rotation_stops_the_switch(home):
    """From another machine, which the lock of this home does not stop."""
    node, store = home

    def publish(stage, done, total):
        if stage == "rekey" and done == total:
            engine = create_engine(f"sqlite:///{node.config.folder}/heqiao.db")
            with engine.begin() as tx:
                tx.execute(text("UPDATE partitions SET version = 7 WHERE origin = '44' AND epoch = 1"))

    with pytest.raises(ConflictError, match="an import published"):
        driver.rotate(OPRF, node, store, POLICY, progress=publish)
    assert states(node) == {1: "active", 2: "pending"}


def test_an_import_under_the_old_key_is_not_published(home, tmp_path):
    """It began before the switch, on another machine."""
    node, store = home
    driver.rotate(OPRF, node, store, POLICY)
    stale = replace(node, ring=make_node(tmp_path / "other").ring)
    with pytest.raises(ConflictError, match="rotated meanwhile"):
        importer.import_item(stale, "C21", [tmp_path / "r.csv"])


def test_one_at_a_time(home, tmp_path):
    node, store = home
    with (
        update_lock.open_workspace(node),
        pytest.raises(ConflictError, match="import or rotation is running"),
    ):
        driver.rotate(OPRF, node, store, POLICY)

    def meanwhile(stage, _done, _total):
        if stage == "rekey":
            with pytest.raises(ConflictError, match="import or rotation is running"):
                importer.import_item(node, "C21", [tmp_path / "r.csv"])
            with pytest.raises(ConflictError, match="import or rotation is running"):
                driver.rotate(OPRF, node, store, POLICY)

    driver.rotate(OPRF, node, store, POLICY, progress=meanwhile)


def test_two_administrators_at_two_machines(home):
    """Who reads a state that another has moved meanwhile, moves nothing."""
    node, store = home
    driver.rotate(OPRF, node, store, POLICY)
    ring = OPRF.read(node, store)
    driver.retire(OPRF, node, store, early=True)
    with (
        pytest.raises(ConflictError, match="another administrator"),
        node.store.transaction("move", write=True) as tx,
    ):
        key_epochs.move_epochs(tx, ring, [replace(ring[0], state=KeyState.RETIRED)], NOW)


def test_another_epoch_than_the_expected_one(home):
    """It was rotated since the plan was made, or since it was approved."""
    node, store = home
    driver.rotate(OPRF, node, store, POLICY, epoch=2)
    with pytest.raises(ConflictError, match="rotated the key oprf meanwhile"):
        driver.rotate(OPRF, node, store, POLICY, epoch=2)
    assert states(node) == {1: "grace", 2: "active"}
    assert store.epochs("oprf") == [1, 2]


def test_altered_entries_are_told_and_change_nothing(home):
    node, store = home
    engine = create_engine(f"sqlite:///{node.config.folder}/heqiao.db")
    with engine.begin() as tx:
        row = tx.execute(text("SELECT rowid, entries FROM buckets WHERE length(entries) > 200")).first()
        bad = bytes(row.entries[:100]) + bytes([row.entries[100] ^ 1]) + bytes(row.entries[101:])
        tx.execute(text("UPDATE buckets SET entries = :bad WHERE rowid = :at"), {"bad": bad, "at": row.rowid})
    with pytest.raises(UnavailableError, match="does not fit the key"):
        driver.rotate(OPRF, node, store, POLICY)
    assert node.keys.epoch == 1


def test_another_key_under_the_name_of_the_pending_one(home):
    node, store = home
    with pytest.raises(StoppedError):
        driver.rotate(OPRF, node, store, POLICY, progress=stop_at("make"))
    store.remove("oprf.2")
    store.add("oprf.2", bytes(range(32)))
    with pytest.raises(KeyStateError, match="another key"):
        driver.rotate(OPRF, node, store, POLICY)


def test_a_key_without_a_ratio_is_drawn_again(home):
    """Every key that is drawn can be reached from the old one."""
    node, store = home
    old = oprf.clamp(store.get("oprf.1"))
    for _ in range(20):
        assert oprf.ratio(
            oprf.clamp(oprf_rotation.draw_key("oprf", store.get("oprf.1"), node.random_bytes)), old
        )


def test_the_clock_was_set_back(home):
    node, store = home
    driver.rotate(OPRF, node, store, POLICY)
    with pytest.raises(KeyStateError, match="clock is before"):
        driver.rotate(OPRF, replace(node, clock=lambda: NOW - timedelta(days=1)), store, POLICY)


def test_audit_names_fingerprints_and_no_keys(home):
    node, store = home
    driver.rotate(OPRF, node, store, POLICY)
    driver.retire(OPRF, node, store, early=True)
    driver.destroy(OPRF, node, store)
    recorded = events(node)
    assert {name for one in recorded for name in one} == {"purpose", "epoch", "state", "fingerprint"}
    assert not any(node.keys.oprf.hex() in str(one) for one in recorded)
    assert [(one["state"], one["epoch"]) for one in recorded] == [
        ("active", 1), ("pending", 2), ("grace", 1), ("active", 2), ("retired", 1), ("destroyed", 1)
    ]  # fmt: skip


def test_a_full_disk_is_told_and_changes_nothing(home):
    node, store = home
    before = opened(node)
    with cramped(node, 1) as full, pytest.raises(UnavailableError, match="did not answer"):
        driver.rotate(OPRF, full, store, POLICY)
    assert opened(node) == before
    assert driver.rotate(OPRF, node, store, POLICY).epoch == 2
    assert opened(node) == before
