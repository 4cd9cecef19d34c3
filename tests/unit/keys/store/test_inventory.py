import hashlib
import os
import shutil
from datetime import UTC, datetime

import pytest

from keys.errors import StoreDamagedError
from keys.store.inventory import check_files, inspect
from keys.store.key_store import KeyStore
from keys.store.kinds import NODE_KEYS, check_secret, fingerprint, generate_secret
from keys.store.wrap import KdfCost

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path):
    made = KeyStore.create(tmp_path / "keys", b"word", cost=CHEAP)
    for purpose in NODE_KEYS:
        made.add(f"{purpose}.1", generate_secret(purpose))
        os.utime(made.path_of(f"{purpose}.1"), (NOW.timestamp() - 86_400,) * 2)
    return KeyStore.open(tmp_path / "keys", b"word")


def test_a_sound_store(store):
    found = inspect(store, NOW)
    assert [one.name for one in found] == sorted(f"{purpose}.1" for purpose in NODE_KEYS)
    assert all(one.problems == () and len(one.fingerprint) == 16 for one in found)
    assert {(NOW - one.made).days for one in found} == {1}
    assert check_files(store) == []


def test_fingerprints_distinguish_keys_and_reveal_nothing_else():
    one, two = generate_secret("oprf"), generate_secret("oprf")
    assert fingerprint("oprf", one) == fingerprint("oprf", one) != fingerprint("oprf", two)
    assert fingerprint("oprf", one) not in (
        one.hex()[:16],
        hashlib.sha256(one).hexdigest()[:16],
    )
    with pytest.raises(StoreDamagedError):
        fingerprint("signing", b"short")


def test_each_fault_is_reported_with_its_key(store):
    store.path_of("oprf.1").write_bytes(b"rubbish")
    store.add("salt.1", b"too short")
    store.add("tls.2", b"no key at all")
    os.utime(store.path_of("enrol.1"), (NOW.timestamp() + 86_400,) * 2)
    shutil.copy(store.path_of("storage.1"), store.path_of("signing.1"))
    found = {one.name: one for one in inspect(KeyStore.open(store.folder, b"word"), NOW) if one.problems}
    problems = {name: " ".join(one.problems) for name, one in found.items()}
    assert "clock set back" in problems["enrol.1"]
    assert "not a sealed key" in problems["oprf.1"]
    assert "does not open" in problems["signing.1"]
    assert "not 32 bytes" in problems["salt.1"]
    assert "not a P-256 private key" in problems["tls.2"]
    assert found["oprf.1"].fingerprint == found["signing.1"].fingerprint == ""
    assert "storage.1" not in problems


def test_loose_modes_and_strays(store):
    store.folder.chmod(0o750)
    store.path_of("oprf.1").chmod(0o640)
    (store.folder / ".oprf.2.key.abc.part").write_bytes(b"x")
    (store.folder / "notes.txt").write_bytes(b"x")
    store.path_of("tls.1").rename(store.folder / "elsewhere")
    store.path_of("tls.1").symlink_to("elsewhere")
    problems = "\n".join(check_files(store))
    assert "mode 750" in problems
    assert "mode 640" in problems
    assert "left by a command that was killed" in problems
    assert "notes.txt: not a file of the key store" in problems
    assert "tls.1.key: not a plain file" in problems


def test_other_primes_are_checked_again_after_a_good_key():
    good = generate_secret("paillier")
    half = len(good) // 2
    bad = good[: half - 1] + bytes([good[half - 1] ^ 2]) + good[half:]
    for _ in range(2):  # what was checked once is not taken for what differs, also the second time
        check_secret("paillier", good)
        with pytest.raises(StoreDamagedError):
            check_secret("paillier", bad)
