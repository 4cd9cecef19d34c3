"""Backups of a home's keys: who can open them, and the error for every wrong attempt."""

import itertools
import json
import os
from datetime import UTC, datetime

import pytest

from keys.errors import BackupError
from keys.store import shares
from keys.store.backup import Recipient, load_backup, make_backup, open_for, open_share, open_with_shares
from keys.store.key_pairs import enrol_key
from keys.store.key_store import KeyStore
from keys.store.kinds import generate_secret
from keys.store.wrap import KdfCost

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
FILES = {"node.toml": b"[node]\n", "tls/ca.pem": b"ca"}


def make_store(folder, *purposes):
    store = KeyStore.create(folder, b"word", cost=CHEAP)
    for purpose in purposes:
        store.add(f"{purpose}.1", generate_secret(purpose))
    return store


@pytest.fixture
def store(tmp_path):
    made = make_store(tmp_path / "keys", "oprf", "signing", "tls", "storage")
    os.utime(made.path_of("oprf.1"), (1_700_000_000,) * 2)
    return made


@pytest.fixture
def officers(tmp_path):
    return [make_store(tmp_path / name, "enrol") for name in ("anna", "ben", "chen")]


def card(store):
    return Recipient(name=store.folder.name, key=enrol_key(store).public_key().public_bytes_raw())


def same(contents, store):
    assert contents.secrets == {name: store.get(name) for name in store.names()}
    assert contents.files == FILES
    assert contents.made_at["oprf.1"] == 1_700_000_000


def test_each_recipient_opens_it_alone_and_no_other_can(store, officers):
    made, lines = make_backup(
        store, FILES, "node", "45", NOW, recipients=[card(officers[0]), card(officers[1])]
    )
    assert lines == []
    read = load_backup(made.to_json(), "backup")
    assert read == made
    for officer in officers[:2]:
        same(open_for(read, officer), store)
    with pytest.raises(BackupError, match="it is to anna, ben"):
        open_for(read, officers[2])
    with pytest.raises(BackupError, match="not split"):
        open_with_shares(read, ["x"])


def test_any_k_of_n_shares_open_it_and_fewer_do_not(store):
    made, lines = make_backup(store, FILES, "node", "45", NOW, split=(3, 5))
    assert len(lines) == len(set(lines)) == 5
    for chosen in itertools.combinations(lines, 3):
        same(open_with_shares(made, chosen), store)
    same(open_with_shares(made, lines), store)
    same(open_with_shares(made, [f"  {lines[0].upper()}\n", *lines[2:4]]), store)
    for few in (lines[:2], [lines[0]] * 3, lines[:1]):
        with pytest.raises(BackupError, match="3 are needed"):
            open_with_shares(made, few)


def test_each_holder_opens_one_share_and_k_of_them_the_backup(store, officers):
    people = [card(officer) for officer in officers]
    made, lines = make_backup(store, FILES, "node", "45", NOW, split=(2, 3), holders=people)
    assert lines == []
    read = load_backup(made.to_json(), "backup")
    opened = [open_share(read, officer) for officer in officers]
    assert [number for number, _ in opened] == [1, 2, 3]
    words = [found for _, found in opened]
    for chosen in itertools.combinations(words, 2):
        same(open_with_shares(read, chosen), store)
    with pytest.raises(BackupError, match="2 are needed"):
        open_with_shares(read, words[:1])
    for officer in officers:  # a holder is no recipient
        with pytest.raises(BackupError, match="not sealed to this recipient"):
            open_for(read, officer)
    text = made.to_json().decode()
    assert not any(line in text for line in words)


def test_a_share_opens_for_its_holder_only(store, officers, tmp_path):
    people = [card(officer) for officer in officers[:2]]
    made, _ = make_backup(store, FILES, "node", "45", NOW, split=(2, 2), holders=people)
    with pytest.raises(BackupError, match="they are to anna, ben"):
        open_share(made, officers[2])
    swapped = [
        one.model_copy(update={"key": other.key})
        for one, other in zip(made.holders, made.holders[::-1], strict=True)
    ]
    with pytest.raises(BackupError, match="does not open"):
        open_share(made.model_copy(update={"holders": tuple(swapped)}), officers[0])
    alone, _ = make_backup(store, FILES, "node", "45", NOW, recipients=people[:1])
    with pytest.raises(BackupError, match="they are to nobody"):
        open_share(alone, officers[0])
    renamed = made.model_copy(
        update={"holders": tuple(one.model_copy(update={"name": "x"}) for one in made.holders)}
    )
    words = [open_share(renamed, officer)[1] for officer in officers[:2]]
    with pytest.raises(BackupError, match="does not open"):  # names are bound, too
        open_with_shares(renamed, words)


def test_holders_that_cannot_be(store, officers):
    people = [card(officer) for officer in officers]
    for split in (None, (2, 2)):
        with pytest.raises(ValueError, match=r"nobody|each holder"):
            make_backup(store, FILES, "node", "45", NOW, split=split, holders=people)
    twice = [people[0], people[1], people[0].model_copy(update={"name": "other"})]
    with pytest.raises(BackupError, match="two shares"):
        make_backup(store, FILES, "node", "45", NOW, split=(2, 3), holders=twice)


def test_errors_of_wrong_shares_do_not_show_their_words(store):
    made, lines = make_backup(store, FILES, "node", "45", NOW, split=(2, 3))
    _, others = make_backup(store, FILES, "node", "45", NOW, split=(2, 3))
    words = lines[1].split()
    swapped = " ".join([*words[:9], words[10], words[9], *words[11:]])
    for bad, text in (
        ([lines[0], others[1]], "different backups"),
        (others[:2], "does not open"),
        ([lines[0], swapped], "share 2: a word is wrong"),
        ([lines[0], lines[1][:-2]], "share 2: a word is wrong"),
        (["", lines[1]], "share 1: a word is wrong"),
        ([], "2 are needed"),
    ):
        with pytest.raises(BackupError, match=text) as caught:
            open_with_shares(made, bad)
        assert words[0] not in str(caught.value)


@pytest.mark.parametrize("split", [(1, 2), (3, 2), (2, 17), (0, 0)])
def test_bounds_of_shares(split):
    with pytest.raises(ValueError, match="k/n"):
        shares.split(bytes(32), *split)


def test_nothing_of_the_keys_is_in_the_file(store, officers):
    made, lines = make_backup(store, FILES, "node", "45", NOW, recipients=[card(officers[0])], split=(2, 2))
    text = made.to_json()
    for name in store.names():
        assert store.get(name) not in text
        assert store.get(name).hex().encode() not in text
    assert b"[node]" not in text
    assert lines[0].encode() not in text
    assert "planted" not in repr(open_for(made, officers[0]))


@pytest.mark.parametrize(
    "change", [{"code": "44"}, {"made_at": "2020"}, {"shares_needed": 2}, {"content": b"x" * 99}]
)
def test_an_altered_backup_does_not_open(store, officers, change):
    made, _ = make_backup(store, FILES, "node", "45", NOW, recipients=[card(officers[0])])
    with pytest.raises(BackupError, match="does not open"):
        open_for(made.model_copy(update=change), officers[0])


def test_newer_cut_and_foreign_files(store, officers):
    made, _ = make_backup(store, FILES, "node", "45", NOW, recipients=[card(officers[0])])
    newer = json.loads(made.to_json()) | {"version": 2, "something": 1}
    with pytest.raises(BackupError, match=r"version 2, this Heqiao knows up to 1"):
        load_backup(json.dumps(newer).encode(), "backup")
    for content in (b"", made.to_json()[:-9], b"{}", b"[]", b"\xff"):
        with pytest.raises(BackupError):
            load_backup(content, "backup")


def test_recipients_that_cannot_be(store):
    low_order = Recipient(name="x", key=bytes(32))
    with pytest.raises(BackupError, match="not usable"):
        make_backup(store, FILES, "node", "45", NOW, recipients=[low_order])
    with pytest.raises(ValueError, match="nobody"):
        make_backup(store, FILES, "node", "45", NOW)
