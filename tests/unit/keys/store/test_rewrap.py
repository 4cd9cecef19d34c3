"""Sealing a key store in another way: after a crash at any point it opens with the old or the new way."""

import fcntl
import os

import pytest

from keys.errors import (
    PassphraseError,
    PermissionsError,
    StoreBusyError,
    StoreDamagedError,
)
from keys.store.header import by_passphrase
from keys.store.key_store import KeyStore
from keys.store.wrap import KdfCost

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
OLD, NEW = b"old word", b"new word"
SECRET = b"planted secret of epoch one....."


@pytest.fixture
def folder(tmp_path):
    store = KeyStore.create(tmp_path / "keys", OLD, cost=CHEAP)
    store.add("oprf.1", SECRET)
    return tmp_path / "keys"


def opens(folder, passphrase):
    try:
        return KeyStore.open(folder, passphrase).get("oprf.1") == SECRET
    except PassphraseError:
        return False


def test_another_passphrase(folder):
    store = KeyStore.open(folder, OLD)
    store.rewrap(by_passphrase(NEW, CHEAP))
    store.add("oprf.2", b"2" * 32)
    assert (opens(folder, OLD), opens(folder, NEW)) == (False, True)
    assert KeyStore.open(folder, NEW).get("oprf.2") == b"2" * 32
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in folder.iterdir()) == ["oprf.1.key", "oprf.2.key", "store.json"]


def test_an_old_copy_of_the_header_opens_no_later_key(folder):
    stolen = (folder / "store.json").read_bytes()
    store = KeyStore.open(folder, OLD)
    store.rewrap(by_passphrase(NEW, CHEAP))
    store.add("oprf.2", b"2" * 32)
    (folder / "store.json").write_bytes(stolen)
    old = KeyStore.open(folder, OLD)
    assert old.get("oprf.1") == SECRET
    with pytest.raises(StoreDamagedError):
        old.get("oprf.2")


def test_a_key_added_by_a_process_that_opened_it_before(folder):
    before = KeyStore.open(folder, OLD)
    KeyStore.open(folder, OLD).rewrap(by_passphrase(NEW, CHEAP))
    before.add("oprf.2", b"2" * 32)
    assert KeyStore.open(folder, NEW).get("oprf.2") == b"2" * 32


def test_two_administrators(folder):
    first, second = KeyStore.open(folder, OLD), KeyStore.open(folder, OLD)
    first.rewrap(by_passphrase(NEW, CHEAP))
    with pytest.raises(StoreBusyError, match="rewrapped meanwhile"):
        second.rewrap(by_passphrase(b"third", CHEAP))
    assert opens(folder, NEW)
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(StoreBusyError, match="another command"):
        first.rewrap(by_passphrase(b"third", CHEAP))
    os.close(held)
    first.rewrap(by_passphrase(b"third", CHEAP))
    assert opens(folder, b"third")


def test_rewrapped_many_times(folder):
    store = KeyStore.open(folder, OLD)
    for count in range(63):
        store.rewrap(by_passphrase(b"%d" % count, CHEAP))
    assert opens(folder, b"62")
    with pytest.raises(StoreDamagedError, match="at most 64"):
        store.rewrap(by_passphrase(b"x", CHEAP))
    assert opens(folder, b"62")


def test_a_store_that_another_process_of_the_node_takes_over(folder):
    """By what it was handed, without the passphrase; what is sealed after a rewrap it cannot open."""
    given = KeyStore.open(folder, OLD).hand_over()
    KeyStore.open(folder, OLD).rewrap(by_passphrase(NEW, CHEAP))
    KeyStore.open(folder, NEW).add("oprf.2", b"2" * 32)
    taken = KeyStore.take_over(folder, given)
    assert taken.get("oprf.1") == SECRET
    with pytest.raises(StoreDamagedError):
        taken.get("oprf.2")
    folder.chmod(0o750)
    with pytest.raises(PermissionsError):
        KeyStore.take_over(folder, given)
