"""Rotation of the keys of sums: phe decrypts the same register after it; every step may be repeated."""

import json
import secrets
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from keys.errors import KeyMissingError, KeyStateError
from keys.store.kinds import generate_secret
from keys.types import KeyState
from matcher import identity, oprf
from matcher.suites import tokens
from matcher.sums import modulus_proof
from matcher.sums.slots import CheckKey, Layout, guard_bits, pack
from node.credentials.sum_keys import SUM_PURPOSES, SumKeys
from node.database import audit_log, sum_epoch_switch
from node.errors import ConflictError, EpochError, RefusedError, UnavailableError
from node.responder import manifest
from node.responder import sums as respond
from node.responder.sum_opening import open_sums
from node.rotation import driver, sums, sums_tasks
from node.rotation.kinds import OPRF, SUMS
from node.wire.sum_messages import OpenRequest, RowsRequest
from tests.support.single_node import NOW, cramped, number
from tests.support.sum_fixtures import bring, epoch_states, expected, held, phe_key, plain, with_rule
from tests.support.sum_peer import PEER
from tests.support.sum_rotation import FORMER, KEYS, POLICY, WAGES, ask, drawn, home, register  # noqa: F401  a home with sums


@pytest.mark.parametrize("workers", [0, 2])
def test_it_is_the_register_under_other_keys(home, workers):
    node, store = home
    before, old = held(node), node.keys.sums
    done = driver.rotate(SUMS, node, store, POLICY, workers=workers)
    new = node.keys.sums
    assert (done.epoch, done.amount.entries, done.amount.parts, done.begun) == (2, len(WAGES), 2, True)
    assert (new.epoch, done.grace_until) == (2, NOW + timedelta(days=7))
    assert epoch_states(node) == {1: "grace", 2: "active"}
    after = held(node)
    assert plain(after) == expected(node, WAGES)
    assert sorted(row[1:] for row in after.values()) == sorted(row[1:] for row in before.values())
    assert not set(after) & set(before)
    assert {getattr(new, name) for name in ("sum_key", "primes", "check")}.isdisjoint(
        {getattr(old, name) for name in ("sum_key", "primes", "check")}
    )
    modulus_proof.verify(new.modulus, new.proof)
    assert held(node, old) == before  # the old epoch is kept whole for its grace
    offer = manifest.offer_sums(node, PEER)
    assert (offer.epoch, offer.modulus, offer.canaries) == (2, new.modulus, new.canaries)


def test_an_order_that_tells_nothing(home):
    """Rows stand in the order of their points; under the new ones that is another order."""
    node, store = home
    before = [value for _, value, _ in held(node).values()]
    driver.rotate(SUMS, node, store, POLICY)
    after = [value for _, value, _ in held(node).values()]
    assert sorted(after) == sorted(before)
    assert after != before


def test_aliases_move_along(home, tmp_path):
    """Who is named by a former number after the rotation is found, in every kind of import."""
    node, store = home
    driver.rotate(SUMS, node, store, POLICY)
    first = next(iter(WAGES))
    bring(node, tmp_path, [f"{FORMER},,5"], mode="upsert")
    kept = {person: fen for person, fen in WAGES.items() if person != first}
    assert sorted(row[1] for row in held(node).values()) == sorted([*kept.values(), 5])
    bring(node, tmp_path, [first, FORMER], mode="delete", header="id_no")
    assert plain(held(node)) == expected(node, kept)


def test_a_copy_of_the_database_does_not_tell_which_points_are_one_person(home, tmp_path):
    """Aliases held both points in clear, and a requester knows points of people it asked about."""
    node, _ = home
    bring(node, tmp_path, [f"{next(iter(WAGES))},{FORMER},5"], mode="upsert")
    known = {
        oprf.evaluate_own(node.keys.sums.sum_key, tokens.map_to_curve(node.keys.salt, identity.parse(one)))
        for one in (next(iter(WAGES)), FORMER)
    }
    with node.store.transaction("look") as tx:
        rows = tx.exec_driver_sql("SELECT tag, row_tag, sealed FROM sum_aliases").all()
    assert rows
    stored = b"".join(bytes(cell) for row in rows for cell in row)
    assert not any(point[at : at + 8] in stored for point in known for at in range(0, 32, 8))


def add_up(node, keys, blind, returned, query, groups):
    size, public = keys.private.public.ciphertext_size, phe_key(keys).public_key
    product = public.encrypt(0).ciphertext()
    for prefix, version in groups:
        for part in respond.serve_rows(node, PEER, RowsRequest(keys.epoch, query, "B11", prefix, version, 0)):
            theirs = oprf.blind(blind, part.points)
            for at in range(len(theirs) // 32):
                if theirs[32 * at : 32 * at + 32] in returned:
                    cipher = int.from_bytes(part.ciphertexts[size * at : size * at + size], "big")
                    product = product * cipher % public.nsquare
    return product.to_bytes(size, "big")


def openings(node):
    with node.store.transaction("look") as tx:
        statement = "SELECT contributors, guards_sealed FROM sum_queries WHERE opened_digest IS NOT NULL"
        return [tuple(row) for row in tx.exec_driver_sql(statement)]


def test_a_cohort_begun_before_is_opened_after(home):
    """Evaluated, fetched and opened under the old epoch on both sides of the switch; then refused."""
    node, store = home
    query, people = secrets.token_bytes(16), list(WAGES)[:12]
    groups = [(group.prefix, group.version) for group in manifest.offer_sums(node, PEER).groups]
    asked = ask(node, people, 1, query)
    driver.rotate(SUMS, node, store, POLICY)
    summed = add_up(node, *asked, query, groups)
    opening = OpenRequest(1, query, ("B11",), (summed,))
    (answer,) = open_sums(node, PEER, opening)
    assert (answer.rule, answer.count, answer.total) == ("", 12, sum(WAGES[person] for person in people))
    with pytest.raises(RefusedError, match="was charged"):
        open_sums(node, PEER, OpenRequest(2, query, ("B11",), (bytes(767) + b"\1",)))
    (kept,) = openings(node)
    assert (kept[0], len(kept[1]) > 30) == (12, True)
    driver.retire(SUMS, node, store, early=True)
    assert openings(node) == [(12, None)]  # the guards go with their epoch, the count stays
    for late in (
        lambda: open_sums(node, PEER, opening),
        lambda: add_up(node, *asked, query, groups),
        lambda: ask(node, people, 1, secrets.token_bytes(16)) and None,
    ):
        with pytest.raises((EpochError, AttributeError)) as refused:
            late()
        if isinstance(refused.value, EpochError):
            assert refused.value.details == {"epoch": "2"}


def test_the_old_epoch_goes(home):
    node, store = home
    driver.rotate(SUMS, node, store, POLICY)
    assert driver.retire(SUMS, node, store) == []
    later = replace(node, clock=lambda: NOW + timedelta(days=8))
    moved = driver.retire(SUMS, later, store)
    assert {(key.purpose, key.epoch, key.state) for key in moved} == {
        (purpose, 1, KeyState.RETIRED) for purpose in SUM_PURPOSES
    }
    assert node.keys.sums_of(1, NOW) is None
    engine = create_engine(f"sqlite:///{node.config.folder}/heqiao.db")
    with engine.connect() as tx:
        for table in ("sum_groups", "sum_aliases"):
            assert tx.execute(text(f"SELECT DISTINCT epoch FROM {table}")).scalars().all() == [2]
        assert (
            tx.execute(
                text("SELECT count(*) FROM sum_blocks WHERE group_id NOT IN (SELECT id FROM sum_groups)")
            ).scalar()
            == 0
        )
    assert len(driver.destroy(SUMS, node, store, 1)) == 3
    assert {name for name in store.names() if name.endswith(".1")} == {"oprf.1", "salt.1"}
    with pytest.raises(KeyMissingError):
        SumKeys.of(store, 1)
    assert driver.destroy(SUMS, node, store) == []
    assert plain(held(node)) == expected(node, WAGES)


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


@pytest.mark.parametrize(
    ("stage", "calls", "left"), [("make", 1, 16), ("rekey", 1, 16), ("rekey", 2, 3), ("switch", 1, 0)]
)
def test_a_rotation_that_ended_is_finished_by_the_next(home, stage, calls, left):
    """Behind the last group that is whole: of the second only what is missing is done again."""
    node, store = home
    before = held(node)
    with pytest.raises(StoppedError):
        driver.rotate(SUMS, node, store, POLICY, progress=stop_at(stage, calls))
    if stage == "switch":
        assert epoch_states(node) == {1: "grace", 2: "active"}
        assert node.ring.refresh().sums.epoch == 2
        return
    assert (epoch_states(node), node.keys.sums.epoch) == ({1: "active", 2: "pending"}, 1)
    assert held(node) == before
    secret, recorded = store.get("paillier.2"), []
    done = driver.rotate(SUMS, node, store, POLICY, progress=lambda *step: recorded.append(step))
    assert (done.epoch, done.begun, store.get("paillier.2")) == (2, False, secret)
    assert [step[2] for step in recorded if step[0] == "rekey"][:1] == [left]
    assert plain(held(node)) == expected(node, WAGES)


@pytest.mark.parametrize("purpose", SUM_PURPOSES)
def test_killed_between_the_key_files(home, purpose):
    node, store = home
    store.add(f"{purpose}.2", generate_secret(purpose))
    assert node.ring.refresh().sums.epoch == 1
    assert driver.rotate(SUMS, node, store, POLICY).epoch == 2
    assert plain(held(node)) == expected(node, WAGES)


def test_an_import_in_between_is_not_lost(home, tmp_path):
    node, store = home
    with pytest.raises(StoppedError):
        driver.rotate(SUMS, node, store, POLICY, progress=stop_at("rekey", 2))
    bring(node, tmp_path, [f"{number(900)},{number(901)},77"], mode="upsert")
    driver.rotate(SUMS, node, store, POLICY)
    now = WAGES | {number(900): 77}
    assert plain(held(node)) == expected(node, now)
    bring(node, tmp_path, [number(901)], mode="delete", header="id_no")
    assert plain(held(node)) == expected(node, WAGES)


@pytest.mark.parametrize("stopped", [True, False])
def test_a_catalogue_that_changes(home, stopped):
    """Also between a rotation that was killed and its end: all rows are packed by the rule of now."""
    node, store = home
    if stopped:
        with pytest.raises(StoppedError):
            driver.rotate(SUMS, node, store, POLICY, progress=stop_at("rekey", 2))
    now = with_rule(node, bands=(2_000, 5_000), mode="dp", max_contribution=9_000)
    if not stopped:  # it changes before the switch, under which the groups would not fit each other
        run = replace(driver.prepare(SUMS, node, store, POLICY), folder=node.config.folder, workers=0)
        SUMS.make(run)
        SUMS.rekey(run)
        with node.store.transaction("switch", write=True) as tx, pytest.raises(ConflictError):
            SUMS.switch(tx, replace(run, home=now))
    recorded = []
    driver.rotate(SUMS, now, store, POLICY, progress=lambda *step: recorded.append(step))
    assert [step[2] for step in recorded if step[0] == "rekey"][:1] == [len(WAGES)]
    assert plain(held(now)) == expected(now, {person: min(fen, 9_000) for person, fen in WAGES.items()})
    driver.rotate(SUMS, node, store, POLICY)  # back under the first catalogue nothing was lost
    assert plain(held(node)) == expected(node, WAGES)


def test_a_publication_from_another_machine_stops_the_switch(home):
    node, store = home

    def publish(stage, done, total):
        if stage == "rekey" and done == total:
            with create_engine(f"sqlite:///{node.config.folder}/heqiao.db").begin() as tx:
                tx.execute(text("UPDATE sum_groups SET version = 9 WHERE epoch = 1 AND prefix = '45'"))

    with pytest.raises(ConflictError, match="an import published"):
        driver.rotate(SUMS, node, store, POLICY, progress=publish)
    assert epoch_states(node) == {1: "active", 2: "pending"}


def test_an_import_under_the_old_keys_is_not_published(home, tmp_path):
    node, store = home
    stale = replace(node, ring=type(node.ring).fixed(node.keys))
    driver.rotate(SUMS, node, store, POLICY)
    with pytest.raises(ConflictError, match="rotated meanwhile"):
        bring(stale, tmp_path, [f"{number(1)},,5"])
    assert plain(held(node)) == expected(node, WAGES)


def test_nothing_is_decrypted(home, monkeypatch):
    """The Paillier key of the epoch before is not even read."""
    node, store = home
    for name in ("decrypt", "require_ciphertexts"):
        monkeypatch.setattr(f"matcher.sums.paillier.{name}", lambda *_: pytest.fail("decrypted"))
    asked, original = [], type(store).get
    monkeypatch.setattr(type(store), "get", lambda self, name: (asked.append(name), original(self, name))[1])
    still = replace(node, ring=type(node.ring).fixed(node.keys))  # it does not read keys by itself
    run = replace(driver.prepare(SUMS, still, store, POLICY), folder=node.config.folder, workers=0)
    SUMS.make(run)
    asked.clear()
    SUMS.rekey(run)
    assert set(asked) == {"sum.1", "sum.2", "paillier.2", "sumcheck.2"}


def test_again_and_beside_the_oprf_key(home):
    """The epochs of the index and of sums are numbered apart; all in grace are answered."""
    node, store = home
    driver.rotate(OPRF, node, store, POLICY)
    driver.rotate(SUMS, node, store, POLICY)
    driver.rotate(OPRF, node, store, POLICY)
    assert (node.keys.epoch, node.keys.sums.epoch) == (3, 2)
    assert node.keys.sums_of(1, NOW).sum_key == KEYS.sum_key
    assert node.keys.sums_of(1, NOW + timedelta(days=8)) is None
    assert node.keys.sums_of(3, NOW) is None
    with pytest.raises(KeyStateError, match="clock is before"):
        driver.rotate(SUMS, replace(node, clock=lambda: NOW - timedelta(days=1)), store, POLICY)


@pytest.mark.parametrize("bands", [0, 6, 7, 10])
@pytest.mark.parametrize("cap", [0, 1000])
def test_rows_of_few_and_many_bands(home, bands, cap, tmp_path):
    """phe decrypts what packing the value by the rule of now gives; the value itself is kept uncapped."""
    node, _ = home
    layout = Layout.of(tuple(range(10, 10 + bands)), 3072)
    rule = replace(node.catalogue.item("B11").sum, bands=layout.bands, max_contribution=cap)
    work = sums_tasks.SumRekeying(KEYS.sum_key, KEYS, {"B11": rule}, tmp_path, b"")
    values = np.array([0, 1, 15, 1001, layout.max_value, layout.max_value + 1], dtype=np.uint64)
    points = KEYS.canaries[:32] * len(values)
    task = sums_tasks.Batch("B11", points, np.arange(len(values), dtype=np.int32), values)
    rows = sums_tasks.rekey_rows(work, None, task)
    kept = values.tolist() if cap else values.tolist()[:-1]  # what no slot can hold is no row
    wanted = [min(value, cap) if cap else value for value in kept]
    check = CheckKey.derive(KEYS.check, "B11", layout)
    found = [phe_key(KEYS).raw_decrypt(int.from_bytes(row.tobytes(), "big")) for row in rows["ciphertext"]]
    bits = guard_bits(KEYS.check, KEYS.canaries[:32])
    assert found == [pack(layout, check, value, bits) for value in wanted]
    assert (rows["value"].tolist(), rows["day"].tolist()) == (kept, list(range(len(kept))))
    assert rows["point"].tobytes() == KEYS.canaries[:32] * len(kept)


def test_memory_is_bounded_by_parts(home, monkeypatch):
    """Tiny parts and buffers give the same rows."""
    monkeypatch.setattr(sums_tasks, "PART_ROWS", 3)
    monkeypatch.setattr(sums_tasks, "BUFFER_BYTES", 5000)
    node, store = home
    driver.rotate(SUMS, node, store, POLICY)
    assert plain(held(node)) == expected(node, WAGES)


def test_rows_of_an_item_that_is_not_summed_any_more(home, monkeypatch):
    """They are served to nobody; the rotation leaves them behind, and they go with their epoch."""
    node, store = home
    monkeypatch.setattr(sums, "sum_rules", lambda _: {})
    done = driver.rotate(SUMS, node, store, POLICY)
    assert (done.amount.parts, done.amount.entries, held(node)) == (0, 0, {})
    driver.retire(SUMS, node, store, early=True)
    with node.store.transaction("look") as tx:
        assert sum_epoch_switch.current_groups(tx, 1, ["B11"]) == []


def test_a_full_disk_is_told_and_changes_nothing(home):
    node, store = home
    before = held(node)
    with cramped(node, 2) as full, pytest.raises(UnavailableError, match="did not answer"):
        driver.rotate(SUMS, full, store, POLICY)
    assert held(node) == before
    assert driver.rotate(SUMS, node, store, POLICY).epoch == 2
    assert plain(held(node)) == expected(node, WAGES)


def test_audit_names_fingerprints_and_no_keys(home):
    node, store = home
    driver.rotate(SUMS, node, store, POLICY)
    driver.retire(SUMS, node, store, early=True)
    driver.destroy(SUMS, node, store)
    with node.store.transaction("look") as tx:
        recorded = [
            json.loads(one.details) for one in audit_log.events(tx) if one.event == "key_state_changed"
        ]
    assert {name for one in recorded for name in one} == {"purpose", "epoch", "state", "fingerprint"}
    assert len(recorded) == 18  # three keys: active, pending, grace, active, retired, destroyed
    assert not any(secret.hex() in str(recorded) for secret in (KEYS.sum_key, KEYS.check))
