"""Rotation of the salt: both versions are written by every import, and neither is ever behind the other."""

import json
import secrets
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from keys.errors import KeyStateError
from keys.store.kinds import generate_secret
from keys.types import KeyState, RotationPolicy
from matcher import identity, oprf
from matcher.suites import tokens
from node.credentials.keyring import KeyRing
from node.credentials.sum_keys import SumKeys
from node.database import audit_log, key_epochs, partition_versions, sum_tables
from node.domain.missing_partitions import MissingPartitions
from node.errors import ConflictError, EpochError, InputError, SaltError
from node.index import update_lock
from node.registers import importer
from node.responder import manifest
from node.responder import sums as respond
from node.rotation import driver
from node.rotation import salt as salt_module
from node.rotation.kinds import OPRF, SALT
from tests.support.cached import paillier_key
from tests.support.salt_rotation import (
    PEER,
    PEOPLE,
    home,  # noqa: F401  two salts
    run,
    write_register,
)
from tests.support.single_node import LIMITS, NOW, Held, make_node, number, ring_of, with_key_store
from tests.support.sum_peer import begin

KEYS = SumKeys(1, secrets.token_bytes(32), paillier_key("44"), secrets.token_bytes(32))
DRAWN = paillier_key("drawn")
POLICY = RotationPolicy(timedelta(days=3_650), timedelta(days=90))
OFTEN = RotationPolicy(timedelta(days=90), timedelta(days=7))
PARTITIONS = 35


def under(node, version):
    """The node as who holds only one salt version sees it."""
    keys = node.keys.under_salt({version}, node.clock())
    return replace(node, ring=KeyRing.fixed(keys)) if keys else None


def upcoming(node):
    return replace(node, ring=KeyRing.fixed(node.keys.other_salts(node.clock())[0]))


def known(node, code="C21", people=None):
    held = Held(node, code)
    return {person for person in people or PEOPLE if held.open(identity.parse(person))}


def states(node):
    with node.store.transaction("look") as tx:
        return {f"{key.purpose}.{key.epoch}": key.state.value for key in key_epochs.read_epochs(tx)}


def test_from_one_salt_to_the_next(home, tmp_path):
    node, store = home
    assert (node.keys.salt_version, set(node.keys.salts)) == (1, {1, 2})
    begun = driver.rotate(SALT, node, store, POLICY)
    assert (begun.epoch, begun.key("oprf").epoch, begun.begun, begun.switched) == (2, 2, True, False)
    assert begun.missing == (MissingPartitions("C21", PARTITIONS),)
    assert states(node) == {"oprf.1": "active", "oprf.2": "pending", "salt.1": "active", "salt.2": "pending"}
    assert not driver.rotate(SALT, node, store, POLICY).switched
    assert run(node, tmp_path, PEOPLE).salts == (1, 2)
    assert (node.keys.epoch, known(node)) == (1, set(PEOPLE))
    done = driver.rotate(SALT, node, store, POLICY)
    assert (done.switched, done.grace_until, done.missing) == (True, NOW + timedelta(days=90), ())
    assert (node.keys.epoch, node.keys.salt_version, node.keys.salt) == (2, 2, store.get("salt.2"))
    assert states(node) == {"oprf.1": "grace", "oprf.2": "active", "salt.1": "grace", "salt.2": "active"}
    assert known(node) == known(under(node, 1)) == set(PEOPLE)
    assert Held(node, "C21").tags["44"].isdisjoint(Held(under(node, 1), "C21").tags["44"])


def test_what_changes_meanwhile_reaches_both(home, tmp_path):
    """Before the switch and in the grace, by full import, upsert and delete."""
    node, store = home
    driver.rotate(SALT, node, store, POLICY)
    assert run(node, tmp_path, [number(900)], "upsert").salts == (1,)  # nothing of it under the new one yet
    every = [*PEOPLE, number(901)]
    run(node, tmp_path, every)
    assert run(node, tmp_path, [number(902)], "upsert").salts == (1, 2)
    wanted = {*every, number(902)}
    assert known(node, people=wanted) == known(upcoming(node), people=wanted) == wanted
    driver.rotate(SALT, node, store, POLICY)
    assert run(node, tmp_path, [number(903)], "upsert").salts == (2, 1)
    assert run(node, tmp_path, [PEOPLE[0]], "delete").salts == (2, 1)
    wanted = {*wanted, number(903)} - {PEOPLE[0]}
    for each in (node, under(node, 1)):
        assert known(each, people=[*wanted, PEOPLE[0], number(900)]) == wanted
    late = replace(node, clock=lambda: NOW + timedelta(days=91))
    assert run(late, tmp_path, [number(904)], "upsert").salts == (2,)


def test_an_item_that_is_imported_later_waits_for_nobody(home, tmp_path):
    node, store = home
    driver.rotate(SALT, node, store, POLICY)
    run(node, tmp_path, PEOPLE)
    file = tmp_path / "z.csv"
    file.write_text(f"id_no\n{PEOPLE[3]}\n", encoding="utf-8")
    importer.import_item(node, "Z59b", [file])
    assert driver.rotate(SALT, node, store, POLICY).switched
    assert known(node, "Z59b") == known(under(node, 1), "Z59b") == {PEOPLE[3]}


def test_who_holds_which_salt(home, tmp_path):
    node, store = home
    driver.rotate(SALT, node, store, POLICY)
    run(node, tmp_path, PEOPLE)
    offered = [node.keys.under_salt(held, NOW) for held in ((), {1}, {1, 2}, {2}, {3})]
    assert [keys and (keys.epoch, keys.salt_version) for keys in offered] == [(1, 1)] * 3 + [None] * 2
    driver.rotate(SALT, node, store, POLICY)
    driver.rotate(OPRF, node, store, OFTEN)  # the same salt, another key
    offered = [node.keys.under_salt(held, NOW) for held in ((), {1}, {1, 2}, {2}, {3})]
    assert [keys and (keys.epoch, keys.salt_version) for keys in offered] == [
        (3, 2), (1, 1), (3, 2), (3, 2), None
    ]  # fmt: skip
    assert [node.keys.salt_version_of(epoch, NOW) for epoch in (1, 2, 3, 4)] == [1, 2, 2, None]
    assert run(node, tmp_path, [number(905)], "upsert").salts == (2, 1)
    assert known(under(node, 1), people=[number(905)]) == {number(905)}
    assert node.keys.under_salt({1}, NOW + timedelta(days=91)) is None


def test_a_life(home, tmp_path):
    node, store = home
    driver.rotate(SALT, node, store, POLICY)
    run(node, tmp_path, PEOPLE)
    driver.rotate(SALT, node, store, POLICY)
    assert driver.retire(SALT, node, store) == []
    with pytest.raises(KeyStateError, match="cannot become destroyed"):
        driver.destroy(SALT, node, store, 1)
    later = replace(node, clock=lambda: NOW + timedelta(days=91))
    assert {f"{key.purpose}.{key.epoch}" for key in driver.retire(SALT, later, store)} == {"salt.1", "oprf.1"}
    assert (set(node.keys.salts), under(later, 1)) == ({2}, None)
    with node.store.transaction("look") as tx:
        assert tx.execute(text("SELECT DISTINCT epoch FROM partitions")).scalars().all() == [2]
    assert [key.state for key in driver.destroy(SALT, node, store)] == [KeyState.DESTROYED]
    assert store.epochs("salt") == [2]
    driver.destroy(OPRF, node, store)
    assert known(node) == set(PEOPLE)
    with pytest.raises(KeyStateError, match="no newer salt"):
        driver.rotate(SALT, node, store, POLICY)
    with node.store.transaction("look") as tx:
        recorded = [
            json.loads(one.details) for one in audit_log.events(tx) if one.event == "key_state_changed"
        ]
    assert [(one["purpose"], one["state"]) for one in recorded if one["epoch"] == 1] == [
        ("salt", "active"), ("oprf", "active"), ("salt", "grace"), ("oprf", "grace"),
        ("salt", "retired"), ("oprf", "retired"), ("salt", "destroyed"), ("oprf", "destroyed"),
    ]  # fmt: skip
    assert not any(secret.hex() in str(recorded) for secret in node.keys.salts.values())


def test_given_up(home, tmp_path):
    node, store = home
    driver.rotate(SALT, node, store, POLICY)
    run(node, tmp_path, PEOPLE)
    with pytest.raises(KeyStateError, match="for the next salt"):
        driver.rotate(OPRF, node, store, OFTEN)
    (gone,) = driver.abandon(SALT, node, store)
    assert (gone.epoch, gone.state) == (2, KeyState.RETIRED)
    assert driver.abandon(SALT, node, store) == []
    assert run(node, tmp_path, PEOPLE).salts == (1,)
    assert driver.rotate(OPRF, node, store, OFTEN).epoch == 3
    assert (known(node), node.keys.salt_version) == (set(PEOPLE), 1)
    begun = driver.rotate(SALT, node, store, POLICY)
    assert (begun.key("oprf").epoch, begun.missing) == (4, (MissingPartitions("C21", PARTITIONS),))
    run(node, tmp_path, PEOPLE)
    assert driver.rotate(SALT, node, store, POLICY).switched
    assert known(under(node, 1)) == set(PEOPLE)  # epoch 3; epoch 1 ended long before


def test_a_rotation_of_the_key_comes_first(home):
    node, store = home

    def stop(stage, _done, _total):
        if stage == "make":
            raise RuntimeError

    with pytest.raises(RuntimeError):
        driver.rotate(OPRF, node, store, OFTEN, progress=stop)
    with pytest.raises(KeyStateError, match="pending for another rotation"):
        driver.rotate(SALT, node, store, POLICY)
    assert driver.rotate(OPRF, node, store, OFTEN).epoch == 2
    assert driver.rotate(SALT, node, store, POLICY).key("oprf").epoch == 3


def test_one_that_holds_nothing_switches_at_once(tmp_path):
    node, store = with_key_store(make_node(tmp_path / "45"))
    store.add("salt.2", secrets.token_bytes(32))
    done = driver.rotate(SALT, node, store, POLICY)
    assert (done.begun, done.switched, node.keys.salt_version) == (True, True, 2)


def test_a_source_that_changes_between_the_passes(home, tmp_path):
    node, store = home
    driver.rotate(SALT, node, store, POLICY)
    file = tmp_path / "r.csv"

    def change(stage, *_):
        if stage == "write":  # the first pass has read all of it
            write_register(file, PEOPLE[:5])

    with pytest.raises(InputError, match="changed while it was read"):
        importer.import_item(node, "C21", [file], progress=change)
    assert known(node) == set(PEOPLE)
    assert driver.rotate(SALT, node, store, POLICY).missing


@pytest.mark.parametrize("passes", [1, 2])
def test_an_import_that_ends_half_way_leaves_both_as_they_were(home, tmp_path, monkeypatch, passes):
    node, store = home
    driver.rotate(SALT, node, store, POLICY)
    run(node, tmp_path, PEOPLE)
    stages = []

    def stop(stage, *_):
        """After the first pass, when the second begins to read."""
        if passes == 1 and stage == "read" and "write" in stages:
            raise RuntimeError
        stages.append(stage)

    def stopped(*_, **__):
        raise RuntimeError

    with monkeypatch.context() as patch:
        if passes == 2:  # after both
            patch.setattr(importer, "publish", stopped)
        with pytest.raises(RuntimeError):
            run(node, tmp_path, [number(910)], progress=stop)
    assert "write" in stages
    assert known(node) == known(upcoming(node)) == set(PEOPLE)
    update_lock.clean(node)
    assert not partition_versions.sweep(node.store)
    assert run(node, tmp_path, [*PEOPLE, number(910)]).salts == (1, 2)
    assert driver.rotate(SALT, node, store, POLICY).switched


def test_a_machine_without_the_new_key_leaves_nothing_behind(home, tmp_path):
    """Its copy of the key store is from before: what it would import is in both epochs, or in neither."""
    node, store = home
    stale = replace(node, ring=KeyRing.fixed(node.keys))
    driver.rotate(SALT, node, store, POLICY)
    run(node, tmp_path, PEOPLE)
    with pytest.raises(ConflictError, match="rotation of the salt began"):
        run(stale, tmp_path, [number(920)], "upsert")
    assert known(node, people=[number(920)]) == set()


def test_a_salt_restored_from_elsewhere_is_told(home):
    node, store = home
    driver.rotate(SALT, node, store, POLICY)
    store.remove("salt.2")
    store.add("salt.2", bytes(range(32)))
    node = replace(node, ring=ring_of(node, store))
    with pytest.raises(KeyStateError, match="another key than this rotation began with"):
        driver.rotate(SALT, node, store, POLICY)


# ---- sums


WAGES = {number(at): 1000 * at + 7 for at in range(12)}


@pytest.fixture
def summing(tmp_path, monkeypatch):
    monkeypatch.setattr(
        salt_module,
        "generate_secret",
        lambda purpose, *rest: DRAWN if purpose == "paillier" else generate_secret(purpose, *rest),
    )
    node, store = with_key_store(make_node(tmp_path / "44", {**LIMITS, "k_anonymity": 4}, KEYS))
    store.add("salt.2", secrets.token_bytes(32))
    node = replace(node, ring=ring_of(node, store))
    bring(node, tmp_path, WAGES)
    yield node, store
    node.store.dispose()


def bring(node, tmp_path, wages, mode="full"):
    path = tmp_path / "wages.csv"
    path.write_text("id_no,amount_fen\n" + "\n".join(f"{k},{v}" for k, v in wages.items()), encoding="utf-8")
    return importer.import_item(node, "B11", [path], mode=mode, workers=0)


def points(keys, node):
    with node.store.transaction("look") as tx:
        groups = sum_tables.current_groups(tx, "B11", keys.epoch)
        rows = b"".join(sum_tables.read_block(tx, group.id, 0).points for group in groups)
    return {rows[at : at + 32] for at in range(0, len(rows), 32)}


def expected(keys, salt, people):
    return {
        oprf.evaluate_own(keys.sum_key, tokens.map_to_curve(salt, identity.parse(person)))
        for person in people
    }


def start(epoch, salt_version):
    return replace(begin(), epoch=epoch, salt_version=salt_version)


def test_rows_of_sums_move_too(summing, tmp_path):
    node, store = summing
    begun = driver.rotate(SALT, node, store, POLICY)
    assert [(one.item, one.sums) for one in begun.missing] == [("B11", True)]
    assert states(node)["sum.2"] == states(node)["paillier.2"] == states(node)["sumcheck.2"] == "pending"
    bring(node, tmp_path, WAGES)
    bring(node, tmp_path, {number(50): 5}, "upsert")
    people, new = [*WAGES, number(50)], node.keys.upcoming.sums
    assert points(new, node) == expected(new, store.get("salt.2"), people)
    assert points(node.keys.sums, node) == expected(node.keys.sums, store.get("salt.1"), people)
    for salt_version in (2, 3):
        with pytest.raises(SaltError):
            respond.Cohort(node, PEER, start(1, salt_version), "node")
    assert driver.rotate(SALT, node, store, POLICY).switched
    assert (node.keys.sums.epoch, node.keys.sums.salt_version) == (2, 2)
    for epoch, salt_version in ((1, 1), (2, 2)):
        assert respond.Cohort(node, PEER, start(epoch, salt_version), "node")
        keys = node.keys.under_salt({salt_version}, NOW)
        assert manifest.offer_sums(node, PEER, keys).epoch == epoch
        with pytest.raises(SaltError):
            respond.Cohort(node, PEER, start(epoch, 3 - salt_version), "node")
    bring(node, tmp_path, {number(51): 5}, "upsert")
    people.append(number(51))
    for version, keys in ((1, KEYS), (2, node.keys.sums)):
        assert points(keys, node) == expected(keys, store.get(f"salt.{version}"), people)
    driver.retire(SALT, node, store, early=True)
    with pytest.raises(EpochError):
        respond.Cohort(node, PEER, start(1, 1), "node")
    assert points(KEYS, node) == set()
    assert {states(node)[f"{one}.1"] for one in ("sum", "paillier", "sumcheck", "oprf", "salt")} == {
        "retired"
    }
