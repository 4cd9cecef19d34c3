import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import StoreDamagedError, StoreVersionError
from keys.store.wrap import KdfCost, Kek, derive_kek

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
KEY = bytes(range(32))


@given(st.binary(max_size=200), st.text(max_size=20))
def test_unseal_undoes_seal(secret, name):
    kek = Kek(KEY)
    assert kek.unseal(name, kek.seal(name, secret)) == secret


def test_layout_is_marker_nonce_ciphertext():
    sealed = Kek(KEY).seal("oprf.1", b"secret", random_bytes=lambda n: b"n" * n)
    assert sealed[:7] == b"HEQIAO\x01"
    assert sealed[7:19] == b"n" * 12
    assert ChaCha20Poly1305(KEY).decrypt(b"n" * 12, sealed[19:], b"HEQIAO\x01oprf.1") == b"secret"


def test_same_secret_never_seals_the_same():
    kek = Kek(KEY)
    assert kek.seal("a.1", b"secret") != kek.seal("a.1", b"secret")


@pytest.mark.parametrize("position", range(7 + 12 + 6 + 16))
def test_every_altered_byte_is_refused(position):
    sealed = bytearray(Kek(KEY).seal("oprf.1", b"secret"))
    sealed[position] ^= 1
    expected = (StoreDamagedError, StoreVersionError) if position == 6 else StoreDamagedError
    with pytest.raises(expected):
        Kek(KEY).unseal("oprf.1", bytes(sealed))


@pytest.mark.parametrize(
    "sealed",
    [b"", b"HEQIAO", b"HEQIAO\x01", b"HEQIAO\x01" + bytes(27), b"OTHER!\x01" + bytes(40), b"\0" * 100],
    ids=["empty", "marker", "head", "short", "other-magic", "zeros"],
)
def test_other_bytes_are_refused(sealed):
    with pytest.raises(StoreDamagedError):
        Kek(KEY).unseal("oprf.1", sealed)


def test_truncated_and_extended_are_refused():
    sealed = Kek(KEY).seal("oprf.1", b"secret")
    for other in (sealed[:-1], sealed + b"\0"):
        with pytest.raises(StoreDamagedError):
            Kek(KEY).unseal("oprf.1", other)


def test_other_name_and_other_key_are_refused():
    sealed = Kek(KEY).seal("oprf.1", b"secret")
    with pytest.raises(StoreDamagedError):
        Kek(KEY).unseal("oprf.2", sealed)
    with pytest.raises(StoreDamagedError):
        Kek(bytes(32)).unseal("oprf.1", sealed)


def test_newer_version_is_recognised():
    sealed = bytearray(Kek(KEY).seal("oprf.1", b"secret"))
    sealed[6] = 2
    with pytest.raises(StoreVersionError, match="version 2"):
        Kek(KEY).unseal("oprf.1", bytes(sealed))


def test_kek_depends_on_passphrase_salt_and_cost():
    sealed = derive_kek(b"pass", b"s" * 16, CHEAP).seal("a.1", b"secret")
    assert derive_kek(b"pass", b"s" * 16, CHEAP).unseal("a.1", sealed) == b"secret"
    for other in (
        derive_kek(b"Pass", b"s" * 16, CHEAP),
        derive_kek(b"pass", b"t" * 16, CHEAP),
        derive_kek(b"pass", b"s" * 16, KdfCost(2, 1, 8)),
    ):
        with pytest.raises(StoreDamagedError):
            other.unseal("a.1", sealed)


def test_default_cost_is_the_second_choice_of_rfc_9106():
    assert KdfCost() == KdfCost(iterations=3, lanes=4, memory_kib=2**16)


@pytest.mark.parametrize(
    "cost", [(0, 1, 8), (101, 1, 8), (1, 0, 8), (1, 65, 4096), (1, 4, 31), (1, 1, 2**23)]
)
def test_costs_out_of_bounds_are_refused(cost):
    with pytest.raises(ValueError, match="must be"):
        KdfCost(*cost)


def test_kek_shows_nothing():
    kek = Kek(KEY)
    assert repr(kek) == str(kek) == "Kek(****)"
    with pytest.raises(TypeError):
        pickle.dumps(kek)
