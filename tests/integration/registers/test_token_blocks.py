"""Token blocks under imports and rotations: one token an identity and class, whatever the items and order."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from keys.types import RotationPolicy
from matcher import identity
from matcher.types import TokenClass
from node.database import index_tables
from node.errors import ConflictError, UnavailableError
from node.index import entries
from node.index.token_blocks import unpack
from node.index.token_counts import count_tokens
from node.index.token_store import TokenStore
from node.index.verify import verify_index
from node.registers import importer
from node.rotation import driver
from node.rotation import oprf as oprf_rotation
from node.rotation.kinds import OPRF
from tests.support.item_registers import load
from tests.support.single_node import LIMITS, NOW, Held, make_node, number, with_key_store
from tests.support.token_blocks import (
    check_tokens,
    damage_block,
    digest_of,
    held_tokens,
    stored_blocks,
    token_of,
)

ORDINARY, SENSITIVE = TokenClass.ORDINARY, TokenClass.SENSITIVE
POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))
PEOPLE = [number(at) for at in range(120)] + [number(at, "459999") for at in range(20)]
PLANTED = 35  # one in each partition


@pytest.fixture
def home(tmp_path):
    node, store = with_key_store(make_node(tmp_path / "44", {**LIMITS, "k_anonymity": 8}))
    yield node, store
    node.store.dispose()


@pytest.fixture
def node(home):
    return home[0]


@pytest.fixture
def made(monkeypatch):
    """How many tokens were multiplied by each step that does so, of imports in this process."""
    counts, original = [], entries._make_tokens

    def count(work, drafts, others):
        counts.append(len(drafts))
        return original(work, drafts, others)

    monkeypatch.setattr(entries, "_make_tokens", count)
    return counts


def test_each_token_is_that_of_its_identity(node, tmp_path):
    """And an identity of which a class has no entry has no token in it."""
    load(node, tmp_path, "C21", PEOPLE, workers=0)
    load(node, tmp_path, "Z59b", PEOPLE[:50], workers=2)
    load(node, tmp_path, "C23", PEOPLE[20:60], workers=0)
    held = check_tokens(node, unused=False)
    assert {each: len(found) for each, found in held.items()} == {ORDINARY: 140 + 70, SENSITIVE: 40 + 35}
    for person in PEOPLE:
        found, digest = identity.parse(person), digest_of(node, person)
        assert held[ORDINARY][digest] == token_of(node, found, ORDINARY)
        wanted = token_of(node, found, SENSITIVE) if person in PEOPLE[20:60] else None
        assert held[SENSITIVE].get(digest) == wanted
    planted = identity.planted("C23", "44", "hit-0")
    assert token_of(node, planted, SENSITIVE) in held[SENSITIVE].values()
    assert count_tokens(node, node.keys.epoch) == (140, {ORDINARY: 210, SENSITIVE: 75})


def test_a_second_item_multiplies_only_what_is_missing(node, tmp_path, made):
    load(node, tmp_path, "C21", PEOPLE, workers=0)
    assert sum(made) == 140 + PLANTED
    made.clear()
    load(node, tmp_path, "Z59b", [*PEOPLE, number(500)], workers=0)
    assert sum(made) == 1 + PLANTED
    made.clear()
    before = stored_blocks(node)
    load(node, tmp_path, "C21", PEOPLE, workers=0)
    assert sum(made) == 0
    assert stored_blocks(node) == before


def test_the_same_register_again_seals_nothing(node, tmp_path, monkeypatch):
    load(node, tmp_path, "C21", PEOPLE, workers=0)
    before, sealed = Held(node, "C21"), []
    original = entries.seal_entries
    monkeypatch.setattr(entries, "seal_entries", lambda *args: sealed.append(len(args[2])) or original(*args))
    load(node, tmp_path, "C21", PEOPLE[::-1], workers=0)
    assert sum(sealed) == 0
    assert Held(node, "C21").served == before.served
    load(node, tmp_path, "C21", [*PEOPLE, number(500)], workers=0)
    assert sum(sealed) == 1


def test_a_deleted_person_leaves_after_the_next_rotation(home, tmp_path):
    node, store = home
    load(node, tmp_path, "C21", PEOPLE, former=[(PEOPLE[0], PEOPLE[125])])
    load(node, tmp_path, "Z59b", PEOPLE[:3])
    load(node, tmp_path, "C21", PEOPLE[2:10], mode="delete")
    gone = [digest_of(node, person) for person in PEOPLE[3:10]]
    assert all(digest in held_tokens(node)[ORDINARY] for digest in gone)
    driver.rotate(OPRF, node, store, POLICY)
    held = check_tokens(node, unused=False)
    assert not any(digest in held[ORDINARY] for digest in gone)
    assert digest_of(node, PEOPLE[2]) in held[ORDINARY], "of this one Z59b still has an entry"
    slots = {place: len(found) for place, found in stored_blocks(node).items()}
    load(node, tmp_path, "C21", [number(900)], mode="upsert")
    check_tokens(node, unused=False)
    after = {place: len(found) for place, found in stored_blocks(node).items()}
    assert sum(after.values()) - sum(slots.values()) in (0, 1)


def test_tokens_of_an_import_that_was_not_published_are_no_fault(node, tmp_path, monkeypatch):
    load(node, tmp_path, "C21", PEOPLE[:20])

    def fail(*_args, **_more):
        raise UnavailableError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(importer, "publish", fail)
        with pytest.raises(UnavailableError, match="stopped"):
            load(node, tmp_path, "C21", PEOPLE)
    assert len(held_tokens(node)[ORDINARY]) == 140 + PLANTED
    assert verify_index(node).good
    check_tokens(node)


# ---- two runs at once


def test_what_another_run_wrote_meanwhile_is_kept(node, tmp_path, monkeypatch):
    """Where the lock was lost: the block is read again, and the other's slots are taken."""
    read, other = TokenStore.read, []

    def meanwhile(store, prefixes):
        found = read(store, prefixes)
        if not other:
            other.append(True)
            load(second, tmp_path / "o", "Z59b", PEOPLE[:70], workers=0)
        return found

    second = replace(node, config=make_node(tmp_path / "o", {**LIMITS, "k_anonymity": 8}).config)
    monkeypatch.setattr(TokenStore, "read", meanwhile)
    load(node, tmp_path, "C21", PEOPLE, workers=0)
    held = check_tokens(node, unused=False)
    assert len(held[ORDINARY]) == 140 + 2 * PLANTED
    assert len(Held(node, "C21").tags["44"]) >= 120
    assert len(Held(node, "Z59b").tags["44"]) >= 70


# ---- faults


def test_a_flipped_bit_in_a_block(home, tmp_path):
    node, store = home
    for item in ("C21", "Z59b"):
        load(node, tmp_path, item, PEOPLE)
    damage_block(node, PEOPLE[0])
    answers = {item: Held(node, item).served for item in ("C21", "Z59b")}
    found = verify_index(node)
    assert (found.good, found.blocks, found.to_import) == (False, 1, ["C21", "Z59b"])
    assert all(one.tokens and not one.buckets and not one.links for one in found.items)
    with pytest.raises(UnavailableError, match="tokens are damaged") as told:
        load(node, tmp_path, "C21", PEOPLE, mode="upsert")
    assert "index verify" in told.value.hint
    with pytest.raises(UnavailableError, match="tokens are damaged"):
        driver.rotate(OPRF, node, store, POLICY)
    for item in ("C21", "Z59b"):
        load(node, tmp_path, item, PEOPLE)
    assert verify_index(node).good
    assert {item: Held(node, item).served for item in ("C21", "Z59b")} == answers
    check_tokens(node)
    assert driver.rotate(OPRF, node, store, POLICY).switched


@pytest.mark.parametrize("lost", ["all", "newer"])
def test_tokens_of_another_time_than_the_index(home, tmp_path, lost):
    """As when only the table of the tokens was restored: found, named, mended by full imports."""
    node, store = home
    rows = index_tables.token_blocks
    load(node, tmp_path, "C21", PEOPLE[:30])
    with node.store.transaction("back up") as tx:
        kept = [dict(row._mapping) for row in tx.execute(select(rows)).all()]
    load(node, tmp_path, "C21", PEOPLE, former=[(PEOPLE[1], PEOPLE[130])])
    load(node, tmp_path, "C23", PEOPLE[:40])
    served = {item: Held(node, item).served for item in ("C21", "C23")}
    with node.store.transaction("restore", write=True) as tx:
        tx.execute(delete(rows))
        if lost == "newer":
            tx.execute(insert(rows), kept)
    found = verify_index(node)
    assert (found.good, found.to_import) == (False, ["C21", "C23"])
    with pytest.raises(UnavailableError, match="does not fit the key"):
        driver.rotate(OPRF, node, store, POLICY)
    # Others take the slots meanwhile; their entries are not mixed up.
    load(node, tmp_path, "Z59b", [number(at) for at in range(600, 700)])
    assert verify_index(node).to_import == ["C21", "C23"]
    load(node, tmp_path, "C21", PEOPLE, former=[(PEOPLE[1], PEOPLE[130])])
    assert verify_index(node).to_import == ["C23"]
    load(node, tmp_path, "C23", PEOPLE[:40])
    assert verify_index(node).good
    assert {item: Held(node, item).served for item in ("C21", "C23")} == served
    check_tokens(node)
    assert driver.rotate(OPRF, node, store, POLICY).switched


def test_an_upsert_does_not_follow_a_pointer_to_somebody_else(node, tmp_path):
    """Slots that a lost table had given away were given to others: nobody's entry is removed for that."""
    load(node, tmp_path, "C21", PEOPLE)
    with node.store.transaction("lose", write=True) as tx:
        tx.execute(delete(index_tables.token_blocks))
    strangers = [number(at) for at in range(600, 1200)]
    before = Held(node, "C21").served
    with pytest.raises(UnavailableError, match="does not fit the key"):
        load(node, tmp_path, "C21", strangers, mode="upsert")
    assert Held(node, "C21").served == before


@pytest.mark.parametrize("what", ["entries", "kept_sealed", "links_sealed"])
def test_verify_names_an_altered_bucket(node, tmp_path, what):
    load(node, tmp_path, "C21", PEOPLE, former=[(PEOPLE[1], PEOPLE[130])])
    load(node, tmp_path, "Z59b", PEOPLE)
    rows = index_tables.buckets
    with node.store.transaction("damage", write=True) as tx:
        cuts = select(index_tables.cuts.c.id).where(index_tables.cuts.c.item == "C21")
        some = tx.execute(select(rows).where(rows.c.cut_id.in_(cuts))).all()
        row = max(some, key=lambda one: len(one._mapping[what]))
        data = bytearray(row._mapping[what])
        data[-1] ^= 1
        place = (rows.c.cut_id == row.cut_id, rows.c.number == row.number)
        tx.execute(update(rows).where(*place).values({what: bytes(data)}))
    found = verify_index(node)
    assert found.to_import == ["C21"]
    load(node, tmp_path, "C21", PEOPLE, former=[(PEOPLE[1], PEOPLE[130])])
    assert verify_index(node).good


def test_two_equal_tags(node, tmp_path, monkeypatch):
    """One chance in 2^80 for each pair: the import says so and publishes nothing."""
    load(node, tmp_path, "C21", PEOPLE[:10])
    before, original = Held(node, "C21").served, entries.set_keys

    def collide(made, place, tokens, **options):
        original(made, place, tokens, **options)
        made["tag"] = 1

    monkeypatch.setattr(entries, "set_keys", collide)
    with pytest.raises(UnavailableError, match="two entries have one tag"):
        load(node, tmp_path, "C21", PEOPLE, workers=0)
    assert Held(node, "C21").served == before


def test_no_token_or_digest_is_on_the_disk_in_clear(home, tmp_path, monkeypatch):
    """Neither in the database and its log, nor in temporary files of imports and rotations."""
    node, store = home
    seen = []

    def look(*_args):
        seen.extend(path.read_bytes() for path in node.config.folder.rglob("*") if path.is_file())

    for module, name in ((importer, "publish"), (driver, "_switch")):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args, run=original, **more: (look(), run(*args, **more))[1])
    load(node, tmp_path, "C21", PEOPLE, former=[(PEOPLE[1], PEOPLE[130])], workers=0)
    load(node, tmp_path, "C23", PEOPLE, workers=0)
    secrets = {bytes(each) for found in held_tokens(node).values() for pair in found.items() for each in pair}
    driver.rotate(OPRF, node, store, POLICY, workers=0)
    secrets |= {
        bytes(each) for found in held_tokens(node).values() for pair in found.items() for each in pair
    }
    look()
    assert len(seen) > 8
    assert len(secrets) > 4 * len(PEOPLE)
    for content in seen:
        assert not any(secret in content for secret in secrets)
        assert not any(person.encode() in content for person in PEOPLE)


# ---- rotations that were interrupted


class StoppedError(Exception):
    """In place of a kill."""


@pytest.mark.parametrize("stage", ["make", "tokens", "rekey"])
def test_an_import_between_a_killed_and_a_resumed_rotation(home, tmp_path, monkeypatch, stage):
    """The blocks that the first run made are extended by what the import added, and not made anew."""
    monkeypatch.setattr(oprf_rotation, "GROUP_ENTRIES", 1)
    node, store = home
    load(node, tmp_path, "C21", PEOPLE[:100])
    load(node, tmp_path, "C23", PEOPLE[:40])

    def stop(found, done, total):
        if (found == stage and done == total) or (found == stage == "rekey"):
            raise StoppedError

    with pytest.raises(StoppedError):
        driver.rotate(OPRF, node, store, POLICY, progress=stop, workers=0)
    assert bool(stored_blocks(node, epoch=2)) is (stage != "make")
    load(node, tmp_path, "C21", PEOPLE[90:130], mode="upsert")
    load(node, tmp_path, "Z59b", PEOPLE[:10])
    load(node, tmp_path, "C21", PEOPLE[:5], mode="delete")
    multiplied = []
    original = oprf_rotation.rekey_tokens

    def count(work, scratch, task):
        slots = [sum(len(unpack(content)) for content in blocks.values()) for blocks in (task.old, task.new)]
        multiplied.append(slots[0] - slots[1])
        return original(work, scratch, task)

    monkeypatch.setattr(oprf_rotation, "rekey_tokens", count)
    driver.rotate(OPRF, node, store, POLICY, workers=0)
    held = check_tokens(node, unused=False)
    for person in PEOPLE[5:130]:
        token = held[ORDINARY][digest_of(node, person)]
        assert token == token_of(node, identity.parse(person), ORDINARY)
    assert Held(node, "C21").open(identity.parse(PEOPLE[120]))
    assert Held(node, "C21").open(identity.parse(PEOPLE[2])) is None
    # The imports added 30 people, and the planted subjects of Z59b; C23 has 40 people and planted ones.
    added = 30 + PLANTED
    begun = {"make": 100 + PLANTED + 40 + PLANTED, "tokens": 40 + PLANTED, "rekey": 0}
    assert sum(multiplied) == added + begun[stage]
    assert verify_index(node).good


def test_a_past_epoch_takes_its_tokens_with_it(home, tmp_path):
    node, store = home
    load(node, tmp_path, "C21", PEOPLE)
    driver.rotate(OPRF, node, store, POLICY)
    assert stored_blocks(node, epoch=1)
    later = replace(node, clock=lambda: NOW + timedelta(days=8))
    driver.retire(OPRF, later, store)
    assert not stored_blocks(node, epoch=1)
    assert len(held_tokens(node)[ORDINARY]) == 140 + PLANTED


def test_verify_waits_for_nobody_unless_told(node, tmp_path):
    load(node, tmp_path, "C21", PEOPLE)

    def meanwhile(stage, _done, _total):
        if stage == "write":
            with pytest.raises(ConflictError, match="import or rotation is running"):
                verify_index(node)

    load(node, tmp_path, "C21", PEOPLE, progress=meanwhile)
    assert verify_index(node, wait=True).good
